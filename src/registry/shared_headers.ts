/**
 * The headers that 304s repeat, one object for all entries whose headers are equal: most pages of a site send the same
 * `Cache-Control` and `Vary`, so that an entry needs a reference instead of a record.
 *
 * @module
 */
import { copied, textBytes } from "./kept_text.ts";
import { HEADERS_BYTES, READY_HEADERS_BYTES } from "./memory_cost.ts";
import { SeededMap } from "./seeded_map.ts";

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
  /** The same fields as `Headers`, where {@linkcode SharedHeaders.prepare} has made them; a Response copies them. */
  ready: Headers | undefined;
  /** Tells it from all others. */
  readonly signature: string;
  /** How many entries refer to it. */
  uses: number;
}

/** Estimated bytes of headers that no other entry shares: the fields are held by name and in the signature. */
export function retainedBytes({ signature, ready }: RetainedHeaders): number {
  const bytes = HEADERS_BYTES + 2 * textBytes(signature);
  return ready === undefined ? bytes : bytes + readyBytes(signature);
}

/** Estimated bytes of the same as `Headers`: names that are common are held as numbers. */
function readyBytes(signature: string): number {
  return READY_HEADERS_BYTES + signature.length / 2;
}

/** Hands out one object for equal headers, and forgets it with its last use. */
export class SharedHeaders {
  readonly #bySignature = new SeededMap<RetainedHeaders>();
  #bytes = 0;

  /** How many distinct sets of headers are in use. */
  get size(): number {
    return this.#bySignature.size;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes + this.#bySignature.bytes;
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
      signature = copied(signature);
      headers = { fields: { ...fields }, isPublic, anyOrigin, minted, ready: undefined, signature, uses: 0 };
      this.#bySignature.set(signature, headers);
      this.#bytes += retainedBytes(headers);
    }
    headers.uses++;
    return headers;
  }

  /** The `Headers` of these headers, which are kept from now on. */
  prepare(headers: RetainedHeaders): Headers {
    // An entry that has left since it was looked up has nothing kept for it.
    if (headers.uses === 0) return new Headers(headers.fields);
    if (headers.ready === undefined) {
      headers.ready = new Headers(headers.fields);
      this.#bytes += readyBytes(headers.signature);
    }
    return headers.ready;
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
