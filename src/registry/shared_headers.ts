/**
 * The fields that a 304 replays, one object for all entries whose fields are equal: most pages of a site send the
 * same `Cache-Control` and `Vary`, so an entry needs a reference instead of a record.
 *
 * @module
 */

/** A `ResponseInit` for a 304 that lacks only the `etag`. Shared, and read late by some servers: never to be written to. */
export interface NotModifiedInit {
  /** Not Modified. */
  readonly status: 304;
  /** The replayed fields by lower-case name. */
  readonly headers: { readonly [name: string]: string };
}

/** A {@linkcode NotModifiedInit} as it is kept, with what else such entries have in common. */
export interface CommonInit extends NotModifiedInit {
  /** Whether the responses said `Cache-Control: public`. */
  readonly isPublic: boolean;
  /** Whether their tags are random: then each means one registration only. */
  readonly minted: boolean;
  readonly signature: string;
  uses: number;
}

/** Estimated bytes of an init beside its fields, which it holds by name and in its signature. */
const INIT_BYTES = 160;

/** Estimated bytes of an init that no other entry shares. */
export function initBytes(init: CommonInit): number {
  return INIT_BYTES + 2 * init.signature.length;
}

/** Hands out one {@linkcode NotModifiedInit} for equal fields, and forgets it with its last use. */
export class SharedHeaders {
  readonly #bySignature = new Map<string, CommonInit>();
  #bytes = 0;

  /** How many distinct sets of fields are in use. */
  get size(): number {
    return this.#bySignature.size;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one object for these fields; give it back with {@linkcode SharedHeaders.release}. */
  acquire(fields: Readonly<Record<string, string>>, isPublic: boolean, minted: boolean): CommonInit {
    // A field value holds neither line feed nor NUL, so the signature tells all fields apart.
    let signature = `${isPublic ? "public" : ""}\n${minted ? "minted" : ""}\n`;
    for (const name in fields) signature += `${name}\n${fields[name]}\n`;
    let init = this.#bySignature.get(signature);
    if (init === undefined) {
      init = { status: 304, headers: { ...fields }, isPublic, minted, signature, uses: 0 };
      this.#bySignature.set(signature, init);
      this.#bytes += initBytes(init);
    }
    init.uses++;
    return init;
  }

  /** Gives one use back. */
  release(init: CommonInit): void {
    if (--init.uses > 0) return;
    this.#bySignature.delete(init.signature);
    this.#bytes -= initBytes(init);
  }

  /** Forgets all. */
  clear(): void {
    this.#bySignature.clear();
    this.#bytes = 0;
  }
}
