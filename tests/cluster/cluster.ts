/**
 * The promise on a cluster: one node is followed, the documents are read from another and written on a third, nodes
 * pause and come back; each 304 of a registry is compared with what the followed node had reported.
 *
 * Several registries with different `replicaLag` see the same cluster at the same time: the evidence that settling is
 * needed, and how much of it.
 */
import { EtagRegistry, follow, type Follower, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { Random } from "../simulation/random.ts";
import { FeedLedger, type Reading, type State, Written } from "./feed_ledger.ts";
import { readFeed } from "./raw_feed.ts";
import { allPaths, fill, kinds, Node, page, pathsOf, Scribe, shelfOf } from "./cluster_pages.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";

/** What may be done to a node: it is stopped for some time, or its files are saved, or given back. */
export type Deed = "pause" | "restart" | "save" | "restore";

/** How long, and with what. */
export interface Plan {
  readonly seed: number;
  /** The database on the followed node, on the one that is read, and on the one that is written. */
  readonly urls: readonly [URL, URL, URL];
  readonly seconds: number;
  /** One registry for each; undefined: the default. */
  readonly settles: readonly (number | undefined)[];
  /** Does something to a node (1 to 3), for about so many ms; undefined: none is troubled. */
  readonly trouble: ((deed: Deed, node: number, ms: number) => Promise<void>) | undefined;
  readonly say: (line: string) => void;
}

/** What one registry did. */
export interface Tally {
  readonly replicaLag: number | undefined;
  requests: number;
  conditional: number;
  hits: number;
  /** Questions about the latest copy where it was still current, and those that the registry confirmed. */
  current: number;
  currentHits: number;
  /** 304s for a copy that the feed had replaced before, as it was followed; the longest time before, ms. */
  wrong: number;
  wrongBy: number;
  readonly examples: string[];
  /**
   * Those of pages that were read from one copy (`r=1`) while nodes are troubled: one that comes back, or was given older
   * files, answers with what it has until the others have brought it up to date. docs/consistency.md leaves these out of
   * the promise.
   */
  ofOneCopy: number;
  /** Others for a copy that another reader of the same node's feed saw replaced before the last contact. */
  apart: number;
  apartBy: number;
  /** By how a page is read: readings, those older than what the feed had told when they began, by how much, ms. */
  readonly readings: Record<string, { all: number; by: number[] }>;
}

/** What came of it. */
export interface Outcome {
  readonly tallies: readonly Tally[];
  readonly writes: Readonly<Record<string, number>>;
  readonly troubles: Readonly<Record<string, number>>;
  readonly reasons: readonly Readonly<Record<string, number>>[];
  /** How often documents had been purged, as the followed node told it at the end, asked again and again. */
  readonly purgeCounts: readonly string[];
  /** Resets of all registries, and how many of them came in the last third, in which nothing was purged. */
  readonly resets: readonly [all: number, afterPurges: number];
}

interface Copy extends Reading {
  readonly path: string;
  readonly etag: string;
  /** When its handler began. */
  readonly begun: number;
}

/** A 304 of a registry. */
interface Confirmation {
  readonly copy: Copy;
  readonly at: number;
  /** The last contact at that moment. */
  readonly contact: number;
}

const maxLag = 10_000;
/** Clients at a time for each registry, ms that each rests, and ms between two writes. */
const clients = 6;
const rest = 15;
const writeEvery = 60;
/** ms within which a page is asked for after one of its documents changed: when a replica may still lag behind. */
const chase = 1_500;
/** ms after the last write until every replica must have everything. */
const quiet = 20_000;
/** ms between two purges, the part of a run in which there are some, and how often their number is asked for at the end. */
const purgeEvery = 15_000;
const purging = 2 / 3;
const countings = 60;

/** One registry with its follower, the handler, and the clients. */
class Site {
  readonly tally: Tally;
  readonly registry: EtagRegistry = new EtagRegistry({ version: "cluster" });
  readonly follower: Follower;
  readonly #feed: ChangesFeed;
  readonly #fetch: (request: Request) => Response | Promise<Response>;
  /** What its own feed told it, and what another reader of the same node hears. */
  readonly ledger: FeedLedger;
  readonly #other: FeedLedger;
  readonly #random: Random;
  readonly #paths: readonly string[] = allPaths();
  readonly #copies: Map<string, Copy[]> = new Map();
  // Judged at the end, when the feed has told what came after.
  readonly #read: Copy[] = [];
  readonly #confirmed: Confirmation[] = [];

  constructor(
    followed: URL,
    read: Node,
    replicaLag: number | undefined,
    ledgers: readonly [own: FeedLedger, other: FeedLedger],
    random: Random,
  ) {
    [this.ledger, this.#other] = ledgers;
    this.#random = random;
    const readings = Object.fromEntries(kinds.map((kind) => [kind, { all: 0, by: [] }]));
    const counts = { requests: 0, conditional: 0, hits: 0, current: 0, currentHits: 0 };
    const found = { wrong: 0, wrongBy: 0, ofOneCopy: 0, apart: 0, apartBy: 0 };
    this.tally = { replicaLag, ...counts, ...found, examples: [], readings };
    this.#feed = changes(followed, { heartbeat: 1_000 });
    this.follower = follow(this.registry, noted(this.#feed, this.ledger), {
      groups: ({ id }) => [shelfOf(id)],
      maxLag,
      ...(replicaLag === undefined ? {} : { replicaLag }),
    });
    const handler = (request: Request) =>
      page(read, request).catch(() =>
        new Response("", { status: 503, headers: { "cache-control": "no-store" } })
      );
    this.#fetch = withEtag(handler, { registry: this.registry, cacheStatus: "Stillfresh" });
  }

  async client(goesOn: () => boolean): Promise<void> {
    while (goesOn()) {
      await this.ask(this.#paths[Math.floor(this.#random.next() ** 2 * this.#paths.length)]!);
      await new Promise((resolve) => setTimeout(resolve, this.#random.next() * 2 * rest));
    }
  }

  /** Asks for what shows a document soon after it has changed. */
  chase(id: string): void {
    const path = this.#random.pick(pathsOf(id));
    setTimeout(() => void this.ask(path), this.#random.next() ** 2 * chase);
  }

  /** Asks with the latest copy as a rule, else with an older one. */
  async ask(path: string, copy: Copy | undefined = this.#choose(path)): Promise<Response> {
    const { tally } = this;
    const request = new Request(
      `http://localhost${path}`,
      copy && { headers: { "if-none-match": copy.etag } },
    );
    const begun = performance.now();
    const latest = copy !== undefined && copy === this.#copies.get(path)?.at(-1) &&
      this.ledger.behind(copy, begun) === undefined;
    tally.requests++;
    if (copy !== undefined) tally.conditional++;
    if (latest) tally.current++;
    const answer = this.#fetch(request);
    const contact = performance.now() - this.follower.lag;
    const response = await answer;
    if (response.status === 304 && response.headers.get("cache-status") === "Stillfresh; hit") {
      tally.hits++;
      if (latest) tally.currentHits++;
      this.#confirmed.push({ copy: copy!, at: begun, contact });
    } else if (response.status === 200) {
      const states = new Map(await response.json() as [string, State][]);
      this.#keep({ path, etag: response.headers.get("etag")!, states, begun, at: performance.now() });
    }
    return response;
  }

  #choose(path: string): Copy | undefined {
    const copies = this.#copies.get(path);
    if (copies === undefined || this.#random.chance(0.03)) return undefined;
    return this.#random.chance(0.85) ? copies.at(-1) : this.#random.pick(copies);
  }

  #keep(copy: Copy): void {
    this.#read.push(copy);
    const others = (this.#copies.get(copy.path) ?? []).filter(({ etag }) => etag !== copy.etag);
    this.#copies.set(copy.path, [...others.slice(-5), copy]);
  }

  /** Compares all readings and confirmations with what the feeds have told. */
  judge(isTroubled: boolean): void {
    const { tally } = this;
    for (const copy of this.#read) {
      const reading = tally.readings[copy.path.split("/")[1]!]!;
      const by = this.ledger.behind(copy, copy.begun);
      reading.all++;
      if (by !== undefined) reading.by.push(by);
    }
    for (const { copy, at, contact } of this.#confirmed) {
      const by = this.ledger.behind(copy, at);
      const apart = this.#other.behind(copy, contact);
      if (by !== undefined && isTroubled && copy.path.startsWith("/r=1/")) {
        tally.ofOneCopy++;
      } else if (by !== undefined) {
        tally.wrong++;
        tally.wrongBy = Math.max(tally.wrongBy, by);
        if (tally.examples.length < 5) {
          tally.examples.push(`${copy.path}, replaced ${by.toFixed(0)} ms before`);
        }
      } else if (apart !== undefined) {
        tally.apart++;
        tally.apartBy = Math.max(tally.apartBy, apart);
      }
    }
  }

  async close(): Promise<void> {
    // The note taker waits for the feed's next word: the feed itself has to end first.
    const closed = this.follower.close();
    await this.#feed[Symbol.asyncDispose]();
    await closed;
  }

  /** Asks once more with every copy there is. */
  async askEverything(): Promise<void> {
    for (const [path, copies] of [...this.#copies]) {
      for (const copy of copies) await this.ask(path, copy);
    }
  }
}

/** A feed, and a note of all it tells. */
function noted(feed: ChangesFeed, ledger: FeedLedger): ChangesFeed {
  return {
    async *batches(from, options) {
      for await (const batch of feed.batches(from, options)) {
        for (const { id, rev, deleted } of batch.changes) ledger.report(id, rev!, deleted === true);
        yield batch;
      }
    },
    [Symbol.asyncIterator]: () => feed[Symbol.asyncIterator](),
    [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
    get position() {
      return feed.position;
    },
  };
}

/** Runs it; the databases that `urls` name must not exist, and are deleted afterwards. */
export async function cluster(given: Plan): Promise<Outcome> {
  const plan = { ...given, trouble: given.trouble && oneAfterTheOther(given.trouble) };
  const [followed, read, written] = plan.urls.map((url) => new Node(url)) as [Node, Node, Node];
  const random = new Random(plan.seed);
  const known = new Written();
  const other = new FeedLedger(known);
  const aborter = new AbortController();
  await fill(written, known);
  const reading = readFeed(followed.url, other, aborter.signal);
  const site = (replicaLag: number | undefined) =>
    new Site(followed.url, read, replicaLag, [new FeedLedger(known), other], new Random(random.seed()));
  const sites = plan.settles.map(site);
  try {
    await Promise.all(sites.map(({ follower }) => follower.ready));
    return await load(plan, followed, sites, new Scribe(written, known, new Random(random.seed())), random);
  } finally {
    aborter.abort();
    await reading;
    await Promise.all(sites.map((site) => site.close()));
    await written.ask("", "DELETE");
  }
}

/** The same, but no two nodes are troubled at the same time: two of three are a quorum. */
function oneAfterTheOther(trouble: NonNullable<Plan["trouble"]>): NonNullable<Plan["trouble"]> {
  let last: Promise<void> = Promise.resolve();
  return (deed, node, ms) => last = last.then(() => trouble(deed, node, ms));
}

async function load(
  plan: Plan,
  followed: Node,
  sites: readonly Site[],
  scribe: Scribe,
  random: Random,
): Promise<Outcome> {
  const end = performance.now() + plan.seconds * 1_000;
  const goesOn = () => performance.now() < end;
  for (const site of sites) site.ledger.onRow = (id) => goesOn() && site.chase(id);
  const writer = async () => {
    while (goesOn()) {
      await scribe.write();
      await new Promise((resolve) => setTimeout(resolve, random.next() * 2 * writeEvery));
    }
  };
  const purgesEnd = performance.now() + plan.seconds * 1_000 * purging;
  const purger = async () => {
    await plan.trouble?.("save", 3, 0);
    while (performance.now() < purgesEnd) {
      await new Promise((resolve) => setTimeout(resolve, random.next() * 2 * purgeEvery));
      await scribe.purge();
    }
    // One node of three knows nothing of the purges from then on: whose count is told is chance.
    await plan.trouble?.("restore", 3, 0);
    // What was purged last is probed for at least twice within `maxLag`.
    await new Promise((resolve) => setTimeout(resolve, maxLag));
    return resetsOf(sites);
  };
  const telling = setInterval(() => plan.say(progress(sites)), 30_000);
  const readers = sites.flatMap((site) => Array.from({ length: clients }, () => site.client(goesOn)));
  const [troubles, purged] = await Promise.all([
    trouble(plan, goesOn, random),
    purger(),
    writer(),
    ...readers,
  ]);
  clearInterval(telling);
  await new Promise((resolve) => setTimeout(resolve, quiet));
  for (const site of sites) {
    await site.askEverything();
    site.judge(plan.trouble !== undefined);
  }
  const reasons = sites.map(({ registry }) => registry.stats);
  return {
    tallies: sites.map(({ tally }) => tally),
    writes: scribe.done,
    troubles,
    reasons,
    purgeCounts: await countPurges(followed),
    resets: [resetsOf(sites), resetsOf(sites) - purged],
  };
}

function resetsOf(sites: readonly Site[]): number {
  return sites.reduce((sum, { registry }) => sum + registry.stats.reset, 0);
}

/** The numbers of purges that a node tells: copies of a shard may disagree, and the one that answers first is believed. */
async function countPurges(node: Node): Promise<string[]> {
  const told = new Set<string>();
  for (let n = 0; n < countings; n++) {
    const { body } = await node.ask("");
    told.add((body as { readonly purge_seq: string }).purge_seq.split("-", 1)[0]!);
  }
  return [...told];
}

/** One node after the other does not answer for some seconds, or starts anew. */
async function trouble(
  { trouble }: Plan,
  goesOn: () => boolean,
  random: Random,
): Promise<Record<string, number>> {
  const done: Record<string, number> = {};
  while (goesOn() && trouble !== undefined) {
    await new Promise((resolve) => setTimeout(resolve, 2_000 + random.next() * 6_000));
    const deed = random.chance(0.7) ? "pause" : "restart";
    const node = random.integer(1, 3);
    if (!goesOn()) break;
    await trouble(deed, node, 500 + random.next() * 6_000);
    const name = `${deed} ${["followed", "read", "written"][node - 1]}`;
    done[name] = (done[name] ?? 0) + 1;
  }
  return done;
}

function progress(sites: readonly Site[]): string {
  return sites.map(({ tally, registry }) => {
    const { requests, hits, replicaLag = "default" } = tally;
    return `replicaLag ${replicaLag}: ${requests} requests, ${hits} hits${
      registry.live ? "" : ", suspended"
    }`;
  }).join("; ");
}
