/**
 * The whole wrapper against the oracle: one resource, one history, one request, one answer. A case is plain data, so
 * that one which was found can be kept.
 *
 * @module
 */
import { dependsOn, EtagRegistry, withEtag, type WithEtagOptions } from "../../mod.ts";
import { expectation, type Seen } from "./expectation.ts";
import { coreOf } from "../../src/registry/core.ts";

/** What the handler answers. */
export interface Page {
  readonly status: number;
  readonly etag?: string;
  readonly lastModified?: string;
  readonly cacheControl?: string;
  readonly vary?: string;
  readonly cookie?: boolean;
  /** One document at a revision, a name without one, what cannot be read, or nothing. */
  readonly declares: "revision" | "name" | "malformed" | "nothing";
}

/** What happened before the request. */
export type History =
  /** Nobody has asked yet. */
  | "none"
  /** A GET was answered, and may have been registered. */
  | "primed"
  /** The same, and then its group was invalidated, though the handler answers as before. */
  | "invalidated"
  /** The same, and then the feed reported a new revision, which the handler serves. */
  | "edited"
  /** The same, and then contact was lost. */
  | "suspended";

/** One case. `$` in a field value stands for the opaque part of the tag that the first answer had. */
export interface WrapperCase {
  readonly page: Page;
  readonly history: History;
  readonly method: string;
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** What `current` says of it, where the method is unsafe: the page's validators, the document, null, or nothing. */
  readonly current: "page" | "document" | "null" | "undefined";
}

/** Milliseconds; the clock is the world's own. */
const MAX_LAG = 25_000;
const START = Date.UTC(2026, 10, 22);

/** The page after an edit: its own validators, where it has any, are others. */
export function edited(page: Page): Page {
  return {
    ...page,
    ...(page.etag === undefined ? {} : { etag: '"edited"' }),
    ...(page.lastModified === undefined ? {} : { lastModified: "Wed, 04 Mar 2015 05:06:07 GMT" }),
  };
}

const NO_BODY = new Set([101, 204, 205, 304]);

/** A registry that thousands of cases share, each with a resource of its own, and the feed that it follows. */
export class World {
  #time = START;
  #case = 0;
  #runs = 0;
  #page: Page = { status: 200, declares: "nothing" };
  #rev = 1;
  #says: WrapperCase["current"] = "undefined";
  readonly #registry: EtagRegistry = new EtagRegistry({
    maxEntries: 300,
    now: () => this.#time,
    monotonic: () => this.#time - START,
  });
  readonly #subscription = coreOf(this.#registry).subscribe("world", MAX_LAG, 0);
  readonly #handler: (request: Request) => Response | Promise<Response>;

  constructor() {
    const options: WithEtagOptions = {
      registry: this.#registry,
      version: "fuzz",
      current: () => this.#current(),
    };
    this.#handler = withEtag(() => this.#answer(), options);
    this.#contact();
  }

  #contact(...changed: readonly string[]): void {
    this.#subscription.apply({
      changes: changed.map((id) => ({ id, rev: `${this.#rev}-x` })),
      position: { since: this.#case, source: "fuzz" },
      state: "live",
      contact: { wall: this.#time, monotonic: this.#time - START },
    }, () => []);
  }

  #answer(): Response {
    this.#runs++;
    const { status, etag, lastModified, cacheControl, vary, cookie, declares } = this.#page;
    const headers: Record<string, string> = { "content-type": "text/plain", "x-run": "1" };
    if (etag !== undefined) headers["etag"] = etag;
    if (lastModified !== undefined) headers["last-modified"] = lastModified;
    if (cacheControl !== undefined) headers["cache-control"] = cacheControl;
    if (vary !== undefined) headers["vary"] = vary;
    if (cookie) headers["set-cookie"] = "a=1";
    const id = `doc-${this.#case}`;
    if (declares === "malformed") {
      for (const [field, value] of Object.entries(dependsOn(id))) headers[field] = `${value} %`;
    }
    if (declares === "name") Object.assign(headers, dependsOn(id));
    if (declares === "revision") Object.assign(headers, dependsOn({ _id: id, _rev: `${this.#rev}-x` }));
    return new Response(NO_BODY.has(status) ? null : "page", { status, headers });
  }

  #current(): ReturnType<NonNullable<WithEtagOptions["current"]>> {
    switch (this.#says) {
      case "page":
        return { etag: this.#page.etag, lastModified: this.#page.lastModified };
      case "document":
        return { _id: `doc-${this.#case}`, _rev: `${this.#rev}-x` };
      case "null":
        return null;
      case "undefined":
        return undefined;
    }
  }

  /** Plays a case, and says what was seen. */
  async play(played: WrapperCase): Promise<Seen> {
    const url = `http://localhost/${++this.#case}`;
    const id = `doc-${this.#case}`;
    this.#rev = 1;
    this.#page = played.page;
    this.#says = played.current;
    let learned: string | undefined;
    if (played.history !== "none") {
      learned = (await this.#handler(new Request(url))).headers.get("etag") ?? undefined;
    }
    if (played.history === "invalidated") this.#registry.invalidate(id);
    if (played.history === "edited") {
      this.#rev = 2;
      this.#page = edited(played.page);
      this.#contact(id);
    }
    if (played.history === "suspended") this.#time += MAX_LAG + 1;
    this.#runs = 0;
    const response = await this.#handler(requestOf(url, played, learned));
    const seen = { response, learned, runs: this.#runs };
    if (played.history === "suspended") this.#contact();
    return seen;
  }
}

function requestOf(url: string, { method, fields }: WrapperCase, learned: string | undefined): Request {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value.replaceAll("$", opaqueOf(learned)));
  return new Request(url, { method, headers });
}

/** What `$` stands for. */
export function opaqueOf(learned: string | undefined): string {
  return learned?.slice(learned.indexOf('"') + 1, -1) ?? "unknown";
}

/** Why a case is a finding; undefined where the answer is one that the oracle expects. */
export async function finding(world: World, played: WrapperCase): Promise<string | undefined> {
  let seen: Seen;
  try {
    seen = await world.play(played);
  } catch (error) {
    return `threw ${error}`;
  }
  return expectation(played, seen);
}
