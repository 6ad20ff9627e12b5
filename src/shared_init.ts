/**
 * The fields that a 304 replays, one object for all entries whose fields are equal: most pages of a site send the
 * same `Cache-Control` and `Vary`, so an entry needs a reference instead of a record.
 *
 * @module
 */

/** A `ResponseInit` for a 304 that lacks only the `etag`. Shared, and read late by some servers: never to be written to. */
export interface SharedInit {
  /** Not Modified. */
  readonly status: 304;
  /** The replayed fields by lower-case name. */
  readonly headers: { readonly [name: string]: string };
}

interface Counted extends SharedInit {
  readonly signature: string;
  uses: number;
}

/** Estimated bytes of an init beside its fields, which it holds by name and in its signature. */
const INIT_BYTES = 160;

/** Estimated bytes of an init that no other entry shares. */
export function initBytes(init: SharedInit): number {
  return INIT_BYTES + 2 * (init as Counted).signature.length;
}

/** Hands out one {@linkcode SharedInit} for equal fields, and forgets it with its last use. */
export class SharedInits {
  readonly #bySignature = new Map<string, Counted>();
  #bytes = 0;

  /** How many distinct sets of fields are in use. */
  get size(): number {
    return this.#bySignature.size;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one object for these fields; give it back with {@linkcode SharedInits.release}. */
  acquire(fields: Readonly<Record<string, string>>): SharedInit {
    // A field value holds neither line feed nor NUL, so the signature tells all fields apart.
    let signature = "";
    for (const name in fields) signature += `${name}\n${fields[name]}\n`;
    let init = this.#bySignature.get(signature);
    if (init === undefined) {
      init = { status: 304, headers: { ...fields }, signature, uses: 0 };
      this.#bySignature.set(signature, init);
      this.#bytes += initBytes(init);
    }
    init.uses++;
    return init;
  }

  /** Gives one use back. */
  release(init: SharedInit): void {
    const counted = init as Counted;
    if (--counted.uses > 0) return;
    this.#bySignature.delete(counted.signature);
    this.#bytes -= initBytes(init);
  }

  /** Forgets all. */
  clear(): void {
    this.#bySignature.clear();
    this.#bytes = 0;
  }
}
