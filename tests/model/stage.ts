/**
 * The real registry, wrapper, follower and reader, taken through the steps of the model: one step of
 * `consistency.pml`, by its text, is one thing that happens to them.
 */
import type { Subscription } from "../../src/registry/subscription.ts";
import type { CouchChangesFeed } from "../../src/couchdb/reader/feed.ts";
import type { Follower } from "../../src/registry/follow.ts";
import { type DocumentState, FollowedDatabase } from "./followed_database.ts";
import { History } from "./history.ts";
import { Impossible } from "./impossible.ts";
import type { Library } from "./library.ts";
import { piecesOf, restoreAtOnce } from "../simulation/snapshot_pieces.ts";
import { Copies, type Reading, Site, VERSION } from "./site.ts";
import { type Sizes, sizesOf } from "./sizes.ts";

/** Promise jobs in a row that one step may set off. */
const TURNS = 80;

/** ms for which the contact of a feed is good; half of it is the time until the next probe. */
const FEED_LAG = 1e9;

/** ms after which what was reported has settled: more than the library's own 5,000. */
const SETTLED = 5_001;

const LIST = "list";

/** How long the name of the second document is where the memory of changes has room for one change. */
const LONG_NAME = 2_000;
/** The bound of the registry then. Changes may take half of it: 2,180 bytes for one, and 2,363 for two. */
const ROOM = 2 * (LONG_NAME + 270);

/** Ends the text of a step in which a gap is found. */
const GAP = "the feed finds a gap";

/** What can be seen of the library after a step: as the model prints it. */
export interface Observation {
  readonly live: boolean;
  readonly pages: readonly { readonly valid: boolean; readonly copies: readonly number[] }[];
  readonly feeds: readonly { readonly told: boolean; readonly waitsFor: string }[];
  /** Of each document, what it was since the contact of its feed, as a mask. */
  readonly right: readonly number[];
}

/** A process: what is gone when it ends. */
interface Process {
  readonly site: Site;
  readonly feeds: CouchChangesFeed[];
  readonly followers: (Follower | undefined)[];
}

export class Stage {
  readonly #library: Library;
  readonly #sizes: Sizes;
  readonly #documents: readonly DocumentState[];
  readonly #databases: readonly FollowedDatabase[];
  readonly #history: History;
  /** What each handler has read. */
  readonly #readings = new Map<number, Map<number, number>>();
  /** A write through the site whose response has not been sent, and the moment at which it was in the database. */
  #write: { readonly document: number; readonly at: number } | undefined;
  readonly #copies = new Copies();
  readonly #coming = new Map<number, number>();
  #process: Process;
  #subscriptions: (Subscription | undefined)[] = [];
  /** Whether the last word of each feed is that it is live. */
  readonly #told: boolean[] = [];
  /**
   * When the last page was answered before each feed was live. The library's contact is the moment at which it asked for
   * it. Where asking is no step of its own, the model claims the moment of the answer, which is more.
   */
  readonly #claims: number[] = [];
  readonly #answered: number[] = [];
  readonly #sleeping: Set<() => void>[] = [];
  /** ms: the clock of each feed, which no other part reads. */
  readonly #feedTimes: number[];
  /** ms: the registry's clock. */
  #time = 1_000_000;
  #isThrowing = false;
  #snapshot: readonly Uint8Array[] | undefined;
  #backup: { readonly documents: readonly DocumentState[]; readonly last: readonly number[] } | undefined;

  constructor(library: Library, macros: readonly string[]) {
    this.#library = library;
    const sizes = this.#sizes = sizesOf(macros);
    const { docs, feeds, shards } = sizes;
    this.#feedTimes = Array.from({ length: feeds }, () => 1);
    this.#documents = Array.from({ length: docs }, (_, index) => ({
      id: `doc-${index}`.padEnd(sizes.has("OVERFLOW") && index > 0 ? LONG_NAME : 0, "x"),
      shard: shards === 2 ? index : 0,
      state: 0,
      seq: 0,
      history: new Set<string>(),
    }));
    this.#databases = Array.from({ length: feeds }, (_, feed) =>
      new FollowedDatabase(library, {
        name: `db-${feed}`,
        shards,
        replicas: sizes.has("ONE_COUNT") ? 1 : sizes.has("REPLICAS") ? 3 : undefined,
        documents: feeds === 2 ? [this.#documents[feed]!] : this.#documents,
        revOf: (state) => this.#revOf(state),
      }));
    this.#documents.forEach((document, index) => this.#databaseOf(index).write(document, 1));
    this.#history = new History(this.#documents.map(() => 1));
    if (sizes.has("BACKUP_AT_START")) this.#backUp();
    this.#process = this.#begin();
  }

  /** Lets one step happen. @throws {Impossible} If the library is not where the step needs it. */
  async act(text: string): Promise<void> {
    this.#feedTimes.forEach((time, feed) => this.#feedTimes[feed] = time + 1);
    for (const [pattern, act] of this.#steps) {
      const match = pattern.exec(text);
      if (match === null) continue;
      await act(...match.slice(1).map(Number));
      await this.#drain();
      if (text.endsWith(GAP)) await this.#explainGap();
      return;
    }
    throw new Error(`no step of a stage: ${text}`);
  }

  /** What can be seen now. */
  observe(): Observation {
    const { site } = this.#process;
    const pages = this.#sizes.pages.map((_, page) => {
      const etag = site.registeredTag(page);
      const copies = this.#documents.map((_, document) =>
        etag === undefined ? 0 : this.#copies.shown(page, etag, document)
      );
      return { valid: etag !== undefined, copies };
    });
    const feeds = this.#databases.map(({ waitsFor }, feed) => ({
      told: this.#told[feed]!,
      waitsFor: waitsFor ?? (this.#sleeping[feed]!.size > 0 ? "sleep" : "nothing"),
    }));
    const right = this.#documents.map((_, document) =>
      this.#history.since(document, this.#contactOf(document))
    );
    return { live: site.registry.live, pages, feeds, right };
  }

  /** Why the registry's answer to a request for a page would be wrong now; undefined: it is right, or there is none. */
  async wrong(page: number): Promise<string | undefined> {
    const etag = await this.#process.site.ask(page);
    if (etag === undefined) return undefined;
    for (const document of this.#sizes.pages[page]!.shows) {
      const feed = this.#feedOf(document);
      if (!this.#told[feed]) return "it is answered although the last word of the feed is a loss";
      const copies = this.#copies.shown(page, etag, document);
      const problem = this.#history.problemOf(document, copies, this.#contactOf(document));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }

  readonly #steps: readonly (readonly [RegExp, (...numbers: number[]) => void | Promise<void>])[] = [
    [/^document (\d) is written: (\d)$/, (document, state) => this.#put(document!, state!)],
    [/^another node has document (\d) at (\d)$/, (document, state) => {
      this.#coming.set(document!, state!);
      this.#note(document!);
    }],
    [/^document (\d) arrives: (\d)$/, (document, state) => {
      this.#coming.delete(document!);
      this.#put(document!, state!);
    }],
    [/^the site writes document (\d): (\d)$/, (document, state) => this.#writeThrough(document!, state!)],
    [/^the response to that write is sent$/, () => this.#answerWrite()],
    [/^(?:document \d has|everything has) settled$/, () => void (this.#time += SETTLED)],
    [/^document (\d) is purged$/, (document) => {
      this.#databaseOf(document!).purge(this.#documents[document!]!);
      this.#note(document!);
    }],
    [/^database (\d) is deleted and created again$/, (feed) => {
      this.#databases[feed!]!.recreate();
      this.#documents.forEach((_, document) => this.#note(document));
    }],
    [/^files are backed up$/, () => this.#backUp()],
    [/^files are rolled back$/, () => this.#rollBack()],
    [/^registry\.restart\(\)$/, () => {
      this.#told.fill(false);
      this.#process.site.registry.restart();
    }],
    [/^the groups function is about to throw$/, () => void (this.#isThrowing = true)],
    [/^handler (\d) begins$/, (handler) => {
      this.#readings.set(handler!, new Map());
      this.#process.site.run(handler!, this.#pageOf(handler!));
    }],
    [/^handler (\d) reads document (\d): (\d)$/, (handler, document, state) => {
      this.#readings.get(handler!)?.set(document!, state!);
    }],
    [/^handler (\d) registers$/, (handler) => this.#respond(handler!, true)],
    [/^handler (\d) is refused$/, (handler) => this.#respond(handler!, false)],
    [/^the first request of feed (\d) fails$/, async (feed) => {
      await this.#wake(feed!);
      this.#databases[feed!]!.lose();
    }],
    [/^feed (\d) begins/, async (feed) => {
      await this.#wake(feed!);
      this.#databases[feed!]!.answerInformation();
    }],
    [/^feed (\d) connects$/, (feed) => this.#connect(feed!)],
    [/^feed (\d) probes$/, (feed) => {
      // A row that leaves a stream in doubt is followed by a probe at once.
      if (this.#databases[feed!]!.waitsFor === "page") return;
      this.#feedTimes[feed!]! += FEED_LAG;
      this.#databases[feed!]!.endRead();
    }],
    [/^feed \d asks for a page$/, () => {}],
    [/^the page is answered(?:: document (\d) first)?$/, (first) => this.#databases[0]!.answerPage(first!)],
    [/^feed (\d) applies the page/, (feed) => this.#databases[feed!]!.applyPage(0, this.#drain)],
    [/^feed (\d) reads a page(?:: document (\d) first)?/, async (feed, first) => {
      this.#answered[feed!] = this.#feedTimes[feed!]!;
      this.#databases[feed!]!.answerPage(first!);
      await this.#databases[feed!]!.applyPage(first!, this.#drain);
    }],
    [/^feed (\d) reads a part of a page/, (feed) => this.#databases[feed!]!.breakPage(this.#drain)],
    [/^feed (\d) is live/, (feed) => {
      // Without a look at the identity, it is so already.
      if (!this.#told[feed!] || this.#databases[feed!]!.waitsFor !== "read") {
        this.#databases[feed!]!.answerInformation();
      }
    }],
    [/^feed (\d) is lost$/, (feed) => this.#databases[feed!]!.lose()],
    [/^the row of document (\d) is sent: \d$/, (document) => {
      this.#databaseOf(document!).send(this.#documents[document!]!);
    }],
    [/^an old row of document (\d) is sent again: (\d)$/, (document, state) => {
      this.#databaseOf(document!).send(this.#documents[document!]!, this.#revOf(state!));
    }],
    [/^feed (\d) reads the row of document \d: \d/, (feed) => this.#databases[feed!]!.deliver(this.#drain)],
    [/^a heartbeat$/, () => this.#databases[0]!.deliver(this.#drain, true)],
    [/^the follower (\d) is closed$/, (feed) => this.#close(feed!)],
    [/^feed (\d) is followed again$/, (feed) => this.#follow(this.#process, feed!)],
    [/^a snapshot is saved$/, () => {
      this.#snapshot = piecesOf(this.#library.coreOf(this.#process.site.registry));
    }],
    [/^a process begins with the snapshot$/, () => this.#beginWithSnapshot()],
    [/^page (\d) is answered$/, async (page) => {
      if (await this.#process.site.ask(page!) === undefined) {
        throw new Impossible("the registry does not answer");
      }
    }],
  ];

  readonly #drain = async (): Promise<void> => {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
  };

  get #asksApart(): boolean {
    return this.#sizes.has("LATE") || this.#sizes.has("WALK");
  }

  #revOf(state: number): string {
    // The last state has the revision of the first, and other losing conflicts.
    const shown = this.#sizes.has("CONFLICTS") && state === this.#sizes.states ? 1 : state;
    return `${shown}-${shown}`;
  }

  #feedOf(document: number): number {
    return this.#sizes.feeds === 2 ? document : 0;
  }

  /** When the feed of a document was last complete; Infinity: it is not live. */
  #contactOf(document: number): number {
    const feed = this.#feedOf(document);
    const contact = this.#subscriptions[feed]?.contact?.wall;
    return contact === undefined ? Infinity : Math.max(contact, this.#claims[feed] ?? 0);
  }

  #timeOf(document: number): number {
    return this.#feedTimes[this.#feedOf(document)]!;
  }

  #databaseOf(document: number): FollowedDatabase {
    return this.#databases[this.#feedOf(document)]!;
  }

  /** The database of a gap is looked at in the same step. */
  async #explainGap(): Promise<void> {
    for (const database of this.#databases) {
      if (database.waitsFor === "information") database.answerInformation();
    }
    await this.#drain();
  }

  #put(document: number, state: number): void {
    this.#databaseOf(document).write(this.#documents[document]!, state);
    this.#note(document);
  }

  #note(document: number): void {
    const coming = this.#coming.get(document);
    const states = 1 << this.#documents[document]!.state | (coming === undefined ? 0 : 1 << coming);
    this.#history.note(document, this.#timeOf(document), states);
  }

  #backUp(): void {
    this.#backup = { documents: structuredClone(this.#documents), last: [...this.#databases[0]!.last] };
  }

  #rollBack(): void {
    const { documents, last } = this.#backup!;
    for (const [index, { state, seq, history }] of documents.entries()) {
      Object.assign(this.#documents[index]!, { state, seq, history });
      this.#note(index);
    }
    this.#databases[0]!.last = [...last];
  }

  #begin(snapshot?: readonly Uint8Array[]): Process {
    const { main: { EtagRegistry }, coreOf } = this.#library;
    const registry = new EtagRegistry({
      version: VERSION,
      now: () => this.#time,
      monotonic: () => this.#time,
      ...(this.#sizes.has("OVERFLOW") ? { maxBytes: ROOM } : {}),
    });
    const core = coreOf(registry);
    if (snapshot !== undefined) restoreAtOnce(core, snapshot);
    const subscribe = core.subscribe.bind(core);
    core.subscribe = (name, ...rest) => this.#watch(Number(name), subscribe(name, ...rest));
    const process: Process = {
      site: new Site(this.#library, registry, this.#copies),
      feeds: this.#databases.map((database, feed) => this.#openFeed(database, feed)),
      followers: [],
    };
    this.#databases.forEach((_, feed) => this.#follow(process, feed));
    return process;
  }

  #openFeed(database: FollowedDatabase, feed: number): CouchChangesFeed {
    const sleeping = this.#sleeping[feed] = new Set<() => void>();
    const sleep = (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const wake = () => {
          sleeping.delete(wake);
          resolve();
        };
        // The deadline of an answer is none of the waits that a step ends.
        if (ms < FEED_LAG) sleeping.add(wake);
        signal.addEventListener("abort", wake, { once: true });
      });
    const settings = this.#library.resolveOptions({
      now: () => this.#feedTimes[feed]!,
      monotonic: () => this.#feedTimes[feed]!,
      sleep,
      random: () => 0.5,
      maxLag: FEED_LAG,
      batchSize: this.#sizes.has("ONE_ROW_PAGES") ? 1 : 100,
    });
    return this.#library.openFeed(database, settings);
  }

  #follow(process: Process, feed: number): void {
    const groups = this.#sizes.pages[0]!.kind === "list" ? { groups: () => this.#groups() } : {};
    const options = { name: `${feed}`, maxLag: Infinity, onError: () => {}, ...groups };
    process.followers[feed] = this.#library.main.follow(process.site.registry, process.feeds[feed]!, options);
  }

  #groups(): string[] {
    if (!this.#isThrowing) return [LIST];
    this.#isThrowing = false;
    throw new Error("no idea which groups");
  }

  /** Notes the feed's last word, and keeps its subscription. */
  #watch(feed: number, subscription: Subscription): Subscription {
    const apply = subscription.apply.bind(subscription);
    subscription.apply = (batch, ...rest) => {
      apply(batch, ...rest);
      if (subscription.closed) return;
      const isProbed = batch.state === "live" && batch.changes.length === 0 && batch.repeated === undefined;
      if (isProbed && !this.#asksApart) this.#claims[feed] = this.#answered[feed] ?? 0;
      this.#told[feed] = batch.state === "live";
    };
    this.#subscriptions[feed] = subscription;
    this.#told[feed] = false;
    return subscription;
  }

  /** After a first loss, the reader has not waited: that attempt fails, so that the one of this step is what counts. */
  async #connect(feed: number): Promise<void> {
    const database = this.#databases[feed]!;
    if (database.waitsFor === "page") {
      database.lose();
      await this.#drain();
    }
    await this.#wake(feed);
  }

  async #wake(feed: number): Promise<void> {
    for (const wake of this.#sleeping[feed]!) wake();
    await this.#drain();
  }

  #close(feed: number): void {
    void this.#process.followers[feed]!.close();
    this.#told[feed] = false;
  }

  async #beginWithSnapshot(): Promise<void> {
    this.#databases.forEach((_, feed) => this.#close(feed));
    await this.#drain();
    this.#databases.forEach((database) => database.leave());
    this.#readings.clear();
    this.#write = undefined;
    this.#process = this.#begin(this.#snapshot!);
  }

  async #respond(handler: number, registers: boolean): Promise<void> {
    const read = this.#readings.get(handler) ?? new Map();
    const declaration = this.#declaration(this.#pageOf(handler), read);
    const isRegistered = await this.#process.site.respond(handler, declaration, read);
    if (isRegistered !== registers) {
      throw new Impossible(`the response is ${isRegistered ? "" : "not "}registered`);
    }
  }

  #pageOf(handler: number): number {
    return this.#sizes.pages.length === 2 ? handler : 0;
  }

  #declaration(page: number, read: Reading): Record<string, string> {
    const { dependsOn } = this.#library.main;
    const { kind } = this.#sizes.pages[page]!;
    if (kind === "list") return dependsOn(LIST);
    return dependsOn(...[...read].map(([document, state]) => {
      const { id } = this.#documents[document]!;
      return kind === "derived" && state !== 0 ? { _id: id, _rev: this.#revOf(state) } : id;
    }));
  }

  #writeThrough(document: number, state: number): void {
    this.#process.site.beginWrite();
    this.#write = { document, at: this.#timeOf(document) };
    this.#put(document, state);
  }

  async #answerWrite(): Promise<void> {
    if (this.#write === undefined) throw new Impossible("no write is being answered");
    const { document, at } = this.#write;
    this.#write = undefined;
    await this.#process.site.endWrite(this.#documents[document]!.id);
    this.#history.noteOwnWrite(document, at);
  }
}
