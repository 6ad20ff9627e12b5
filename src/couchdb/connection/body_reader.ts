/**
 * The bytes of an answer, read into one piece of memory again and again where the platform allows it: Deno takes
 * 64 KiB anew for every read that brings none, and CouchDB sends 1,490 bytes at a time.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";

/** Most bytes of one read. */
const SIZE = 65_536;

/** Reads one body. */
export class BodyReader {
  readonly #read: () => Promise<Uint8Array | undefined>;
  readonly #signal: AbortSignal;
  readonly #counters: { bytes: number };

  /**
   * @param signal Aborts the request.
   * @param counters Counts what has been read.
   */
  constructor({ body }: Response, signal: AbortSignal, counters: { bytes: number }) {
    this.#read = readerOf(body);
    this.#signal = signal;
    this.#counters = counters;
  }

  /** The bytes that arrive next, good until the next read; undefined at the end. */
  async read(): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.#read();
      this.#counters.bytes += bytes?.length ?? 0;
      return bytes;
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw new ChangesError("truncated", "The connection broke off", { cause });
    }
  }
}

function readerOf(body: ReadableStream<Uint8Array> | null): () => Promise<Uint8Array | undefined> {
  const own = ownMemory(body);
  if (own !== undefined) {
    let buffer = new ArrayBuffer(SIZE);
    return async () => {
      const { value, done } = await own.read(new Uint8Array(buffer));
      if (done) return undefined;
      buffer = value.buffer;
      return value;
    };
  }
  const reader = body?.getReader();
  return async () => (await reader?.read())?.value;
}

/** Only some streams read into memory that they are given; there is no other way to ask which. */
function ownMemory(body: ReadableStream<Uint8Array> | null): ReadableStreamBYOBReader | undefined {
  try {
    return body?.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
