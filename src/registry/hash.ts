/**
 * Hashes of names and revisions, with a seed: texts that were made to collide would make each search a long one.
 *
 * @module
 */

/** 64 bits of a text. */
export interface Hash {
  readonly low: number;
  readonly high: number;
}

/** A hash function of texts. */
export type HashFunction = (text: string) => Hash;

/**
 * A hash function.
 *
 * @param seed Two numbers of 32 bits; default: random ones, drawn with the first text. A registry is made while modules
 * are loaded, and an edge refuses randomness then.
 */
export function seededHash(seed?: ArrayLike<number>): HashFunction {
  return (text) => {
    seed ??= crypto.getRandomValues(new Int32Array(2));
    let low = seed[0]!;
    let high = seed[1]!;
    for (let at = 0; at < text.length; at++) {
      const unit = text.charCodeAt(at);
      low = Math.imul(low ^ unit, 0x9e3779b1);
      high = Math.imul(high ^ unit ^ (low >>> 15), 0x85ebca6b);
    }
    // Differences in the last characters have not reached the low bits yet.
    low = Math.imul(low ^ (high >>> 16), 0xc2b2ae35);
    high = Math.imul(high ^ (low >>> 13), 0x27d4eb2f);
    return { low: low ^ (high >>> 16), high };
  };
}

/** 48 bits of a hash as one number, not negative. Two revisions of one document have the same by a chance of 1 in 10^14. */
export function fingerprint({ low, high }: Hash): number {
  return (high >>> 0) * 65_536 + (low >>> 16);
}
