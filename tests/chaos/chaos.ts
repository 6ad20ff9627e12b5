/**
 * The demo under load, its follower behind a proxy that spoils what the database says, while the documents change:
 * each answer of the registry is compared with what the database held.
 *
 * Handlers read the database directly, so what they answer is fresh; only the news of changes suffers.
 */
import { couchSource } from "../../examples/blog/couch_source.ts";
import { sampleAuthors, samplePosts } from "../../examples/blog/sample.ts";
import { seed as fill } from "../../examples/blog/seed.ts";
import { createSite, type Site } from "../../examples/blog/site.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { systemSleep } from "../../src/changes/timing.ts";
import type { Target, TestDatabase } from "../examples/database_support.ts";
import { Random } from "../simulation/random.ts";
import { ChaosProxy, type Fault, faultNames, slowFaults } from "../support/chaos_proxy.ts";
import { Ledger } from "./ledger.ts";
import { emptyTally, Readers, type Tally } from "./readers.ts";
import { Writers } from "./writers.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";

/** How long it goes on. */
export interface Plan {
  readonly seed: number;
  /** Requests at a time, and how many there are for each write. */
  readonly clients: number;
  readonly readsPerWrite: number;
  /** Requests, without faults, in which the hit rate is taken, before and after. */
  readonly calm: number;
  /** Longest time that a fault holds after it has done something, and that passes before the next; ms. */
  readonly span: number;
  /** Goes on until all of these are reached. */
  readonly seconds: number;
  readonly conditional: number;
  /** Times that each fault does something. */
  readonly each: number;
  /** What becomes of the feed, for controls. */
  readonly bend?: (feed: ChangesFeed) => ChangesFeed;
  /** Told of each fault that is over. */
  readonly onProgress?: (tally: Tally, faults: Readonly<Record<Fault, number>>) => void;
}

/** What came of it. */
export interface Outcome {
  readonly tally: Tally;
  /** Share of the current copies asked for that the registry confirmed. */
  readonly before: number;
  readonly after: number;
  /** The same between the first fault and the last, outside of the registry's outages. */
  readonly within: number;
  /** How often each fault did something while it was in force. */
  readonly faults: Readonly<Record<Fault, number>>;
  readonly seconds: number;
  /** Requests while the registry was suspended. */
  readonly suspended: number;
  /** Writes of a client without rights. */
  readonly floods: number;
  /** Answers about the database with another number of purges than the one before. */
  readonly disagreements: number;
}

const posts = 60;
const authors = 12;
/** ms; small, so that each fault is felt. */
const maxLag = 2_000;
const heartbeat = 200;
/** Watchdogs and back-off go as much faster. */
const pace = 10;
/** Of these, how many ask while every answer takes a handler: clients that wait ask less. */
const suspendedShare = 1 / 8;
/** After how many rounds a stranger posts to a page. */
const flood = 5;
/** ms between two rounds of requests. */
const pause = 10;
/** ms between two of the faults that a feed waits out for a minute or more: CouchDB locks out after five 401s in five minutes. */
const betweenSlow = 90_000;
/** Seconds that a run has to take for those to be among its faults. */
const slowFrom = 300;
/** ms that a fault may take to do something: a probe comes twice as often as `maxLag` passes. */
const patience = 5_000;

/** Runs it. */
export async function chaos(target: Target, plan: Plan): Promise<Outcome> {
  const database = await target.open();
  if (database.url.protocol !== "http:") {
    throw new TypeError("the proxy speaks plain HTTP: COUCHDB_URL is https:");
  }
  const proxy = await ChaosProxy.start(database.url, plan.seed);
  try {
    await fill(database.url, { posts, authors });
    const feed = changes(proxy.through(database.url), {
      heartbeat,
      sleep: (ms, signal) => systemSleep(ms / pace, signal),
    });
    const { bend = (feed) => feed } = plan;
    // The proxy says that there are three copies; the handlers read the database itself, which keeps one.
    const site = createSite({
      store: couchSource(database.url).store,
      feed: bend(feed),
      maxLag,
      replicaLag: 0,
    });
    try {
      await site.follower.ready;
      return await new Run(plan, site, proxy, await ledgerOf(database), database).whole();
    } finally {
      await site.close();
    }
  } finally {
    await proxy.close();
    await database.close();
  }
}

async function ledgerOf(database: TestDatabase): Promise<Ledger> {
  const { rows } = await (await database.ask("/_all_docs")).json() as {
    readonly rows: readonly { readonly id: string; readonly value: { readonly rev: string } }[];
  };
  const ledger = new Ledger();
  for (const { id, value } of rows) ledger.found(id, value.rev);
  return ledger;
}

class Run {
  readonly #plan: Plan;
  readonly #site: Site;
  readonly #proxy: ChaosProxy;
  readonly #random: Random;
  readonly #readers: Readers;
  readonly #writers: Writers;
  readonly #faults: Record<Fault, number>;
  readonly #paths: readonly string[];
  readonly #total: Tally = emptyTally();
  #rounds = 0;
  #slowAt = -Infinity;
  #floods = 0;
  #writes: Promise<void>[] = [];

  constructor(plan: Plan, site: Site, proxy: ChaosProxy, ledger: Ledger, database: TestDatabase) {
    this.#plan = plan;
    this.#site = site;
    this.#proxy = proxy;
    const random = this.#random = new Random(plan.seed);
    const documents = [...samplePosts(posts, authors), ...sampleAuthors(authors)];
    this.#writers = new Writers(database, site.fetch, ledger, new Random(random.seed()), documents);
    const ids = documents.map(({ _id }) => _id).filter((id) => id.startsWith("post-")).toReversed();
    const lists = ["/", `/?from=${ids[20]}`];
    const paths = [
      ...lists,
      "/posts/post-2026-11-21-late",
      ...ids.flatMap((id) => [`/posts/${id}`, `/api/posts/${id}`]),
    ];
    this.#paths = paths;
    const asked = {
      fetch: site.fetch,
      lag: () => site.follower.lag,
      maxLag,
      registry: site.registry,
      authorOf: (post: string) => this.#writers.authorOf(post),
    };
    this.#readers = new Readers(asked, ledger, new Random(random.seed()), paths);
    this.#faults = Object.fromEntries(faultNames.map((fault) => [fault, 0])) as Record<Fault, number>;
  }

  async whole(): Promise<Outcome> {
    const start = performance.now();
    await this.#requests(this.#plan.calm);
    const before = await this.#calm();
    const calm = { ...this.#sum() };
    this.#plan.onProgress?.(calm, this.#faults);
    const seconds = () => (performance.now() - start) / 1_000;
    while (!this.#enough(seconds())) {
      for (const fault of shuffled(faultNames, this.#random)) {
        if (slowFaults.has(fault)) {
          if (this.#plan.seconds < slowFrom || performance.now() - this.#slowAt < betweenSlow) continue;
          this.#slowAt = performance.now();
        }
        await this.#suffer(fault);
      }
    }
    const { current, currentHits } = this.#sum();
    const within = (currentHits - calm.currentHits) / (current - calm.current);
    await this.#load(() => this.#site.registry.live);
    // Copies that grew old meanwhile are asked for once more.
    await this.#requests(this.#plan.calm);
    const after = await this.#calm();
    await Promise.all(this.#writes);
    return {
      tally: this.#sum(),
      before,
      after,
      within,
      faults: this.#faults,
      seconds: seconds(),
      suspended: this.#site.registry.stats["suspended"],
      floods: this.#floods,
      disagreements: this.#proxy.disagreements,
    };
  }

  #enough(seconds: number): boolean {
    const { seconds: least, conditional, each } = this.#plan;
    return seconds >= least && this.#sum().conditional >= conditional &&
      faultNames.every((fault) => slowFaults.has(fault) || this.#faults[fault] >= each);
  }

  /** One fault, until it has done something and for a while after; then a while without any. */
  async #suffer(fault: Fault): Promise<void> {
    const { span, onProgress } = this.#plan;
    const done = this.#proxy.done[fault];
    this.#proxy.inject(fault);
    await this.#load(() => this.#proxy.done[fault] > done, patience);
    if (this.#proxy.done[fault] > done) this.#faults[fault]++;
    await this.#load(() => false, this.#random.next() * span);
    this.#proxy.calm();
    await this.#load(() => false, this.#random.next() * span);
    onProgress?.(this.#sum(), this.#faults);
  }

  /** The hit rate without faults. */
  async #calm(): Promise<number> {
    this.#sum();
    await this.#requests(this.#plan.calm);
    const { current, currentHits } = this.#readers.tally;
    return currentHits / current;
  }

  #requests(count: number): Promise<void> {
    const rounds = this.#rounds + count / this.#plan.clients;
    return this.#load(() => this.#rounds >= rounds);
  }

  /** Reads and writes until something holds, or for some time. */
  async #load(holds: () => boolean, ms = Infinity): Promise<void> {
    const { clients, readsPerWrite } = this.#plan;
    for (const end = performance.now() + ms; !holds() && performance.now() < end;) {
      if (this.#rounds++ % (readsPerWrite / clients) === 0) this.#write();
      if (this.#rounds % flood === 0) await this.#stranger();
      const length = this.#site.registry.live ? clients : Math.ceil(clients * suspendedShare);
      await Promise.all(Array.from({ length }, () => this.#readers.read()));
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** A write of a client without rights. */
  async #stranger(): Promise<void> {
    const path = this.#random.pick(this.#paths);
    const response = await this.#site.fetch(new Request(`http://site.invalid${path}`, { method: "POST" }));
    await response.body?.cancel();
    this.#floods++;
  }

  /** Not waited for: what is read meanwhile is the point. */
  #write(): void {
    const write: Promise<void> = this.#writers.write();
    this.#writes.push(write);
    void write.then(() => this.#writes = this.#writes.filter((other) => other !== write), () => {});
  }

  /** Everything so far; begins to count anew. */
  #sum(): Tally {
    const { wrong, stale, ...counts } = this.#readers.tally;
    for (const [name, count] of Object.entries(counts)) this.#total[name as keyof typeof counts] += count;
    this.#total.wrong.push(...wrong);
    this.#total.stale.push(...stale);
    this.#readers.tally = emptyTally();
    return this.#total;
  }
}

function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  return items.map((item) => ({ item, order: random.next() })).toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
