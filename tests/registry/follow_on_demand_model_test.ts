/** Events at random, many at once, against a database that is edited meanwhile: no answer is older than it may be. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EtagRegistry, followOnDemand } from "../../mod.ts";
import type { ChangeBatch } from "../../src/changes/change.ts";
import { coreOf } from "../../src/registry/core.ts";
import type { Lease } from "../../src/registry/lease.ts";
import { SettableClock } from "../support/clock.ts";
import fc from "../support/fast_check.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { live, NO_FIELDS, offer } from "../support/registrations.ts";

const IDS = ["a", "b"];
const MAX_LAG = 20;

/** A database of which each page has one row. */
class Log {
  readonly rows: { id: string; rev: string; at: number }[] = [];

  edit(id: string, at: number): void {
    this.rows.push({ id, rev: `${this.rows.length + 1}-x`, at });
  }

  revision(id: string): string {
    return this.rows.findLast((row) => row.id === id)?.rev ?? "0-x";
  }

  /** When a revision was superseded; Infinity: it is the winner. */
  endOf(id: string, rev: string): number {
    const own = this.rows.filter((row) => row.id === id);
    return own[own.findIndex((row) => row.rev === rev) + 1]?.at ?? Infinity;
  }

  /** The first row after a position that is the latest of its document. */
  next(since: number): number | undefined {
    const at = this.rows.findIndex(({ id, rev }, at) => at >= since && this.revision(id) === rev);
    return at < 0 ? undefined : at;
  }
}

class World {
  readonly clock: SettableClock = new SettableClock();
  readonly log: Log = new Log();
  readonly registry: EtagRegistry = new EtagRegistry({ ...this.clock });
  readonly #follower = followOnDemand(this.registry, { maxLag: MAX_LAG, onError: () => {} });
  readonly #readers: { feed: PushedFeed; since: number; held: ChangeBatch | undefined }[] = [];
  readonly #handlers: { lease: Lease; id: string; rev: string }[] = [];
  hits = 0;

  act(kind: string, index: number): void {
    const { clock, log } = this;
    const id = IDS[index % IDS.length]!;
    clock.advance(kind === "advance" ? index : 0);
    if (kind === "edit") {
      clock.advance(1);
      log.edit(id, clock.mono);
    } else if (kind === "event") {
      const feed = new PushedFeed();
      void this.#follower.catchUp(feed);
      const from = feed.from[0];
      this.#readers.push({
        feed,
        since: from === undefined ? log.rows.length : Number(from.since),
        held: undefined,
      });
    } else if (kind === "page") this.#page(index);
    else if (kind === "read") {
      // A handler may have kept its document, from before any number of edits.
      const rev = index < 4
        ? log.revision(id)
        : log.rows.findLast((row, at) => row.id === id && at < log.rows.length - index + 3)?.rev ?? "0-x";
      this.#handlers.push({ lease: coreOf(this.registry).lease(`/${id}`), id, rev });
    } else if (kind === "register") this.#register(index);
    else this.#ask(id);
  }

  close(): void {
    for (const { feed } of this.#readers) feed.reader.end();
  }

  /** The database makes the next page of a reader, or one that was made earlier arrives. */
  #page(index: number): void {
    const { clock, log } = this;
    if (this.#readers.length === 0) return;
    const reader = this.#readers[index % this.#readers.length]!;
    if (reader.held !== undefined) {
      reader.feed.reader.push(reader.held);
      if (reader.held.state === "live") this.#readers.splice(this.#readers.indexOf(reader), 1);
      reader.held = undefined;
      return;
    }
    const at = log.next(reader.since);
    const changes = at === undefined ? [] : [{ id: log.rows[at]!.id, rev: log.rows[at]!.rev }];
    reader.since = at === undefined ? reader.since : at + 1;
    const isLast = log.next(reader.since) === undefined;
    const position = { since: reader.since, source: "log" };
    reader.held = live(clock, changes, { position, state: isLast ? "live" : "catching-up" });
  }

  #register(index: number): void {
    if (this.#handlers.length === 0) return;
    const [{ lease, id, rev }] = this.#handlers.splice(index % this.#handlers.length, 1) as [
      { lease: Lease; id: string; rev: string },
    ];
    coreOf(this.registry).register(lease, offer([{ _id: id, _rev: rev }], { etag: `"${rev}"` }), NO_FIELDS);
  }

  #ask(id: string): void {
    const entry = coreOf(this.registry).lookup(`/${id}`, NO_FIELDS);
    if (typeof entry === "string") return;
    this.hits++;
    const rev = entry.etag.slice(1, -1);
    const { mono } = this.clock;
    const age = mono - this.log.endOf(id, rev);
    assert.ok(age <= MAX_LAG, `${id} at ${rev} was superseded ${age} ms ago`);
  }
}

const kinds = ["advance", "edit", "event", "page", "page", "page", "read", "register", "ask", "ask"];

test("followOnDemand: whatever overlaps, no answer is older than maxLag allows", async () => {
  let hits = 0;
  const action = fc.tuple(fc.constantFrom(...kinds), fc.nat(7));
  const property = fc.asyncProperty(fc.array(action, { minLength: 40, maxLength: 200 }), async (actions) => {
    const world = new World();
    try {
      // What a handler keeps from before the first contact no feed reports: docs/consistency.md.
      for (const [kind, index] of [["event", 0], ["page", 0], ["page", 0], ...actions] as const) {
        world.act(kind, index);
        if (kind === "page") await settled();
      }
    } finally {
      world.close();
      await settled();
    }
    hits += world.hits;
  });
  await fc.assert(property, { numRuns: 100 });
  assert.ok(hits > 0, "something was answered");
});
