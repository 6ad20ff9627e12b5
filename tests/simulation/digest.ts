/**
 * `crypto.subtle.digest` on another thread answers when it likes. In a simulated process it answers at once, so that the
 * same seed is the same run; what it says is the same.
 *
 * @module
 */
import { sha256 } from "../../src/http/sha256.ts";

const { subtle } = crypto;
const platform = subtle.digest.bind(subtle);

function digest(algorithm: AlgorithmIdentifier, data: BufferSource): Promise<ArrayBuffer> {
  const bytes = ArrayBuffer.isView(data) ? data : new Uint8Array(data);
  // Of simulated bodies only, which are ASCII: ours takes text.
  const text = new TextDecoder().decode(bytes);
  if (algorithm !== "SHA-256" || text.length !== bytes.byteLength) return platform(algorithm, data);
  return Promise.resolve(sha256(text).buffer as ArrayBuffer);
}

/** Once for all runs: whoever else asks gets the same answers, only sooner. */
export function digestAtOnce(): void {
  if (subtle.digest !== digest) Object.defineProperty(subtle, "digest", { value: digest });
}
