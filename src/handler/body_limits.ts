/**
 * How much of a body is read at most, to be compared or hashed, and which bodies are not read at all.
 *
 * @module
 */

/** What is read of a body at most. */
export interface BodyLimits {
  /** Bytes; a longer body is left alone. */
  readonly bytes: number;
  /** ms; a body that is not complete by then is left alone. */
  readonly ms: number;
}

/** 8 MiB and 2 s. */
export const BODY_LIMITS: BodyLimits = { bytes: 8_388_608, ms: 2_000 };

/** Media types of bodies that never end: events (HTML §9.2), and images that replace each other. */
const ENDLESS = ["text/event-stream", "multipart/x-mixed-replace"] as const;

/** Whether a body may end within the limits. One that is locked or was read belongs to other code. */
export function mayBeRead(
  { headers, body, bodyUsed }: Response,
  { bytes }: BodyLimits = BODY_LIMITS,
): boolean {
  const type = headers.get("content-type")?.toLowerCase() ?? "";
  if (ENDLESS.some((endless) => type.startsWith(endless))) return false;
  return !(Number(headers.get("content-length") ?? 0) > bytes) && !bodyUsed && body?.locked !== true;
}

/** Chunks as one piece. @param length Bytes of all. */
export function concatenated(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}
