/**
 * Bodies that are built while they are sent: what they read belongs to their response.
 *
 * A stream that pulls its content does so on behalf of the server that reads it, outside of the handler that made it. So it
 * is read here instead, where its reads have their place. A body that is whole at once stays whole, with its length.
 *
 * @module
 */
import { remade } from "../handler/responses.ts";

/** Asks for the next piece of a body. */
type Next = () => Promise<ReadableStreamReadResult<Uint8Array>>;

/**
 * The response with a body that is read by `within`.
 *
 * @param within Runs a task in the place that the body's reads belong to.
 */
export async function readWithin(
  response: Response,
  within: <T>(task: () => T) => T,
): Promise<Response> {
  const { body, bodyUsed, headers } = response;
  if (body === null || bodyUsed || body.locked) return response;
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader();
  const next: Next = () => within(() => reader.read());
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = next();
    const made = await soon(piece);
    if (made === undefined || made.done !== true && pieces.length === MOST_AT_ONCE) {
      return remade(response, streamOf(pieces, piece, next, reader), new Headers(headers));
    }
    if (made.done) {
      return remade(response, await new Blob(pieces as BlobPart[]).bytes(), new Headers(headers));
    }
    pieces.push(made.value);
  }
}

/** Pieces of a body that is taken for whole; one that goes on is a stream. */
const MOST_AT_ONCE = 16;

/** What a piece of a body is, if it is there already; undefined: it is still being made, or cannot be. */
async function soon(
  piece: ReturnType<Next>,
): Promise<Awaited<ReturnType<Next>> | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const turn = new Promise<undefined>((resolve) => timer = setTimeout(resolve, 0, undefined));
  const made = await Promise.race([piece.catch(() => undefined), turn]);
  clearTimeout(timer);
  return made;
}

/** The rest of a body, as the server asks for it. */
function streamOf(
  pieces: readonly Uint8Array[],
  first: ReturnType<Next>,
  next: Next,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  let pending: ReturnType<Next> | undefined = first;
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
    },
    async pull(controller) {
      const asked = pending ?? next();
      pending = undefined;
      const { done, value } = await asked;
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
