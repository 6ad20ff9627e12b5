/**
 * The fields without which a browser hides an answer from a script of another origin (Fetch, "CORS check"), for answers
 * that are made before the handler runs: as the handler gave them last to the same origin, for the same resource.
 *
 * @module
 */
import { CROSS_ORIGIN, pickFields } from "./responses.ts";

/** How many pairs of resource and origin are remembered. */
const MOST_KNOWN = 1_000;
/** A longer key or origin is not remembered. */
const LONGEST = 1_000;

/** What resources are known to send to origins. */
export class CrossOriginFields {
  /** The oldest first. */
  readonly #known: Map<string, Readonly<Record<string, string>>> = new Map();

  /** Notes what a response of the handler has, for a request of that origin. */
  note(key: string | undefined, origin: string | null, { status, headers }: Response): void {
    if (origin === null || key === undefined || key.length > LONGEST || origin.length > LONGEST) return;
    const name = `${origin} ${key}`;
    const allows = headers.has("access-control-allow-origin");
    // An error that is made elsewhere may lack the fields, and says nothing of the resource.
    if (allows || (status >= 200 && status < 300)) this.#known.delete(name);
    if (!allows) return;
    this.#known.set(name, pickFields(headers, CROSS_ORIGIN));
    if (this.#known.size > MOST_KNOWN) this.#known.delete(this.#known.keys().next().value!);
  }

  /** The fields for a request; undefined where they are not known. */
  fieldsFor(key: string, headers: Headers): Readonly<Record<string, string>> | undefined {
    return this.#known.get(`${headers.get("origin")} ${key}`);
  }
}
