/** The real registry, wrapper, follower and `ownFeed()`, taken through the steps of `own_feed.pml`. */
import type { ChangeBatch, ChangesFeed } from "../../src/changes/change.ts";
import type { SourceController } from "../../src/changes/source_reader.ts";
import type { Subscription } from "../../src/registry/subscription.ts";
import { History } from "./history.ts";
import { Impossible } from "./impossible.ts";
import type { Library } from "./library.ts";
import { Copies, Site, VERSION } from "./site.ts";

/** Promise jobs in a row that one step may set off. */
const TURNS = 80;

const MAX_LAG = 2_222;

/** Changes that may wait in the queue, as in the model. */
const MOST_QUEUED = 2;

const DOCUMENT = "doc";
const OTHER = "other";
/** What a message of the model is that is no state. */
const OTHER_MESSAGE = 9;
const TOKEN = "token";

/** What can be seen after a step: as the model prints it. */
export interface OwnObservation {
  readonly live: boolean;
  readonly valid: boolean;
  readonly copies: number;
  readonly told: boolean;
  /** What the document was since the contact, as a mask. */
  readonly right: number;
}

export class OwnStage {
  readonly #library: Library;
  readonly #site: Site;
  readonly #copies = new Copies();
  readonly #history = new History([1]);
  readonly #sleeping = new Map<() => void, number>();
  /** What is on its way from the source: states, changes of another document, the token. */
  #wire: (number | typeof TOKEN)[] = [];
  #state = 1;
  #read = 0;
  /** The client's session with the source; undefined: it has none now. */
  #session: number | undefined;
  #sessions = 0;
  #controller: SourceController | undefined;
  /** Lets the source be connected. */
  #open: (() => void) | undefined;
  /** The token that was sent last. */
  #token: string | undefined;
  /** The feed's batches, which are read when a step says so. */
  #iterator: AsyncIterator<ChangeBatch> | undefined;
  #first: Promise<IteratorResult<ChangeBatch>> | undefined;
  #deliver: ((batch: IteratorResult<ChangeBatch>) => void) | undefined;
  #subscription: Subscription | undefined;
  #told = false;
  #time = 1;
  #started: Promise<void> | undefined;

  constructor(library: Library) {
    this.#library = library;
    const clocks = { now: () => this.#time, monotonic: () => this.#time };
    const registry = new library.main.EtagRegistry({ version: VERSION, ...clocks });
    this.#site = new Site(library, registry, this.#copies);
    const core = library.coreOf(registry);
    const subscribe = core.subscribe.bind(core);
    core.subscribe = (...args) => this.#watch(subscribe(...args));
    const feed = library.main.ownFeed((controller) => this.#connect(controller), {
      maxLag: MAX_LAG,
      maxQueued: MOST_QUEUED,
      ...clocks,
      sleep: (ms, signal) => this.#sleep(ms, signal),
      random: () => 0.5,
    });
    library.main.follow(registry, this.#heldBack(feed), { maxLag: Infinity, onError: () => {} });
  }

  /** Lets one step happen. @throws {Impossible} If the library is not where the step needs it. */
  async act(text: string): Promise<void> {
    await (this.#started ??= this.#failFirst());
    this.#time++;
    for (const [pattern, act] of this.#steps) {
      const match = pattern.exec(text);
      if (match === null) continue;
      await act(Number(match[1]));
      return await this.#drain();
    }
    throw new Error(`no step of a stage: ${text}`);
  }

  /** What can be seen now. */
  observe(): OwnObservation {
    const etag = this.#site.registeredTag(0);
    return {
      live: this.#site.registry.live,
      valid: etag !== undefined,
      copies: etag === undefined ? 0 : this.#copies.shown(0, etag, 0),
      told: this.#told,
      right: this.#history.since(0, this.#contact),
    };
  }

  /** Why the registry's answer would be wrong now; undefined: it is right, or there is none. */
  async wrong(): Promise<string | undefined> {
    const etag = await this.#site.ask(0);
    if (etag === undefined) return undefined;
    if (!this.#told) return "it is answered although the last word of the feed is a loss";
    return this.#history.problemOf(0, this.#copies.shown(0, etag, 0), this.#contact);
  }

  /** When the feed was last complete. */
  get #contact(): number {
    return this.#subscription?.contact?.wall ?? Infinity;
  }

  readonly #steps: readonly (readonly [RegExp, (number: number) => void | Promise<void>])[] = [
    [/^the document is written: (\d)$/, (state) => {
      this.#state = state;
      this.#history.note(0, this.#time, 1 << state);
      if (this.#session !== undefined) this.#wire.push(state);
    }],
    [/^another document is written$/, () => void this.#wire.push(OTHER_MESSAGE)],
    [/^the source is connected$/, async () => {
      this.#wake((ms) => ms !== MAX_LAG / 2);
      await this.#drain();
      if (this.#controller === undefined) throw new Impossible("the feed does not connect");
      this.#session = ++this.#sessions;
    }],
    [/^a token is sent$/, async () => {
      this.#token = undefined;
      this.#open?.();
      this.#open = undefined;
      await this.#drain();
      if (this.#token === undefined) this.#wake((ms) => ms === MAX_LAG / 2);
      await this.#drain();
      if (this.#token === undefined) throw new Impossible("no token is sent");
    }],
    [/^the token reaches the source$/, () => void this.#wire.push(TOKEN)],
    [/^a change arrives: \d+$/, () => {
      const message = this.#wire.shift();
      this.#requireController().change({ id: message === OTHER_MESSAGE ? OTHER : DOCUMENT });
    }],
    [/^the token comes back$/, async () => {
      this.#wire.shift();
      this.#requireController().received(this.#token!, this.#session);
      await this.#drain();
      // A loss is followed by another attempt, which no step has made yet.
      if (this.#controller?.signal.aborted) this.#forgetConnection();
    }],
    [/^the source is lost$/, () => {
      this.#requireController().lost();
      this.#forgetConnection();
    }],
    [/^the client drops its session$/, () => {
      this.#session = undefined;
      this.#wire = [];
    }],
    [/^the client has another session$/, () => void (this.#session = ++this.#sessions)],
    [/^a batch is applied$/, () => this.#applyBatch()],
    [/^the handler begins$/, () => this.#site.run(0, 0)],
    [/^the handler reads: (\d)$/, (state) => void (this.#read = state)],
    [/^the handler registers$/, () => this.#respond(true)],
    [/^the handler is refused$/, () => this.#respond(false)],
    [/^the page is answered$/, async () => {
      if (await this.#site.ask(0) === undefined) throw new Impossible("the registry does not answer");
    }],
  ];

  async #drain(): Promise<void> {
    for (let turn = 0; turn < TURNS; turn++) await undefined;
  }

  /** The first attempt fails, and its loss is applied: only then can a batch wait to be read. */
  async #failFirst(): Promise<void> {
    await this.#drain();
    this.#requireController().lost();
    this.#forgetConnection();
    await this.#applyBatch();
    await this.#drain();
  }

  #forgetConnection(): void {
    this.#controller = this.#open = this.#session = undefined;
    this.#wire = [];
  }

  #requireController(): SourceController {
    if (this.#controller === undefined) throw new Impossible("the source is not connected");
    return this.#controller;
  }

  #connect(controller: SourceController): Promise<{ send(token: string): void }> {
    this.#controller = controller;
    return new Promise((resolve) => {
      this.#open = () => resolve({ send: (token) => void (this.#token = token) });
    });
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        this.#sleeping.delete(wake);
        resolve();
      };
      this.#sleeping.set(wake, ms);
      signal.addEventListener("abort", wake, { once: true });
    });
  }

  /** Ends waits, but for the one that gives an attempt up. */
  #wake(isMeant: (ms: number) => boolean): void {
    for (const [wake, ms] of this.#sleeping) if (ms < 30_000 && isMeant(ms)) wake();
  }

  /** The feed, whose batches wait until a step applies them. */
  #heldBack(feed: ChangesFeed): ChangesFeed {
    return {
      position: undefined,
      batches: (from, options) => {
        const iterator = this.#iterator = feed.batches(from, options);
        // It connects as soon as it is read for the first time.
        this.#first = iterator.next();
        return {
          next: () => new Promise((resolve) => this.#deliver = resolve),
          [Symbol.asyncIterator]() {
            return this;
          },
        };
      },
      [Symbol.asyncIterator]: () => feed[Symbol.asyncIterator](),
      [Symbol.asyncDispose]: () => feed[Symbol.asyncDispose](),
    };
  }

  async #applyBatch(): Promise<void> {
    let next: IteratorResult<ChangeBatch> | undefined;
    void (this.#first ?? this.#iterator!.next()).then((result) => next = result);
    this.#first = undefined;
    await this.#drain();
    if (next === undefined || this.#deliver === undefined) throw new Impossible("no batch waits");
    this.#deliver(next);
  }

  #watch(subscription: Subscription): Subscription {
    const apply = subscription.apply.bind(subscription);
    subscription.apply = (batch, ...rest) => {
      apply(batch, ...rest);
      this.#told = batch.state === "live";
    };
    return this.#subscription = subscription;
  }

  async #respond(registers: boolean): Promise<void> {
    const read = new Map([[0, this.#read]]);
    const isRegistered = await this.#site.respond(0, this.#library.main.dependsOn(DOCUMENT), read);
    if (isRegistered !== registers) {
      throw new Impossible(`the response is ${isRegistered ? "" : "not "}registered`);
    }
  }
}
