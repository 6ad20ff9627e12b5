/**
 * The headers that 304s repeat, one object for all entries whose headers are equal: most pages of a site send the same
 * `Cache-Control` and `Vary`, so that an entry needs a reference instead of a record.
 *
 * @module
 */

/** What the responses of some entries have in common. */
export interface RetainedHeaders {
  /** The headers that a 304 repeats, by lower-case name. Shared: never to be written to. */
  readonly fields: { readonly [name: string]: string };
  /** Whether the responses said `Cache-Control: public`. */
  readonly isPublic: boolean;
  /** Whether the responses are for requests with any Origin, or selected by it. */
  readonly anyOrigin: boolean;
  /** Whether their tags are random: then each means one registration only. */
  readonly minted: boolean;
  /** The same fields as `Headers`, made when first needed where that is cheaper; a Response copies them. */
  ready: Headers | undefined;
  /** Tells it from all others. */
  readonly signature: string;
  /** How many entries refer to it. */
  uses: number;
}

/** Estimated bytes beside the fields, which are held by name, in the signature and in `ready`. */
const RECORD_BYTES = 320;

/** Estimated bytes of headers that no other entry shares. */
export function retainedBytes({ signature }: RetainedHeaders): number {
  return RECORD_BYTES + 3 * signature.length;
}

/** Hands out one object for equal headers, and forgets it with its last use. */
export class SharedHeaders {
  readonly #bySignature = new Map<string, RetainedHeaders>();
  #bytes = 0;

  /** How many distinct sets of headers are in use. */
  get size(): number {
    return this.#bySignature.size;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The one object for these headers, with one use more; give it back with {@linkcode SharedHeaders.release}. */
  acquire(
    fields: Readonly<Record<string, string>>,
    { isPublic, anyOrigin }: { readonly isPublic: boolean; readonly anyOrigin: boolean },
    minted: boolean,
  ): RetainedHeaders {
    // A field value holds neither line feed nor NUL, so no two sets have one signature.
    let signature = `${isPublic ? "public" : ""}\n${anyOrigin ? "any" : ""}\n${minted ? "minted" : ""}\n`;
    for (const name in fields) signature += `${name}\n${fields[name]}\n`;
    let headers = this.#bySignature.get(signature);
    if (headers === undefined) {
      headers = { fields: { ...fields }, isPublic, anyOrigin, minted, ready: undefined, signature, uses: 0 };
      this.#bySignature.set(signature, headers);
      this.#bytes += retainedBytes(headers);
    }
    headers.uses++;
    return headers;
  }

  /** Gives one use back. */
  release(headers: RetainedHeaders): void {
    if (--headers.uses > 0) return;
    this.#bySignature.delete(headers.signature);
    this.#bytes -= retainedBytes(headers);
  }

  /** Forgets all. */
  clear(): void {
    this.#bySignature.clear();
    this.#bytes = 0;
  }
}
