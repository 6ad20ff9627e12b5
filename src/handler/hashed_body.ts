/**
 * The body of a response, read to be hashed, within limits: what is longer, or not complete in time, goes to the client as
 * it comes.
 *
 * @module
 */
import { BODY_LIMITS, type BodyLimits, concatenated } from "./body_limits.ts";

/**
 * The bytes of a body; a stream of the same bytes where they are more than the limits allow.
 *
 * @throws The error of the body, if it fails before.
 */
export async function readBody(
  { body }: Response,
  limits: BodyLimits = BODY_LIMITS,
): Promise<Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>> {
  if (body === null) return new Uint8Array();
  const reader: Reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  const expiry = expiring(limits.ms);
  try {
    for (;;) {
      const next = reader.read();
      const read = await Promise.race([next, expiry.expired]);
      if (read === undefined) return resumed(chunks, reader, next);
      if (read.done) return concatenated(chunks, length);
      chunks.push(read.value);
      length += read.value.byteLength;
      if (!(length <= limits.bytes)) return resumed(chunks, reader, reader.read());
    }
  } finally {
    expiry.clear();
  }
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** Resolves after some ms, unless it is cleared before. */
function expiring(ms: number): { readonly expired: Promise<undefined>; readonly clear: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const expired = new Promise<undefined>((resolve) => timer = setTimeout(() => resolve(undefined), ms));
  return { expired, clear: () => clearTimeout(timer) };
}

/** What has been read, and what is still to come. */
function resumed(
  chunks: readonly Uint8Array[],
  reader: Reader,
  next: Promise<ReadableStreamReadResult<Uint8Array>>,
): ReadableStream<Uint8Array> {
  let pending: typeof next | undefined = next;
  // It is awaited when the client has taken what has been read.
  next.catch(() => {});
  let at = 0;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (at < chunks.length) return controller.enqueue(chunks[at++]!);
      const { done, value } = await (pending ?? reader.read());
      pending = undefined;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
