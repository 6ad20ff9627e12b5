import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import type { DocumentChange } from "../../src/changes/change.ts";
import { dependsOn, readDeclaration } from "../../src/http/dependency.ts";
import { coreOf } from "../../src/registry/core.ts";
import { followedGroups } from "../../src/registry/followed_groups.ts";
import { group } from "../../src/registry/group.ts";
import { groupBy } from "../../src/registry/group_by.ts";
import type { Lease } from "../../src/registry/lease.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import type { Subscription } from "../../src/registry/subscription.ts";
import { SettableClock } from "../support/clock.ts";
import { DocumentWorld, type RowStyle } from "../support/document_world.ts";
import { ask, live, NO_FIELDS, offer } from "../support/registrations.ts";

/**
 * Pages that declare nothing but the group of an owner, over a database in which notes move, are deleted, fall back to
 * other revisions and come back, while the feed skips, repeats, is lost, restarted and reset. Whenever the feed is
 * complete, a page that the registry would confirm must show what is true now.
 */

const RUNS = 2_000;
const OWNERS = ["ada", "bob", "cy"];
const NOTES = ["note-1", "note-2"];

type NoteChange = DocumentChange<{ readonly owner?: string }>;

interface Setting {
  readonly style: RowStyle;
  readonly maxBytes: number;
  /** Now and then a row comes without its document. */
  readonly losesDocuments: boolean;
}

interface Step {
  readonly what: string;
  readonly note: number;
  readonly owner: number;
  readonly more: number;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  style: fc.constantFrom("leaves", "leaves", "leaves", "winner", "before"),
  maxBytes: fc.constantFrom(300, 2 ** 20),
  losesDocuments: fc.constantFrom(false, false, true),
});

const step: fc.Arbitrary<Step> = fc.record({
  what: fc.constantFrom(
    ..."write write write write write delete conflict conflict begin begin read read register register".split(
      " ",
    ),
    ..."serve serve serve emit emit apply apply contact contact lose repeat restart reset save restore".split(
      " ",
    ),
  ),
  note: fc.nat({ max: NOTES.length - 1 }),
  owner: fc.nat({ max: OWNERS.length - 1 }),
  more: fc.nat({ max: 5 }),
});

interface Page {
  readonly owner: string;
  readonly lease: Lease;
  content: string | undefined;
}

class Run {
  readonly #clock = new SettableClock();
  readonly #registry = new EtagRegistry({ ...this.#clock });
  readonly #world: DocumentWorld;
  readonly #setting: Setting;
  readonly #groups;
  #groupsOfFollower;
  #subscription: Subscription;
  #pages: Page[] = [];
  #revisions = 0;
  hits = 0;
  unknown = 0;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.#world = new DocumentWorld(setting.style);
    const { maxBytes } = setting;
    this.#groups = {
      byOwner: groupBy("owner", ({ doc }: NoteChange) => doc?.owner ?? [], { maxBytes }),
      owned: group("owned", ({ deleted, doc }: NoteChange) => deleted !== true && doc?.owner !== undefined, {
        maxBytes,
      }),
    };
    [this.#groupsOfFollower, this.#subscription] = this.#follow();
  }

  #follow() {
    const groups = followedGroups<NoteChange>(
      [this.#groups.byOwner, this.#groups.owned],
      () => this.unknown++,
    );
    const subscription = coreOf(this.#registry).subscribe("changes", Infinity, 0, { groups: groups.names });
    return [groups, subscription] as const;
  }

  take({ what, note, owner, more }: Step): void {
    const [id, name] = [NOTES[note]!, String.fromCharCode(97 + more) + this.#revisions++];
    switch (what) {
      case "write":
        return this.#world.write(id, name, OWNERS[owner]);
      case "delete":
        return this.#world.write(id, name, undefined);
      case "conflict":
        return this.#world.conflict(id, name, more === 0 ? undefined : OWNERS[owner]);
      case "begin":
        return this.#begin(owner, more);
      case "read":
        return this.#read(this.#pages[more % Math.max(1, this.#pages.length)]);
      case "register":
        return this.#register(this.#pages.splice(more % Math.max(1, this.#pages.length), 1)[0]);
      case "serve":
        this.#begin(owner, more);
        this.#read(this.#pages.at(-1));
        return this.#register(this.#pages.pop());
      case "emit":
        return this.#world.emit(1 + more);
      case "apply":
        return this.#apply(this.#world.take(1 + more), "catching-up");
      case "contact":
        this.#world.emit(Infinity);
        this.#apply(this.#world.take(Infinity), "live");
        return this.check();
      case "lose":
        this.#world.lose();
        return this.#apply([], "lost");
      case "repeat":
        return this.#world.repeat(id);
      case "restart":
        this.#world.lose();
        this.#subscription.close();
        [this.#groupsOfFollower, this.#subscription] = this.#follow();
        return;
      case "reset":
        return this.#apply([], "catching-up", "purged");
      case "save":
        return this.#world.save();
      case "restore":
        this.#world.restore();
        return this.#apply([], "catching-up", "rolled-back");
    }
  }

  #apply(
    rows: readonly DocumentChange[],
    state: "live" | "catching-up" | "lost",
    reset?: "purged" | "rolled-back",
  ) {
    const { losesDocuments } = this.#setting;
    const changes = rows.map((row) =>
      losesDocuments && row.rev!.endsWith("3") ? { ...row, doc: undefined } : row
    );
    const batch = live(this.#clock, changes as NoteChange[], {
      state,
      position: { since: 1, source: "notes" },
      ...(reset === undefined ? {} : { reset }),
    });
    this.#subscription.apply(batch, this.#groupsOfFollower.touchedBy as never, this.#groupsOfFollower.forget);
  }

  /** An owner of none: the page of the number of notes. */
  #begin(owner: number, more: number): void {
    const name = more === 0 ? "" : OWNERS[owner]!;
    this.#pages.push({ owner: name, lease: coreOf(this.#registry).lease(`/${name}`), content: undefined });
  }

  #read(page: Page | undefined): void {
    if (page !== undefined) page.content = this.#truthOf(page.owner);
  }

  #truthOf(owner: string): string {
    return JSON.stringify(owner === "" ? this.#world.owned : this.#world.pageOf(owner));
  }

  #register(page: Page | undefined): void {
    if (page?.content === undefined) return page?.lease.release();
    const { byOwner, owned } = this.#groups;
    const [declaration] = Object.values(dependsOn(page.owner === "" ? owned : byOwner(page.owner)));
    const dependencies = readDeclaration(declaration!)!;
    coreOf(this.#registry).register(page.lease, offer(dependencies, { etag: page.content }), NO_FIELDS);
  }

  check(): void {
    for (const owner of ["", ...OWNERS]) {
      const answered = ask(this.#registry, `/${owner}`);
      if (!answered.startsWith('"')) continue;
      this.hits++;
      assert.equal(answered, this.#truthOf(owner), `the page of ${owner || "all"}`);
    }
  }
}

test("groupBy: when the feed is complete, every page that would be confirmed is true", () => {
  let [hits, unknown, exact] = [0, 0, 0];
  const { warn } = console;
  console.warn = () => {};
  try {
    fc.assert(
      fc.property(
        setting,
        fc.array(step, { minLength: 10, maxLength: 80, size: "max" }),
        (setting, steps) => {
          const run = new Run(setting);
          for (const step of steps) run.take(step);
          run.take({ what: "contact", note: 0, owner: 0, more: 0 });
          hits += run.hits;
          unknown += run.unknown;
          exact += run.unknown === 0 ? run.hits : 0;
        },
      ),
      { numRuns: RUNS },
    );
  } finally {
    console.warn = warn;
  }
  assert.ok(
    hits > RUNS / 4 && unknown > RUNS && exact > RUNS / 10,
    `${hits} hits, ${unknown} unknown, ${exact} exact`,
  );
});
