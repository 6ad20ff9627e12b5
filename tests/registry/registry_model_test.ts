import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import type { Change } from "../../src/changes/change.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import type { Lease } from "../../src/registry/lease.ts";
import type { Dependency } from "../../src/http/dependency.ts";
import type { Subscription } from "../../src/registry/subscription.ts";
import { SettableClock } from "../support/clock.ts";
import { offer } from "../support/registrations.ts";
import { ReferenceModel, type TwinLease } from "../support/reference_model.ts";
import { coreOf } from "../../src/registry/core.ts";

/**
 * The registry against a model that forgets nothing and optimises nothing: whatever the registry answers, the model
 * must call valid; whatever it refuses, it must have a reason that the model accepts.
 */

const KEYS = ["/a", "/b", "/c"];
const GROUPS = ["g0", "g1", "g2", "g3"];
const REVS = ["1-x", "2-y", "3-z"];
const FEEDS = ["one", "two"];
const MAX_LAG = 1_000;
const SETTLE = 300;

interface Setting {
  readonly settles: readonly number[];
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** One step: what, and numbers from which each kind of step takes what it needs. */
interface Step {
  readonly what: string;
  readonly key: number;
  readonly group: number;
  readonly rev: number;
  readonly more: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    ..."serve serve serve serve serve serve lease lease lease register register register release".split(" "),
    ..."lookup lookup lookup lookup lookup invalidate delete deleteTag clear change change change repeat repeat"
      .split(" "),
    ..."probe probe probe probe probe probe lost close advance advance sleep forward back".split(" "),
  ),
  key: fc.nat({ max: KEYS.length - 1 }),
  group: fc.nat({ max: GROUPS.length - 1 }),
  rev: fc.nat({ max: REVS.length - 1 }),
  more: fc.nat({ max: 11 }),
});

class Run {
  readonly clock: SettableClock = new SettableClock();
  readonly model: ReferenceModel;
  readonly registry: EtagRegistry;
  readonly setting: Setting;
  readonly subscriptions: Map<string, Subscription> = new Map();
  readonly leases: { readonly real: Lease; readonly model: TwinLease }[] = [];
  tags = 0;
  hits = 0;
  refusals = 0;

  constructor(setting: Setting) {
    this.setting = setting;
    this.model = new ReferenceModel(this.clock);
    this.registry = new EtagRegistry({
      manual: true,
      ...this.clock,
      maxEntries: setting.maxEntries,
      maxBytes: setting.maxBytes,
      maxVariants: 2,
      onEvict: (key, reason) => {
        // It made room, so the registry may know less than the model from here on.
        if (reason === "evicted" || reason === "vary-grew" || reason === "replaced") this.model.excuse(key);
      },
    });
    setting.settles.forEach((_, i) => this.follow(i));
  }

  follow(i: number): void {
    const name = FEEDS[i]!;
    this.subscriptions.set(name, coreOf(this.registry).subscribe(name, MAX_LAG, this.setting.settles[i]!));
    this.model.follow(name, MAX_LAG, this.setting.settles[i]!);
  }

  take({ what, key, group, rev, more }: Step): void {
    const resource = KEYS[key]!;
    const caller = [undefined, undefined, "ann"][more % 3];
    const feed = FEEDS[more % Math.max(1, this.setting.settles.length)]!;
    const ms = [1, 150, SETTLE, MAX_LAG, MAX_LAG + 1][more % 5]!;
    switch (what) {
      case "lease":
        this.leases.push({
          real: coreOf(this.registry).lease(resource, caller),
          model: this.model.lease(resource, caller),
        });
        break;
      case "register":
        return this.register(group, rev, more);
      case "serve":
        this.leases.unshift({
          real: coreOf(this.registry).lease(resource, caller),
          model: this.model.lease(resource, caller),
        });
        this.register(group, rev, 0);
        return this.lookup(resource, caller, 0);
      case "lookup":
        return this.lookup(resource, caller, more);
      case "release":
        return this.leases.splice(more % Math.max(1, this.leases.length), 1)[0]?.real.release();
      case "invalidate":
        this.registry.invalidate(GROUPS[group]!);
        return this.model.invalidate(GROUPS[group]!);
      case "delete":
        this.registry.delete(resource);
        return this.model.delete(resource);
      case "deleteTag":
        this.registry.deleteTag(`"${this.tags - more}"`);
        return this.model.deleteTag(`"${this.tags - more}"`);
      case "clear":
        if (more > 2) return;
        this.registry.clear();
        return this.model.invalidateAll();
      case "change":
        return this.apply(feed, [{ id: GROUPS[group]!, rev: REVS[rev]! }], more);
      case "repeat":
        return this.apply(feed, [{ id: GROUPS[group]!, rev: REVS[rev]! }], more, true);
      case "probe":
        return this.apply(feed, [], 0);
      case "lost":
        return this.apply(feed, [], 1);
      case "close":
        return more > 3 ? undefined : this.reopen(more);
      case "advance":
        this.clock.advance(ms);
        return this.model.pass(ms);
      case "sleep":
        this.clock.wall += ms;
        return this.model.pass(ms);
      case "forward":
        if (more < 4) this.clock.wall += ms;
        return;
      case "back":
        if (more < 4) this.clock.wall -= ms;
        return;
    }
  }

  /** `kind` 1: contact is lost; 2: a gap; 3: the groups function throws; 4: a further group; else plain. */
  apply(feed: string, changes: readonly Change[], kind: number, repeated: boolean = false): void {
    const subscription = this.subscriptions.get(feed);
    if (subscription === undefined) return;
    const state = kind === 1 ? "lost" : "live";
    const groups = () => {
      if (kind === 3) throw new Error("no such field");
      return kind === 4 ? ["g3"] : [];
    };
    subscription.apply({
      ...(repeated ? { changes: [], repeated: changes } : { changes }),
      position: { since: 1, source: "db" },
      state,
      contact: this.clock.instant,
      ...(kind === 2 ? { reset: "recreated" } : {}),
    }, groups);
    this.model.batch(
      feed,
      kind === 2,
      changes,
      state === "live",
      // Its own name tells no more of a change.
      kind === 4 && changes.every(({ id }) => id !== "g3") ? ["g3"] : [],
      kind === 3,
      repeated,
    );
  }

  reopen(more: number): void {
    const i = more % Math.max(1, this.setting.settles.length);
    const subscription = this.subscriptions.get(FEEDS[i]!);
    if (subscription === undefined) return;
    subscription.close();
    assert.equal(this.registry.live, false);
    this.follow(i);
  }

  register(group: number, rev: number, more: number): void {
    const lease = this.leases.splice(more % Math.max(1, this.leases.length), 1)[0];
    if (lease === undefined) return;
    const sources: Dependency[] = [{ _id: GROUPS[group]!, _rev: REVS[rev]! }];
    if (more % 3 === 0) sources.push(GROUPS[more % GROUPS.length]!);
    const etag = more % 4 === 0 ? undefined : `"${++this.tags}"`;
    const headers = new Headers({ x: `${more % 3}` });
    const vary = more % 2 === 0 ? [] : ["x"];
    const overflows = this.registry.stats.overflow;
    const judged = this.model.judge(lease.model, sources);
    const entry = coreOf(this.registry).register(lease.real, offer(sources, { etag, vary }), headers);
    if (typeof entry !== "string") {
      assert.notEqual(judged, "must refuse", "registered what may be older than a change");
      this.model.register(lease.model, entry.etag, sources);
    } else if (entry !== "too-large" && overflows === 0) {
      assert.notEqual(judged, "must accept", `refused without a reason: ${entry}`);
      this.refusals++;
    }
  }

  lookup(resource: string, caller: string | undefined, more: number): void {
    const { live } = this.model;
    assert.equal(this.registry.live, live);
    const answer = coreOf(this.registry).lookup(resource, new Headers({ x: `${more % 3}` }), caller);
    if (typeof answer !== "string") {
      assert.ok(live, "answered while suspended");
      assert.ok(this.model.mayAnswer(resource, caller, answer.etag), `${answer.etag} is void`);
      this.hits++;
    } else if (live && answer === "miss") {
      assert.equal(this.model.mustKnow(resource, caller), false, "missed what nothing has voided");
    } else if (live && answer === "group-changed") {
      assert.ok(this.model.anyVoid(resource, caller), "voided what nothing has changed");
    }
  }
}

function check(name: string, setting: Setting, seed: number): void {
  test(`EtagRegistry: never answers what its model calls void, nor refuses without cause (${name}, seed ${seed})`, () => {
    let hits = 0;
    let refusals = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 60, maxLength: 120 }), (steps) => {
        const run = new Run(setting);
        setting.settles.forEach((_, i) => run.apply(FEEDS[i]!, [], 0));
        for (const one of steps) run.take(one);
        hits += run.hits;
        refusals += run.refusals;
      }),
      { seed, numRuns: 200 },
    );
    assert.ok(hits > 50 && refusals > 50, `too quiet to mean anything: ${hits} hits, ${refusals} refusals`);
  });
}

const roomy = { maxEntries: 1_000, maxBytes: 1e9 };
check("no feed", { settles: [], ...roomy }, 1);
check("a single node", { settles: [0], ...roomy }, 2);
check("a cluster", { settles: [SETTLE], ...roomy }, 3);
check("a single node and a cluster", { settles: [0, SETTLE], ...roomy }, 4);
check("little room", { settles: [SETTLE], maxEntries: 3, maxBytes: 1_500 }, 5);
