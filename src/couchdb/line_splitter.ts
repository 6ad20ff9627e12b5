/**
 * Bytes to lines, wherever the network cut them.
 *
 * @module
 */

/** Splits one response's bytes into lines; a character or a line may span chunks. One per response. */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  #tail = "";

  /** The lines that `bytes` complete, without their line feeds; what follows the last one is kept for later. */
  push(bytes: Uint8Array): string[] {
    const lines = this.#decoder.decode(bytes, { stream: true }).split("\n");
    lines[0] = this.#tail + lines[0];
    this.#tail = lines.pop() ?? "";
    return lines;
  }
}
