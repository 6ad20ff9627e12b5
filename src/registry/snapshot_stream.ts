/**
 * A snapshot as a web stream, and from one: in pieces, between which requests and timers have their turn.
 *
 * @module
 */
import { ignoreRejection } from "../changes/callback.ts";
import { PIECE, type SnapshotWriter } from "./snapshot.ts";
import type { SnapshotReader, SnapshotRefusal } from "./snapshot_reader.ts";

/** Where a snapshot is read from: a web stream, or any other iterable of bytes, such as a stream of Node. */
export type SnapshotBytes = ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** Writes a piece whenever one is asked for, in a turn of its own. */
export function streamOf(writer: SnapshotWriter): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      // Whatever asks may do so while a batch of a feed is applied.
      await turn();
      const piece = writer.next();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: () => writer.cancel(),
  }, { highWaterMark: 0 });
}

/** Why a snapshot was refused, with the fault of its source, if that is why. */
export interface Refused {
  readonly reason: SnapshotRefusal;
  readonly error?: unknown;
}

/**
 * Reads a snapshot to its end, or until it is refused.
 *
 * @throws {TypeError} If the source cannot be read; rejects with one if something else than bytes comes.
 */
export function readFrom(
  source: SnapshotBytes,
  reader: SnapshotReader,
  signal?: AbortSignal,
): Promise<Refused | undefined> {
  const iterator = (source as AsyncIterable<Uint8Array> | undefined)?.[Symbol.asyncIterator]?.();
  if (iterator === undefined) {
    throw new TypeError(
      `A snapshot is read from a stream or an iterable of bytes, not from ${kindOf(source)}`,
    );
  }
  return read(iterator, reader, signal);
}

function kindOf(value: unknown): string {
  return value === null || value === undefined ? String(value) : `a value of type ${typeof value}`;
}

async function read(
  iterator: AsyncIterator<Uint8Array>,
  reader: SnapshotReader,
  signal: AbortSignal | undefined,
): Promise<Refused | undefined> {
  let onAbort = () => {};
  const aborted = new Promise<"aborted">((resolve) => onAbort = () => resolve("aborted"));
  signal?.addEventListener("abort", onAbort);
  if (signal?.aborted) onAbort();
  let isDone = false;
  const next = async () => {
    const { done = false, value } = await iterator.next();
    isDone = done;
    return done ? undefined : value;
  };
  try {
    for (let work = 0;;) {
      let bytes: Uint8Array | "aborted" | undefined;
      try {
        bytes = await Promise.race([aborted, next()]);
      } catch (error) {
        isDone = true;
        return { reason: reader.refuse("unreadable"), error };
      }
      if (bytes === "aborted") return { reason: reader.refuse("aborted"), error: signal?.reason };
      if (bytes === undefined) break;
      if (!(bytes instanceof Uint8Array)) {
        reader.refuse("unreadable");
        throw new TypeError(`A snapshot is read from bytes, as Uint8Array, not from ${kindOf(bytes)}`);
      }
      for (let at = 0; at < bytes.length; at += PIECE) {
        const reason = reader.push(bytes.subarray(at, at + PIECE));
        if (reason !== undefined) return { reason };
        work += Math.min(PIECE, bytes.length - at);
        if (work < PIECE) continue;
        work = 0;
        await turn();
      }
    }
    const reason = reader.end();
    return reason === undefined ? undefined : { reason };
  } finally {
    signal?.removeEventListener("abort", onAbort);
    // A source that never ends need not end now: nothing waits for it.
    if (!isDone) ignoreRejection(iterator.return?.());
  }
}
