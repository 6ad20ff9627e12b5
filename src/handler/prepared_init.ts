/**
 * What a 304 is made of. Where a `Headers` keeps its fields to itself, as in Bun and Node, the platform's `Response` takes
 * over one that was made before in half the time that it needs for a record of strings. Where it does not, as in Deno,
 * or where a server has a class of its own in that place, the record is the short cut.
 *
 * @module
 */
import type { Entry } from "../registry/entry.ts";

/** How many are kept ready; about half a kilobyte each. */
const MOST = 4_096;

/** A `ResponseInit` for one entry alone. */
interface Prepared {
  readonly status: 304;
  /** Every `Response` copies them. */
  readonly headers: Headers;
  /** Whether it was of use since the hand last passed. */
  used: boolean;
}

/** What to make an entry's 304 of, in the way that suits the `Response` of that moment. */
export function notModifiedInits(): (entry: Entry) => ResponseInit {
  const inits = new PreparedInits();
  let known: unknown;
  let prepared = false;
  return (entry) => {
    // Servers on Node replace the class, as a rule after the handler was wrapped.
    if (known !== Response) {
      known = Response;
      prepared = takesOverHeaders();
    }
    return prepared ? inits.of(entry) : recordInit(entry);
  };
}

function takesOverHeaders(): boolean {
  const given = new Headers({ etag: '"1"' });
  const derived = Object.getPrototypeOf(Response) !== Function.prototype;
  if (derived || Reflect.ownKeys(given).length > 0) return false;
  // A class that kept them, and no copy, would show in the next answer what somebody does to this one.
  const { headers } = new Response(null, { status: 304, headers: given }) as Partial<Response>;
  headers?.set("etag", '"2"');
  return given.get("etag") === '"1"';
}

/** A new one each time: some servers read it late, or write to it. */
function recordInit({ init, etag }: Entry): ResponseInit {
  return { status: 304, headers: { ...init.headers, etag } };
}

/**
 * A clock (Corbató 1969) that admits nobody at the cost of who is still of use: a scan of entries asked for once
 * prepares nothing in vain, and pushes nothing out.
 */
export class PreparedInits {
  /** Whose they are, in the order of the hand; each at its entry, where it is found without a look-up. */
  readonly #slots: Entry[] = [];
  #hand = 0;

  /** How many are kept ready. */
  get size(): number {
    return this.#slots.filter(({ prepared }) => prepared !== undefined).length;
  }

  /** What to make this entry's 304 of. */
  of(entry: Entry): ResponseInit {
    const ready = entry.prepared as Prepared | undefined;
    if (ready === undefined) return this.#prepare(entry);
    ready.used = true;
    return ready;
  }

  #prepare(entry: Entry): ResponseInit {
    const at = this.#hand;
    this.#hand = (at + 1) % MOST;
    const previous = this.#slots[at];
    const occupant = previous?.prepared as Prepared | undefined;
    if (occupant?.used) {
      occupant.used = false;
      return recordInit(entry);
    }
    if (previous !== undefined) previous.prepared = undefined;
    this.#slots[at] = entry;
    const headers = new Headers({ ...entry.init.headers, etag: entry.etag });
    const prepared: Prepared = { status: 304, headers, used: false };
    entry.prepared = prepared;
    return prepared;
  }
}
