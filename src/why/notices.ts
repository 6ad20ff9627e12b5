/**
 * Notices for the developer of a site: what keeps its pages from being answered from the registry, once for each cause.
 *
 * @module
 */
import { coreOf } from "../registry/core.ts";
import {
  type LookupRefusal,
  type Outcome,
  reasonFamilies,
  type RegistrationRefusal,
} from "../registry/reason.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { causes } from "./causes.ts";

/** What keeps the pages of a part of the site from being answered from the registry. */
export interface Notice {
  /** The part: the first segment of the paths, such as `/posts`. */
  readonly part: string;
  /** Why its requests were not answered from the registry, or its responses not registered. */
  readonly reason: LookupRefusal | RegistrationRefusal;
  /** A sentence, with what to change. */
  readonly text: string;
}

/** How often in a row one cause has to show before it is told. */
const LONG_ROW = 5;

/** Parts of the site that are told apart; what comes later counts as one. */
const MOST_PARTS = 100;

/** Refusals that a site has all the time, without a mistake. */
const USUAL: ReadonlySet<Outcome | LookupRefusal | RegistrationRefusal> = new Set([
  "miss",
  "tag-differs",
  "group-changed",
  "not-200",
  "too-large",
]);

/**
 * Tells what keeps pages from being answered without the handler: a cause that shows five times in a row in one part of
 * the site, once for each cause and part. For development: it looks at every request.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, withEtag } from "@stillfresh/etag";
 * import { notices } from "@stillfresh/etag/why";
 *
 * const registry = new EtagRegistry({ manual: true });
 * const told: string[] = [];
 * const stop = notices(registry, ({ text }) => told.push(text));
 *
 * const handler = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry });
 * for (let visit = 0; visit < 10; visit++) {
 *   await handler(new Request("http://localhost/posts/1", { headers: { cookie: "visits=1" } }));
 * }
 * assert.equal(told.length, 1);
 * assert.match(told[0]!, /^The last 5 responses under \/posts were not registered: the request carries Cookie/);
 * stop();
 * ```
 *
 * @param registry Of the wrapped handlers.
 * @param tell Is given each notice; default: `console.warn` is given its text.
 * @returns Ends it.
 */
export function notices(
  registry: EtagRegistry,
  tell: (notice: Notice) => void = ({ text }) => console.warn(`Stillfresh: ${text}`),
): () => void {
  const parts = new Map<string, Part>();
  return coreOf(registry).observers.add((decision) => {
    const name = partOf(decision.request.url);
    const isKnown = parts.has(name) || parts.size < MOST_PARTS;
    const part = isKnown ? name : "other paths";
    let rows = parts.get(part);
    if (rows === undefined) parts.set(part, rows = { lookups: new Row(), registrations: new Row() });
    const { reason, refusal, stored } = decision;
    if (reasonFamilies[reason] === "lookup" && rows.lookups.note(reason)) {
      tell(noticeOf(part, reason as LookupRefusal, "requests", "answered from the registry"));
    } else if (reason === "hit") {
      rows.lookups.end();
    }
    if (refusal !== undefined && rows.registrations.note(refusal)) {
      tell(noticeOf(part, refusal, "responses", "registered"));
    } else if (stored) {
      rows.registrations.end();
    }
  });
}

/** What is known of a part of the site. */
interface Part {
  readonly lookups: Row;
  readonly registrations: Row;
}

/** One cause, and how often it has shown without a break. */
class Row {
  #reason: string | undefined;
  #length = 0;
  readonly #told: Set<string> = new Set();

  /** Notes a cause, and says whether it is to be told now. */
  note(reason: Outcome | LookupRefusal | RegistrationRefusal): boolean {
    if (USUAL.has(reason)) return false;
    this.#length = reason === this.#reason ? this.#length + 1 : 1;
    this.#reason = reason;
    if (this.#length < LONG_ROW || this.#told.has(reason)) return false;
    this.#told.add(reason);
    return true;
  }

  end(): void {
    this.#length = 0;
  }
}

function noticeOf(
  part: string,
  reason: LookupRefusal | RegistrationRefusal,
  what: string,
  missed: string,
): Notice {
  const { meaning, cure } = causes[reason];
  const text =
    `The last ${LONG_ROW} ${what} under ${part} were not ${missed}: ${meaning} (${reason}). ${cure}`;
  return { part, reason, text };
}

/** The first segment of the path: what is behind it may be as many names as there are pages. */
function partOf(url: string): string {
  return /^[^/]*\/\/[^/?#]*(\/[^/?#]*)/.exec(url)?.[1] ?? "/";
}
