/**
 * A copy of a body, taken while the body itself goes on to the client.
 *
 * @module
 */

/** What is read of a body at most. */
export interface CopyLimits {
  /** Bytes; a longer body is not copied. */
  readonly bytes: number;
  /** ms; a body that is not complete by then is not copied. */
  readonly ms: number;
}

/**
 * The bytes of a response's body, or undefined where they cannot be had within the limits: an event stream never ends,
 * and a body that is locked or was read belongs to other code. The response keeps its body, every byte of it.
 */
export async function copyBody(response: Response, limits: CopyLimits): Promise<Uint8Array | undefined> {
  const { headers } = response;
  if (headers.get("content-type")?.toLowerCase().startsWith("text/event-stream")) return undefined;
  if (Number(headers.get("content-length") ?? 0) > limits.bytes) return undefined;
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
  { bytes, ms }: CopyLimits,
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

function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
