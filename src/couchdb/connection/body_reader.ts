/**
 * The bytes of a response, read into the same 64 KiB again and again where the platform allows it. Deno allocates
 * 64 KiB for every read that brings no memory of its own, and CouchDB sends 1,490 bytes at a time.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";
import { tooLarge } from "../wire/sizes.ts";

/** Most bytes of one read. */
const SIZE = 65_536;

/** Reads the body of one response. */
export class BodyReader {
  readonly #read: () => Promise<Uint8Array | undefined>;
  readonly #cancel: () => Promise<unknown>;
  readonly #signal: AbortSignal;
  readonly #counters: { bytes: number };
  readonly #most: number;
  #length = 0;

  /**
   * @param signal Aborts the request.
   * @param counters Counts the bytes that have been read.
   * @param most The most bytes that are read; default: no limit.
   */
  constructor({ body }: Response, signal: AbortSignal, counters: { bytes: number }, most: number = Infinity) {
    this.#most = most;
    const { read, cancel } = readerOf(body);
    this.#read = read;
    this.#cancel = cancel;
    this.#signal = signal;
    this.#counters = counters;
  }

  /**
   * The bytes that arrive next, to be used before the next read; undefined at the end.
   *
   * @throws {ChangesError} If the connection breaks, or the body is too long.
   */
  async read(): Promise<Uint8Array | undefined> {
    const bytes = await this.#next();
    this.#counters.bytes += bytes?.length ?? 0;
    this.#length += bytes?.length ?? 0;
    if (this.#length > this.#most) throw tooLarge("The answer", this.#most);
    return bytes;
  }

  /** All of it. @throws As {@linkcode read}. */
  async text(): Promise<string> {
    const decoder = new TextDecoder();
    let text = "";
    for (let bytes = await this.read(); bytes !== undefined; bytes = await this.read()) {
      text += decoder.decode(bytes, { stream: true });
    }
    return text + decoder.decode();
  }

  /** Reads no more of it. */
  async cancel(): Promise<void> {
    await this.#cancel().catch(() => {});
  }

  async #next(): Promise<Uint8Array | undefined> {
    try {
      return await this.#read();
    } catch (cause) {
      if (this.#signal.aborted) throw this.#signal.reason;
      throw new ChangesError("truncated", "The connection broke off", { cause });
    }
  }
}

interface Reading {
  readonly read: () => Promise<Uint8Array | undefined>;
  readonly cancel: () => Promise<unknown>;
}

function readerOf(body: ReadableStream<Uint8Array> | null): Reading {
  const byob = byobReader(body);
  if (byob !== undefined) {
    let buffer = new ArrayBuffer(SIZE);
    const read = async () => {
      const { value, done } = await byob.read(new Uint8Array(buffer));
      if (done) return undefined;
      buffer = value.buffer;
      return value;
    };
    return { read, cancel: () => byob.cancel() };
  }
  const reader = body?.getReader();
  return {
    read: async () => (await reader?.read())?.value,
    cancel: async () => await reader?.cancel(),
  };
}

/** A reader that fills the memory it is given. Only byte streams have one, and calling is the only way to ask. */
function byobReader(body: ReadableStream<Uint8Array> | null): ReadableStreamBYOBReader | undefined {
  try {
    return body?.getReader({ mode: "byob" });
  } catch {
    return undefined;
  }
}
