/**
 * A copy of a body, taken while the body itself goes on to the client.
 *
 * @module
 */
import { type BodyLimits, concatenated, mayBeRead } from "./body_limits.ts";

/**
 * The bytes of a response's body, or undefined where they cannot be had within the limits. The response keeps its
 * body, every byte of it.
 */
export async function copyBody(response: Response, limits: BodyLimits): Promise<Uint8Array | undefined> {
  if (!mayBeRead(response, limits)) return undefined;
  try {
    const { body } = response.clone();
    return body === null ? new Uint8Array() : await readAll(body, limits);
  } catch {
    // The client meets an error of the body itself in its own half.
    return undefined;
  }
}

async function readAll(
  body: ReadableStream<Uint8Array>,
  { bytes, ms }: BodyLimits,
): Promise<Uint8Array | undefined> {
  const reader = body.getReader();
  let inTime = true;
  // Settles a read that is waiting. The stream itself ends when the client's half is cancelled too.
  const giveUp = () => void reader.cancel().catch(() => {});
  const timer = setTimeout(() => {
    inTime = false;
    giveUp();
  }, ms);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return inTime ? concatenated(chunks, length) : undefined;
      if (!ArrayBuffer.isView(value)) break;
      chunks.push(value);
      length += value.byteLength;
      if (length > bytes) break;
    }
    giveUp();
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}
