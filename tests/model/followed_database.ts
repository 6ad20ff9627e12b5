/**
 * A database as the model has it, behind the interface that the reader asks: each request waits until a step of the
 * model answers it.
 */
import type { ChangesError } from "../../src/changes/changes_error.ts";
import type { CouchChange, Since } from "../../src/changes/change.ts";
import type { Database } from "../../src/couchdb/connection/database.ts";
import type { Stream } from "../../src/couchdb/connection/stream.ts";
import type { DatabaseInfo } from "../../src/couchdb/wire/database_info.ts";
import type { Page } from "../../src/couchdb/wire/page.ts";
import type { Rows } from "../../src/couchdb/wire/rows.ts";
import { Impossible } from "./impossible.ts";
import type { Library } from "./library.ts";

/** What a document is: its state, and where its row is. */
export interface DocumentState {
  readonly id: string;
  /** The place of its shard in a position. */
  readonly shard: number;
  state: number;
  /** 0: it has no row. */
  seq: number;
  /** Revisions that its tree holds. */
  history: Set<string>;
}

/** A request that has not been answered. */
interface Pending {
  readonly kind: "information" | "page" | "newest" | "revisions" | "read";
  readonly since: Since;
  readonly limit: number;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** A row on its way. */
interface SentRow {
  readonly id: string;
  readonly rev: string;
  readonly position: readonly number[];
}

export interface DatabaseOptions {
  readonly name: string;
  readonly shards: number;
  readonly replicas: number | undefined;
  readonly documents: readonly DocumentState[];
  readonly revOf: (state: number) => string;
}

export class FollowedDatabase implements Database {
  readonly name: string;
  readonly documents: readonly DocumentState[];
  /** The newest position of each shard. */
  last: number[];
  incarnation = 0;
  purges = 0;
  readonly #library: Library;
  readonly #shards: number;
  readonly #replicas: number | undefined;
  readonly #revOf: (state: number) => string;
  readonly #pending: Pending[] = [];
  #stream: OpenStream | undefined;
  #row: SentRow | undefined;
  /** What the page that was asked for shows, where it is not applied at once. */
  #answered: Page | undefined;

  constructor(library: Library, { name, shards, replicas, documents, revOf }: DatabaseOptions) {
    this.#library = library;
    this.name = name;
    this.documents = documents;
    this.#shards = shards;
    this.#replicas = replicas;
    this.#revOf = revOf;
    this.last = Array.from({ length: shards }, () => 0);
  }

  /** What the reader waits for; undefined: nothing here. */
  get waitsFor(): Pending["kind"] | undefined {
    return this.#pending.at(-1)?.kind;
  }

  /** A document is at a state, with a new row. */
  write(document: DocumentState, state: number): void {
    document.state = state;
    document.seq = ++this.last[document.shard]!;
    document.history.add(this.#revOf(state));
  }

  /** A document leaves without a trace. */
  purge(document: DocumentState): void {
    document.state = document.seq = 0;
    document.history = new Set();
    this.purges++;
  }

  /** Another database of the same name. Streams that are open say nothing any more. */
  recreate(): void {
    for (const document of this.documents) {
      document.state = document.seq = 0;
      document.history = new Set();
    }
    this.last = this.last.map(() => 0);
    this.incarnation++;
  }

  /** The reader and its requests are no more. */
  leave(): void {
    this.#pending.length = 0;
    this.#stream = this.#row = this.#answered = undefined;
  }

  readInfo(signal: AbortSignal): Promise<DatabaseInfo> {
    return this.#ask("information", 0, 0, signal);
  }

  readPage(since: Since, limit: number, signal: AbortSignal): Promise<Page> {
    return this.#ask("page", since, limit, signal);
  }

  readNewest(limit: number, signal: AbortSignal): Promise<Page> {
    return this.#ask("newest", 0, limit, signal);
  }

  readDescending(): Promise<Page> {
    throw new Error("no feed of the model is descending");
  }

  readDocuments(): Promise<Page> {
    throw new Error("no feed of the model is filtered");
  }

  async hasRevisions(revisions: ReadonlyMap<string, string>, signal: AbortSignal): Promise<boolean> {
    await this.#ask<void>("revisions", 0, 0, signal);
    return [...revisions].every(([id, rev]) =>
      this.documents.find((each) => each.id === id)?.history.has(rev)
    );
  }

  openStream(since: Since, session: AbortController): Stream {
    this.#row = undefined;
    const position = this.#positionOf(since);
    const read = () => this.#ask<Rows | undefined>("read", since, 0, session.signal);
    const stream: OpenStream = { position, session, read, close: () => {} };
    stream.close = () => {
      if (this.#stream !== stream) return;
      this.#stream = this.#row = undefined;
      this.#remove("read");
    };
    return this.#stream = stream;
  }

  /** Answers the request for the identity. */
  answerInformation(): void {
    const { last, incarnation, purges } = this;
    const info: DatabaseInfo = {
      updateSeq: this.#spell(last),
      instanceStartTime: `${incarnation}`,
      purgeSeq: `${purges}`,
      shards: this.#shards,
      replicas: this.#replicas,
    };
    this.#take("information").resolve(info as never);
  }

  /** Computes the page that was asked for. @param first The document whose row comes first where two shards have one. */
  answerPage(first: number): void {
    const { since, limit } = this.#find("page");
    this.#answered = this.#page(since, limit, first);
  }

  /** The reader gets the page that was computed, and what it asks for beside it, up to the next page or the identity. */
  async applyPage(first: number, drain: () => Promise<void>): Promise<void> {
    if (this.#answered === undefined) throw new Impossible("no page has been answered");
    this.#take("page").resolve(this.#answered as never);
    this.#answered = undefined;
    await drain();
    await this.#answerBeside(first, drain);
  }

  async #answerBeside(first: number, drain: () => Promise<void>): Promise<void> {
    let isReadingNewest = false;
    for (;;) {
      if (this.waitsFor === "revisions") this.#take("revisions").resolve(undefined as never);
      else if (this.waitsFor === "newest") {
        const page = this.#newest(this.#find("newest").limit);
        this.#take("newest").resolve(page as never);
        isReadingNewest = page.rows.changes.length > 0;
      } else if (this.waitsFor === "page" && isReadingNewest) {
        const { since, limit } = this.#find("page");
        const page = this.#page(since, limit, first);
        this.#take("page").resolve(page as never);
        isReadingNewest = !page.complete;
      } else return;
      await drain();
    }
  }

  /** The first row of the page arrives, and then the connection breaks. */
  async breakPage(drain: () => Promise<void>): Promise<void> {
    const { since, limit } = this.#find("page");
    const [first] = this.#page(since, limit, 0).rows.changes;
    const rows = this.#rows(since, first === undefined ? [] : [asRow(first)]);
    rows.fault = this.#fault("truncated");
    this.#take("page").resolve({ rows, complete: false } as never);
    await drain();
    await this.#answerBeside(0, drain);
  }

  /** The connection breaks. */
  lose(): void {
    const error = this.#fault("network");
    this.#row = this.#answered = undefined;
    const stream = this.#stream;
    this.#stream = undefined;
    const pending = this.#pending.splice(0);
    if (pending.length === 0) throw new Impossible("no request is under way");
    stream?.session.abort(error);
    for (const { reject } of pending) reject(error);
  }

  /** A live stream ends its wait because the contact has to be renewed. */
  endRead(): void {
    this.#take("read").resolve(undefined as never);
  }

  /** Puts a row on its way. @param repeats A revision that it has had before. */
  send(document: DocumentState, repeats?: string): void {
    if (this.#stream === undefined) throw new Impossible("no stream is open");
    const { position } = this.#stream;
    const next = position.with(document.shard, document.seq);
    this.#row = repeats === undefined
      ? { id: document.id, rev: this.#revOf(document.state), position: next }
      : { id: document.id, rev: repeats, position };
  }

  /** The reader gets what is on its way; without a row, that is a heartbeat. */
  async deliver(drain: () => Promise<void>, isHeartbeat: boolean = false): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined) throw new Impossible("no stream is open");
    const row = isHeartbeat ? undefined : this.#row;
    if (row === undefined && !isHeartbeat) throw new Impossible("no row is on its way");
    const pending = this.#take("read");
    const rows = this.#rows(this.#spell(stream.position), row === undefined ? [] : [this.#rowOf(row)]);
    if (row !== undefined) {
      stream.position = row.position;
      this.#row = undefined;
    }
    pending.resolve(rows as never);
    await drain();
    await this.#answerBeside(0, drain);
  }

  #ask<T>(kind: Pending["kind"], since: Since, limit: number, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending = { kind, since, limit, resolve, reject };
      const abort = () => {
        if (this.#pending.includes(pending)) this.#pending.splice(this.#pending.indexOf(pending), 1);
        reject(signal.reason);
      };
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      this.#pending.push(pending);
    });
  }

  #find(kind: Pending["kind"]): Pending {
    const pending = this.#pending.findLast((each) => each.kind === kind);
    if (pending === undefined) throw new Impossible(`no ${kind} has been asked for, but ${this.waitsFor}`);
    return pending;
  }

  #take(kind: Pending["kind"]): Pending {
    const pending = this.#find(kind);
    this.#remove(kind);
    return pending;
  }

  #remove(kind: Pending["kind"]): void {
    const index = this.#pending.findLastIndex((each) => each.kind === kind);
    if (index >= 0) this.#pending.splice(index, 1);
  }

  #fault(code: "network" | "truncated"): ChangesError {
    return new this.#library.ChangesError(code, "The connection broke");
  }

  #spell(position: readonly number[]): string {
    return `${position.reduce((a, b) => a + b, 0)}-${position.join(".")}`;
  }

  #positionOf(since: Since): readonly number[] {
    if (since === 0) return this.last.map(() => 0);
    return String(since).split("-")[1]!.split(".").map(Number);
  }

  /** Documents with a row after a position, in the order of their rows. */
  #after(position: readonly number[], first: number): DocumentState[] {
    const waiting = this.documents.filter(({ seq, shard }) => seq > position[shard]!);
    if (this.#shards === 1) return waiting.sort((a, b) => a.seq - b.seq);
    return waiting.sort((a, b) => Number(b.shard === first) - Number(a.shard === first));
  }

  #page(since: Since, limit: number, first: number): Page {
    let position = this.#positionOf(since);
    const waiting = this.#after(position, first);
    const results = waiting.slice(0, limit).map(({ id, shard, seq, state }) => {
      position = position.with(shard, seq);
      return { seq: this.#spell(position), id, changes: [{ rev: this.#revOf(state) }] };
    });
    const body = { results, last_seq: this.#spell(position), pending: waiting.length - results.length };
    return this.#library.toPage(body, since, limit);
  }

  #newest(limit: number): Page {
    const all = this.#after(this.last.map(() => 0), 0).reverse();
    const results = all.map(({ id, state }) => ({ seq: "0-0", id, changes: [{ rev: this.#revOf(state) }] }));
    return this.#library.toPage({ results, last_seq: "0-0", pending: 0 }, 0, limit);
  }

  #rowOf({ id, rev, position }: SentRow): unknown {
    return asRow({ seq: this.#spell(position), id, rev });
  }

  #rows(start: Since, results: readonly unknown[]): Rows {
    const rows = new this.#library.Rows(start);
    rows.addResults(results);
    return rows;
  }
}

/** A change as the feed spells it. */
function asRow({ seq, id, rev }: Pick<CouchChange, "seq" | "id" | "rev">): unknown {
  return { seq, id, changes: [{ rev }] };
}

interface OpenStream extends Stream {
  position: readonly number[];
  readonly session: AbortController;
}
