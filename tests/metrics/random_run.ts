/**
 * Random requests through wrapped handlers, each of whose outcomes is known beforehand, between edits, losses, resets and
 * returns of two feeds; and what they must have added to each metric. What is expected is worked out from what was asked
 * and from what a registry promises, and never from a counter of the library.
 *
 * @module
 */
import assert from "node:assert/strict";
import { dependsOn, EtagRegistry, follow, type Follower, group, withEtag } from "../../mod.ts";
import type { ChangeBatch, ResetReason } from "../../src/changes/change.ts";
import { metrics, type MetricsHandler } from "../../src/metrics/metrics.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { Random } from "../support/generate.ts";

const PAGES = 5;
const MAX_LAG = 600_000;
const SECONDS_TO_EXPIRY = 60;

/** Names of feeds, one of which needs each escape. */
export const FEEDS: readonly string[] = ["notes", 'a"quoted\\\nname'];

/** Pages that may be registered. */
const PAGE_KINDS = ["page", "plain", "lang", "timed", "audited", "mine"] as const;
type PageKind = (typeof PAGE_KINDS)[number];

/** The fields of responses that are not registered, by the reason. */
const REFUSED: Readonly<Record<string, (revision: Document) => ResponseInit>> = {
  "undeclared": () => ({}),
  "malformed": (post) => ({ headers: { ...dependsOn(post), etag: "no-quotes" } }),
  "declaration-too-large": () => ({ headers: dependsOn("x".repeat(262_145)) }),
  "not-200": (post) => ({ status: 404, headers: dependsOn(post) }),
  "private": (post) => ({ headers: { ...dependsOn(post), "cache-control": "private" } }),
  "no-store": (post) => ({ headers: { ...dependsOn(post), "cache-control": "no-store" } }),
  "set-cookie": (post) => ({ headers: { ...dependsOn(post), "set-cookie": "visits=1" } }),
  "vary-star": (post) => ({ headers: { ...dependsOn(post), vary: "*" } }),
  "nonce": (post) => ({
    headers: { ...dependsOn(post), "content-security-policy": "script-src 'nonce-abc'" },
  }),
  "group-unfollowed": () => ({ headers: dependsOn(group("followed by none", () => true)) }),
};

const RESETS: readonly ResetReason[] = ["recreated", "purged", "rolled-back", "connected"];

type Wrapped = (request: Request) => unknown;

interface Document {
  readonly _id: string;
  readonly _rev: string;
}

/** What is known to be registered. */
interface KnownEntry {
  readonly document: string;
  readonly tag: string;
  readonly length: number;
  readonly expires: number;
  isVoid: boolean;
}

/** What is known of a feed. */
interface KnownFeed {
  readonly feed: PushedFeed;
  follower: Follower;
  isLive: boolean;
  isLost: boolean;
  isClosed: boolean;
  hasBegun: boolean;
  contact: number;
}

/** What each sample of the text must be, and the site that was asked. */
export interface RandomRun {
  readonly metrics: MetricsHandler;
  readonly registry: EtagRegistry;
  /** By the sample as it is written, without its value: counters, and what is known of gauges. */
  readonly expected: ReadonlyMap<string, number>;
  readonly requests: number;
}

/** A sample as the text has it. */
function sampleOf(name: string, labels: Readonly<Record<string, string>> = {}): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
  return `stillfresh_${name}${pairs.length === 0 ? "" : `{${pairs.join()}}`}`;
}

class Site {
  readonly #random: Random;
  readonly #clock = new SettableClock();
  readonly registry = new EtagRegistry({ now: this.#clock.now, monotonic: this.#clock.monotonic });
  readonly expected = new Map<string, number>();
  readonly #revisions = new Array<number>(PAGES).fill(1);
  readonly #entries = new Map<string, KnownEntry>();
  readonly #tags = new Map<string, string>();
  readonly #feeds = new Map<string, KnownFeed>();
  readonly #times: number[] = [];
  /** ms that the next call of a handler takes. */
  #duration = 0;
  #since = 0;
  requests = 0;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  // What is asked. The wrappers share the registry.

  readonly #handle = (request: Request): unknown => {
    this.#clock.advance(this.#duration);
    this.#duration = 0;
    const [, kind = "", index = "0", what = ""] = new URL(request.url).pathname.split("/");
    const document = this.#document(Number(index));
    switch (kind) {
      case "refused":
        return new Response("content", REFUSED[what]!(document));
      case "own":
        return new Response("content", { headers: { etag: `"own-${index}"` } });
      case "racing":
        this.registry.invalidate(document._id);
        return new Response("content", { headers: dependsOn(document) });
      case "nothing":
        return undefined;
      case "throws":
        throw new Error("thrown on purpose");
      case "rejects":
        return Promise.reject(new Error("rejected on purpose"));
      case "fails":
        return new Response(null, { status: 404 });
    }
    if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 204 });
    const response = this.#pageOf(kind as PageKind, document, request);
    return this.#random.oneIn(2) ? response : Promise.resolve(response);
  };

  #pageOf(kind: PageKind, document: Document, request: Request): Response {
    const headers = new Headers({ "content-length": String(lengthOf(document)), ...dependsOn(document) });
    const control = {
      ...{
        page: "public, no-cache",
        lang: "public, no-cache",
        audited: "public, no-cache",
        plain: "no-cache",
      },
      ...{ timed: `public, max-age=${SECONDS_TO_EXPIRY}, must-revalidate`, mine: "private, no-cache" },
    }[kind];
    headers.set("cache-control", control);
    if (kind === "lang") headers.set("vary", "accept-language");
    return new Response(request.method === "HEAD" ? null : "x".repeat(lengthOf(document)), { headers });
  }

  readonly #site = withEtag(this.#handle, {
    registry: this.registry,
    requirePrecondition: true,
    key: ({ url }) => {
      if (url.includes("/key-throws/")) throw new Error("thrown on purpose");
      return url.includes("/untouched/") ? undefined : url;
    },
    current: ({ url, headers }) => {
      if (headers.has("x-throw")) throw new Error("thrown on purpose");
      return this.#document(Number(new URL(url).pathname.split("/")[2]));
    },
  });
  readonly #audited = withEtag(this.#handle, { registry: this.registry, auditRate: 1, random: () => 0 });
  readonly #mine = withEtag(this.#handle, {
    registry: this.registry,
    caller: ({ headers }) => {
      const cookie = headers.get("cookie") ?? undefined;
      if (cookie === "broken") throw new Error("thrown on purpose");
      return cookie;
    },
  });
  readonly #unknown = withEtag(this.#handle, {
    registry: this.registry,
    caller: () => Promise.reject(new Error("rejected on purpose")),
  });

  #document(index: number): Document {
    return { _id: `doc-${index}`, _rev: `${this.#revisions[index]}-abc` };
  }

  // What is expected.

  #count(name: string, labels: Readonly<Record<string, string>> = {}, by = 1): void {
    const sample = sampleOf(name, labels);
    this.expected.set(sample, (this.expected.get(sample) ?? 0) + by);
  }

  #end(outcome: string): void {
    this.requests++;
    this.#count("requests_total", { outcome });
  }

  #refuse(reason: string): void {
    this.#count("registration_refusals_total", { reason });
  }

  #leave(key: string, reason: string): void {
    if (!this.#entries.delete(key)) return;
    this.#count("departures_total", { reason });
  }

  #void(document: string): void {
    for (const entry of this.#entries.values()) if (entry.document === document) entry.isVoid = true;
  }

  #voidAll(reason: string): void {
    this.#count("incidents_total", { reason });
    this.#count("entries_voided_total", {}, this.#entries.size);
    this.#entries.clear();
  }

  /** Why no look-up answers, whatever is registered. */
  #silence(): "unfollowed" | "suspended" | undefined {
    if (this.#feeds.size === 0) return "unfollowed";
    const isLive = [...this.#feeds.values()].every(({ isLive, contact }) =>
      isLive && this.#clock.mono <= contact + MAX_LAG
    );
    return isLive ? undefined : "suspended";
  }

  /** Lets the next call of a handler take some time, which is expected in the histogram. */
  #takeTime(): void {
    this.#duration = this.#random.pick([0, 0, 0, 1, 2, 7, 30, 60, 250, 3_000, 12_000]);
    this.#times.push(this.#duration);
  }

  /** Asks for a page that may be registered. */
  async askPage(): Promise<void> {
    const random = this.#random;
    const kind = random.oneIn(3) ? random.pick(PAGE_KINDS) : "page";
    const index = random.below(PAGES);
    const document = this.#document(index);
    const path = `/${kind}/${index}`;
    const isHead = kind !== "lang" && kind !== "audited" && random.oneIn(6);
    const language = kind === "lang" ? random.pick(["en", "de"]) : "";
    const cookie = kind === "mine" ? random.pick(["ada", "bob", ""]) : random.oneIn(5) ? "visits=1" : "";
    const key = `${path} ${kind === "mine" ? cookie : ""} ${language}`;
    const tagName = `${key} ${document._rev}`;
    const tag = this.#tags.get(tagName);

    const headers = new Headers();
    if (cookie !== "") headers.set("cookie", cookie);
    if (language !== "") headers.set("accept-language", language);
    const noneMatch = random.pick(["none", "current", "current", "current", "other", "long"]);
    const isCurrent = noneMatch === "current" && tag !== undefined;
    const isLong = noneMatch === "long" && random.oneIn(10);
    if (isLong) headers.set("if-none-match", '"other", '.repeat(1_000) + '"last"');
    else if (isCurrent) headers.set("if-none-match", random.oneIn(4) ? `"other", ${tag}` : tag);
    else if (noneMatch !== "none") headers.set("if-none-match", '"other"');
    const fails = random.oneIn(12);
    if (fails) headers.set("if-match", '"other"');
    const isConditional = noneMatch !== "none" || fails;

    const reason = this.#lookUp({ isConditional, kind, path, key, cookie, isCurrent, isLong, fails });
    const wrapped: Wrapped = { audited: this.#audited, mine: this.#mine }[kind as string] ?? this.#site;
    if (reason === "hit" || reason === "precondition-failed") {
      this.#end(reason);
      if (reason === "hit" && !isHead) {
        this.#count("saved_bytes_total", { outcome: "hit" }, this.#entries.get(key)!.length);
      }
    } else {
      this.#takeTime();
    }
    const method = isHead ? "HEAD" : "GET";
    const answer = await wrapped(new Request(`http://site.example${path}`, { method, headers })) as Response;
    if (reason === "hit") return assert.equal(answer.status, 304);
    if (reason === "precondition-failed") return assert.equal(answer.status, 412);

    const refusal = kind === "mine" && cookie === ""
      ? "private"
      : kind === "plain" && cookie !== ""
      ? "not-public"
      : undefined;
    if (isLong) this.#count("incidents_total", { reason: "too-many-tags" });
    if (refusal !== undefined) this.#refuse(refusal);
    const given = answer.headers.get("etag");
    if (given !== null) {
      assert.equal(tag ?? given, given, tagName);
      this.#tags.set(tagName, given);
    }
    if (refusal === undefined && !isHead) {
      this.#leave(key, "replaced");
      this.#count("entries_added_total");
      this.#entries.set(key, {
        document: document._id,
        tag: answer.status === 412 ? tag ?? "" : given!,
        length: lengthOf(document),
        expires: kind === "timed" ? this.#clock.wall + SECONDS_TO_EXPIRY * 1_000 : Infinity,
        isVoid: false,
      });
    }
    if (fails) return this.#answered(answer, 412, "precondition-failed-late");
    if (!isCurrent || refusal !== undefined) return this.#answered(answer, 200, "handled");
    if (!isHead) this.#count("saved_bytes_total", { outcome: "not-modified" }, lengthOf(document));
    this.#answered(answer, 304, "not-modified");
  }

  #answered({ status }: Response, expected: number, outcome: string): void {
    assert.equal(status, expected);
    this.#end(outcome);
  }

  /** How a request is answered without the handler, else why it is not, counted. */
  #lookUp(asked: {
    readonly isConditional: boolean;
    readonly kind: PageKind;
    readonly path: string;
    readonly key: string;
    readonly cookie: string;
    readonly isCurrent: boolean;
    readonly isLong: boolean;
    readonly fails: boolean;
  }): string {
    const { kind, key, path } = asked;
    const bypass = (reason: string) => {
      this.#count("bypasses_total", { reason });
      return reason;
    };
    const refuse = (reason: string) => {
      this.#count("lookup_refusals_total", { reason });
      return reason;
    };
    if (!asked.isConditional) return bypass("unconditional");
    const silence = this.#silence();
    if (silence !== undefined) return refuse(silence);
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      const hasVariant = kind === "lang" &&
        [...this.#entries.keys()].some((other) => other.startsWith(`${path} `));
      return refuse(hasVariant ? "variant" : "miss");
    }
    if (entry.isVoid) {
      this.#leave(key, "outdated");
      return refuse("group-changed");
    }
    if (entry.expires <= this.#clock.wall) {
      this.#leave(key, "lapsed");
      return refuse("expired");
    }
    if (kind === "plain" && asked.cookie !== "") return refuse("credentials");
    if (asked.isLong) this.#count("incidents_total", { reason: "too-many-tags" });
    if (asked.fails) return "precondition-failed";
    if (!asked.isCurrent) return refuse("tag-differs");
    return kind === "audited" ? bypass("audit") : "hit";
  }

  /** Asks for what is never registered. */
  async askOther(): Promise<void> {
    const random = this.#random;
    const index = random.below(PAGES);
    const tag = random.oneIn(2) ? '"other"' : undefined;
    const fields: Record<string, string> = tag === undefined ? {} : { "if-none-match": tag };
    const site = (
      path: string,
      method = "GET",
      headers: Record<string, string> = {},
      wrapped: Wrapped = this.#site,
    ) => wrapped(new Request(`http://site.example${path}`, { method, headers }));
    const noEntry = () => {
      this.#takeTime();
      if (tag === undefined) return this.#count("bypasses_total", { reason: "unconditional" });
      this.#count("lookup_refusals_total", { reason: this.#silence() ?? "miss" });
    };
    switch (random.below(10)) {
      case 0: {
        const picked = random.pick(Object.keys(REFUSED));
        // So long a declaration takes longer than a hundred others.
        const reason = picked === "declaration-too-large" && !random.oneIn(5) ? "no-store" : picked;
        noEntry();
        await site(`/refused/${index}/${reason}`, "GET", fields);
        this.#refuse(reason);
        return this.#end("handled");
      }
      case 1: {
        const isOwn = random.oneIn(2);
        if (tag !== undefined && isOwn) fields["if-none-match"] = `"own-${index}"`;
        noEntry();
        const { status } = await site(`/own/${index}`, "GET", fields) as Response;
        this.#refuse("undeclared");
        assert.equal(status, tag !== undefined && isOwn ? 304 : 200);
        return this.#end(status === 304 ? "not-modified" : "handled");
      }
      case 2:
        this.#takeTime();
        this.#count("bypasses_total", { reason: "unconditional" });
        await site(`/racing/${index}`);
        this.#void(`doc-${index}`);
        this.#refuse("lease-broken");
        return this.#end("handled");
      case 3:
        noEntry();
        assert.equal(await site("/nothing/0", "GET", fields), undefined);
        return this.#end("handled");
      case 4:
        noEntry();
        await assert.rejects(async () =>
          await site(`/${random.pick(["throws", "rejects"])}/0`, "GET", fields)
        );
        return this.#end("handler-threw");
      case 5: {
        const [path, method] = random.pick([["/page/0", "OPTIONS"], ["/untouched/0", "GET"], [
          "/untouched/0",
          "QUERY",
        ]]);
        await site(path!, method!, fields);
        return this.#end("passed-on");
      }
      case 6:
        await site(`/key-throws/${index}`, "GET", fields);
        this.#count("incidents_total", { reason: "key-threw" });
        return this.#end("passed-on");
      case 7:
        await site("/mine/0", "GET", { ...fields, cookie: "broken" }, this.#mine);
        this.#count("incidents_total", { reason: "caller-threw" });
        return this.#end("passed-on");
      case 8:
        noEntry();
        await site("/own/0", "GET", fields, this.#unknown);
        this.#count("incidents_total", { reason: "caller-threw" });
        return this.#end("handled");
      default:
        this.#takeTime();
        this.#count("bypasses_total", { reason: "unconditional" });
        await site("/own/0", "QUERY");
        this.#refuse("undeclared");
        return this.#end("handled");
    }
  }

  async write(): Promise<void> {
    const random = this.#random;
    const index = random.below(PAGES);
    const send = (method: string, headers: Record<string, string>, kind = "page") =>
      this.#site(new Request(`http://site.example/${kind}/${index}`, { method, headers }));
    this.#count("bypasses_total", { reason: "unsafe-method" });
    const written = () => this.#leave(`/page/${index}  `, "deleted");
    switch (random.below(6)) {
      case 0:
        return this.#answered(await send("PUT", {}) as Response, 428, "precondition-required");
      case 1:
        return this.#answered(
          await send("PUT", { "if-match": '"other"' }) as Response,
          412,
          "precondition-failed",
        );
      case 2:
        await assert.rejects(async () => await send("PUT", { "if-match": '"other"', "x-throw": "1" }));
        return this.#end("current-threw");
      case 3:
        this.#takeTime();
        await assert.rejects(async () => await send("POST", {}, "throws"));
        return this.#end("handler-threw");
      case 4:
        this.#takeTime();
        return this.#answered(await send("DELETE", { "if-match": "*" }, "fails") as Response, 404, "handled");
      default:
        this.#takeTime();
        this.#answered(
          await send(random.pick(["PUT", "PATCH"]), { "if-match": "*" }) as Response,
          204,
          "handled",
        );
        written();
    }
  }

  // What happens in between.

  async follow(name: string): Promise<void> {
    const feed = new PushedFeed();
    const follower = this.#follow(name, feed);
    const contact = -Infinity;
    this.#feeds.set(name, {
      feed,
      follower,
      isLive: false,
      isLost: false,
      isClosed: false,
      hasBegun: false,
      contact,
    });
    await settled();
  }

  #follow(name: string, feed: PushedFeed): Follower {
    const groups = ({ id }: { readonly id: string }) => {
      if (id === "bomb") throw new Error("thrown on purpose");
      return [];
    };
    return follow(this.registry, feed, { name, groups, maxLag: MAX_LAG, onError: () => {} });
  }

  async #push(name: string, batch: Partial<ChangeBatch>): Promise<void> {
    const known = this.#feeds.get(name)!;
    const { state = "live" } = batch;
    const position = { since: ++this.#since, source: "source" };
    known.feed.reader.push({ changes: [], position, contact: this.#clock.instant, ...batch, state });
    await settled();
    const labels = { feed: name };
    const reset = batch.reset ?? (known.hasBegun ? undefined : "began");
    if (reset !== undefined) {
      this.#count("feed_resets_total", { ...labels, reason: reset });
      this.#voidAll("reset");
    }
    known.hasBegun = true;
    this.#count("feed_batches_total", labels);
    this.#count("feed_changes_total", labels, batch.changes?.length ?? 0);
    this.#count("feed_repeated_changes_total", labels, batch.repeated?.length ?? 0);
    known.contact = this.#clock.mono;
    known.isLive = state === "live";
    if (state === "lost" && !known.isLost) {
      this.#count("feed_losses_total", labels);
      known.isLost = true;
    } else if (known.isLive && known.isLost) {
      this.#count("feed_recoveries_total", labels);
      known.isLost = false;
    }
  }

  /** One event: of time, of a feed, or of the program. */
  async happen(): Promise<void> {
    const random = this.#random;
    const [name, known] = random.pick([...this.#feeds]) ?? [];
    if (name === undefined || known === undefined) return;
    if (known.isClosed) {
      known.follower = this.#follow(name, known.feed);
      await settled();
      known.isClosed = known.isLost = false;
      return;
    }
    const state = random.pick(
      ["live", "live", "live", "live", "live", "live", "live", "catching-up", "lost"] as const,
    );
    if (!known.isLive && random.oneIn(2)) return await this.#push(name, {});
    switch (random.below(22)) {
      case 0:
        return await this.#push(name, { reset: random.pick(RESETS), state });
      case 1:
        return await this.#push(name, { state: "lost" });
      case 2: {
        await this.#push(name, { changes: [{ id: "bomb" }], state });
        this.#count("feed_resets_total", { feed: name, reason: "groups-threw" });
        return this.#voidAll("groups-threw");
      }
      case 3:
        await known.follower.close();
        known.isClosed = true;
        known.isLive = false;
        return;
      case 4:
        this.#clock.advance(random.pick([SECONDS_TO_EXPIRY * 1_000, MAX_LAG + 1]));
        return;
      case 5:
        this.registry.clear();
        return this.#voidAll("cleared");
      case 6: {
        const document = this.#document(random.below(PAGES));
        return await this.#push(name, { repeated: [{ id: document._id, rev: document._rev }], state });
      }
      case 7:
      case 8:
      case 9: {
        // Each document is reported by one feed: two are not known to agree on the order.
        const reporter = FEEDS[0]!;
        if (this.#feeds.get(reporter)!.isClosed) return;
        const indexes = [...new Set([random.below(PAGES), random.below(PAGES)])];
        for (const index of indexes) this.#revisions[index]!++;
        const changes = indexes.map((index) => this.#document(index)).map(({ _id, _rev }) => ({
          id: _id,
          rev: _rev,
        }));
        await this.#push(reporter, { changes, state });
        for (const { id } of changes) this.#void(id);
        return;
      }
      default:
        return await this.#push(name, { state: "live" });
    }
  }

  /** What the gauges and the histogram must show now. */
  expectState(): void {
    const { expected } = this;
    expected.set(sampleOf("entries"), this.#entries.size);
    expected.set(sampleOf("live"), this.#silence() === undefined ? 1 : 0);
    expected.set(sampleOf("handlers_running"), 0);
    for (const [feed, { isLive, isClosed, contact }] of this.#feeds) {
      expected.set(sampleOf("feed_live", { feed }), Number(isLive));
      expected.set(sampleOf("feed_followed", { feed }), Number(!isClosed));
      expected.set(sampleOf("feed_lag_seconds", { feed }), (this.#clock.mono - contact) / 1_000);
    }
    for (
      const le of [
        "0.001",
        "0.0025",
        "0.005",
        "0.01",
        "0.025",
        "0.05",
        "0.1",
        "0.25",
        "0.5",
        "1.0",
        "2.5",
        "5.0",
        "10.0",
      ]
    ) {
      const within = this.#times.filter((ms) => ms <= Number(le) * 1_000).length;
      expected.set(sampleOf("handler_seconds_bucket", { le }), within);
    }
    expected.set(sampleOf("handler_seconds_bucket", { le: "+Inf" }), this.#times.length);
    expected.set(sampleOf("handler_seconds_count"), this.#times.length);
    expected.set(sampleOf("handler_seconds_sum"), this.#times.reduce((sum, ms) => sum + ms, 0) / 1_000);
  }

  async close(): Promise<void> {
    for (const { follower } of this.#feeds.values()) await follower.close();
  }
}

function lengthOf({ _id }: Document): number {
  return 100 + Number(_id.slice(4));
}

/**
 * Asks so many requests.
 *
 * @param look Called in the end, while the feeds are followed.
 */
export async function randomRun(
  seed: number,
  requests: number,
  look: (run: RandomRun) => void | Promise<void>,
): Promise<void> {
  const { warn } = console;
  console.warn = () => {};
  const site = new Site(seed);
  const random = new Random(seed + 1);
  const scrape = metrics({ registry: site.registry });
  try {
    while (site.requests < requests) {
      if (site.requests === Math.floor(requests / 50)) await site.follow(FEEDS[0]!);
      if (site.requests === Math.floor(requests / 10)) await site.follow(FEEDS[1]!);
      if (random.oneIn(25)) await site.happen();
      const kind = random.below(20);
      if (kind < 16) await site.askPage();
      else if (kind < 19) await site.askOther();
      else await site.write();
    }
    site.expectState();
    await look({
      metrics: scrape,
      registry: site.registry,
      expected: site.expected,
      requests: site.requests,
    });
  } finally {
    console.warn = warn;
    await site.close();
  }
}
