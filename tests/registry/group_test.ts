import assert from "node:assert/strict";
import { test } from "node:test";
import type { ChangeBatch, ChangesFeed, CouchChange, DocumentChange } from "../../src/changes/change.ts";
import {
  type DeclaredDependency,
  type Dependency,
  dependsOn,
  FOLLOWED,
  INVALIDATES,
  invalidates,
  readDeclaration,
} from "../../src/http/dependency.ts";
import { coreOf } from "../../src/registry/core.ts";
import {
  follow,
  type Follower,
  type FollowOptions,
  type Group,
  group,
  groupBy,
  type GroupFamily,
} from "../../src/registry/follow.ts";
import { DocumentMemory } from "../../src/registry/document_memory.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { withEtag } from "../../src/handler/with_etag.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { ask, keep, live, NO_FIELDS, offer } from "../support/registrations.ts";
import { restored, saved } from "../support/snapshots.ts";

interface Note {
  readonly owner?: string;
}

type NoteChange = CouchChange<Note>;

/** The groups of an owner's notes, as a handler declares them. */
const byOwner = groupBy("owner", (change: NoteChange) => change.doc?.owner ?? []);

/** What a handler declares, as the registry reads it. */
function declared(...dependencies: Dependency[]): readonly DeclaredDependency[] {
  return readDeclaration(Object.values(dependsOn(...dependencies))[0]!)!;
}

/** A row of a feed with `includeDocs` and `style: "all_docs"`: revision `rev`, one leaf unless told otherwise. */
function row(id: string, rev: string, owner: string | undefined, more: Partial<NoteChange> = {}): NoteChange {
  const doc = owner === undefined ? {} : { owner };
  return { id, rev, seq: 0, deleted: false, revs: [rev], doc, ...more };
}

function tombstone(id: string, rev: string): NoteChange {
  return row(id, rev, undefined, { deleted: true });
}

interface SetUp {
  readonly registry: EtagRegistry;
  readonly clock: SettableClock;
  readonly follower: Follower;
  readonly warnings: readonly string[];
  push(changes?: readonly DocumentChange[], more?: Partial<ChangeBatch>): Promise<void>;
  /** Registers the page of each owner. */
  serve(...owners: string[]): void;
  /** The owners whose page is still answered. */
  valid(): string[];
}

const OWNERS = ["ada", "bob", "cy"];

/** A registry that follows a feed which the test pushes, with the pages of three owners. */
async function setUp(
  groups: FollowOptions<NoteChange>["groups"] = [byOwner],
  options: FollowOptions<NoteChange> & { readonly former?: SetUp; readonly snapshot?: Uint8Array } = {},
): Promise<SetUp> {
  const clock = options.former?.clock ?? new SettableClock();
  const settings = { ...clock, version: "1" };
  const registry = options.former?.registry ??
    (options.snapshot === undefined
      ? new EtagRegistry(settings)
      : await restored(options.snapshot, settings));
  const feed = new PushedFeed();
  const warnings: string[] = [];
  const follower = follow(registry, feed as ChangesFeed as ChangesFeed<NoteChange>, { ...options, groups });
  const push = async (changes: readonly DocumentChange[] = [], more: Partial<ChangeBatch> = {}) => {
    const { warn } = console;
    console.warn = (text: string) => warnings.push(text);
    feed.reader.push(live(clock, changes, { position: { since: 1, source: "db" }, ...more }));
    await settled();
    console.warn = warn;
  };
  const serve = (...owners: string[]) => {
    for (const owner of owners) keep(registry, `/${owner}`, declared(byOwner(owner)));
  };
  await push();
  const valid = () => OWNERS.filter((owner) => ask(registry, `/${owner}`) === '"1"');
  return { registry, clock, follower, warnings, push, serve, valid };
}

interface Case {
  readonly what: string;
  /** Reported before the pages are built. */
  readonly known?: readonly DocumentChange[];
  /** Reported afterwards. */
  readonly then: readonly DocumentChange[];
  readonly more?: Partial<ChangeBatch>;
  /** The pages that must be void. */
  readonly void: readonly string[];
}

const created = row("note-1", "1-a", "ada");
const cases: readonly Case[] = [
  { what: "a new document", then: [created], void: ["ada"] },
  { what: "an edit", known: [created], then: [row("note-1", "2-b", "ada")], void: ["ada"] },
  {
    what: "a move",
    known: [created],
    then: [row("note-1", "2-b", "bob")],
    void: ["ada", "bob"],
  },
  {
    what: "a deletion",
    known: [created],
    then: [tombstone("note-1", "2-b")],
    void: ["ada"],
  },
  {
    what: "a document made again after its deletion",
    known: [created, tombstone("note-1", "2-b")],
    then: [row("note-1", "3-c", "bob")],
    void: ["bob"],
  },
  {
    what: "a document that lost its owner",
    known: [created],
    then: [row("note-1", "2-b", undefined)],
    void: ["ada"],
  },
  {
    what: "a document that had no owner",
    known: [row("note-1", "1-a", undefined)],
    then: [row("note-1", "2-b", "ada")],
    void: ["ada"],
  },
  {
    what: "two moves in a row, each reported",
    known: [created],
    then: [row("note-1", "2-b", "bob"), row("note-1", "3-c", "ada")],
    void: ["ada", "bob"],
  },
  {
    what: "two moves of which only the second is reported",
    known: [created],
    then: [row("note-1", "3-c", "ada")],
    void: OWNERS,
  },
  { what: "the same row again", known: [created], then: [created], void: ["ada"] },
  {
    what: "an older row again",
    known: [created, row("note-1", "2-b", "bob"), row("note-1", "3-c", "cy")],
    then: [created],
    void: OWNERS,
  },
  {
    what: "a document that was there before the follower",
    then: [row("note-1", "7-g", "bob")],
    void: OWNERS,
  },
  {
    what: "a tombstone of a document that was there before the follower",
    then: [tombstone("note-1", "7-g")],
    void: OWNERS,
  },
  {
    what: "a conflict, of which another revision may have won meanwhile",
    known: [created],
    then: [row("note-1", "2-c", "ada", { revs: ["2-c", "2-b"] })],
    void: OWNERS,
  },
  {
    what: "a conflict that is over",
    known: [created],
    then: [row("note-1", "3-d", "ada", { revs: ["3-d", "3-b"] })],
    void: OWNERS,
  },
  {
    what: "a change without its document",
    known: [created],
    then: [{ id: "note-1", rev: "2-b", revs: ["2-b"] } as DocumentChange],
    void: OWNERS,
  },
  {
    what: "a change with null for its document",
    known: [created],
    then: [{ id: "note-1", rev: "2-b", revs: ["2-b"], doc: null } as DocumentChange],
    void: OWNERS,
  },
  {
    what: "a change with its document at a later revision",
    known: [created],
    then: [row("note-1", "2-b", "ada", { doc: { owner: "ada", _rev: "3-c" } as Note })],
    void: OWNERS,
  },
  {
    what: "a change after one without its document",
    known: [created, { id: "note-1", rev: "2-b", revs: ["2-b"] } as DocumentChange],
    then: [row("note-1", "3-c", "ada")],
    void: OWNERS,
  },
  {
    what: "a feed without the leaves",
    known: [{ id: "note-1", rev: "1-a", doc: { owner: "ada" } } as DocumentChange],
    then: [{ id: "note-1", rev: "2-b", doc: { owner: "bob" } } as DocumentChange],
    void: OWNERS,
  },
  {
    what: "a revision without a generation",
    then: [row("note-1", "abc", "ada")],
    void: OWNERS,
  },
  {
    what: "a move whose change carries the state before",
    then: [{ id: "note-1", before: { owner: "ada" }, doc: { owner: "bob" } } as DocumentChange],
    void: ["ada", "bob"],
  },
  {
    what: "a deletion whose change carries the state before",
    then: [{ id: "note-1", before: { owner: "ada" }, deleted: true } as DocumentChange],
    void: ["ada"],
  },
  {
    what: "a new document whose change says that there was none before",
    then: [{ id: "note-1", rev: "9", before: null, doc: { owner: "bob" } } as DocumentChange],
    void: ["bob"],
  },
  {
    what: "the state before, but not the one now",
    then: [{ id: "note-1", before: { owner: "ada" } } as DocumentChange],
    void: OWNERS,
  },
  {
    what: "a change that carries the state before, and then one that does not",
    known: [created, { id: "note-1", before: { owner: "ada" }, doc: { owner: "bob" } } as DocumentChange],
    then: [row("note-1", "3-c", "cy")],
    void: OWNERS,
  },
  {
    what: "a row after an older one without its document",
    known: [
      created,
      row("note-1", "2-b", "bob"),
      { id: "note-1", rev: "1-a", revs: ["1-a"] } as DocumentChange,
    ],
    then: [row("note-1", "2-b", "bob")],
    void: OWNERS,
  },
  {
    what: "a move of one of two documents that map() gave one id",
    known: [
      row("notes", "1-a", "", { doc: { _id: "note-1", owner: "ada" } as Note }),
      row("notes", "1-b", "", { doc: { _id: "note-2", owner: "bob" } as Note }),
    ],
    then: [row("notes", "2-c", "", { doc: { _id: "note-1", owner: "cy" } as Note })],
    void: ["ada", "cy"],
  },
  {
    what: "a move of a document whose id map() makes of its owner",
    known: [row("ada's", "1-a", "", { doc: { _id: "note-1", owner: "ada" } as Note })],
    then: [row("bob's", "2-b", "", { doc: { _id: "note-1", owner: "bob" } as Note })],
    void: OWNERS,
  },
  { what: "a reset", known: [created], then: [], more: { reset: "rolled-back" }, void: OWNERS },
];

for (const { what, known = [], then, more, void: expected } of cases) {
  test(`groupBy: ${what} voids ${expected.join(", ")}`, async () => {
    const { push, serve, valid, follower, registry } = await setUp();
    await push(known);
    serve(...OWNERS);
    assert.deepEqual(valid(), OWNERS);
    const unknown = registry.stats["membership-unknown"];
    await push(then, more);
    assert.deepEqual(OWNERS.filter((owner) => !valid().includes(owner)), expected);
    const knows = expected.length < OWNERS.length || more !== undefined;
    assert.equal(registry.stats["membership-unknown"] > unknown, !knows);
    await follower.close();
  });

  test(`groupBy: ${what}: a page that is being built does not register either`, async () => {
    const { push, follower, registry } = await setUp();
    await push(known);
    const leases = OWNERS.map((owner) => coreOf(registry).lease(`/${owner}`));
    await push(then, more);
    const refused = OWNERS.filter((owner, index) =>
      coreOf(registry).register(leases[index]!, offer(declared(byOwner(owner))), NO_FIELDS) === "lease-broken"
    );
    assert.deepEqual(refused, expected);
    await follower.close();
  });
}

test("groups: a function that names groups sees neither a move nor a deletion, which groupBy does", async () => {
  const names = ({ doc }: NoteChange) => doc?.owner === undefined ? [] : [`owner/${doc.owner}`];
  for (const then of [row("note-1", "2-b", undefined), tombstone("note-1", "2-b")]) {
    for (const [groups, expected] of [[names, '"1"'], [[byOwner], "group-changed"]] as const) {
      const { push, registry, follower } = await setUp(groups);
      await push([created]);
      keep(registry, "/count", ["owner/ada", "owner"]);
      await push([then]);
      assert.equal(ask(registry, "/count"), expected);
      await follower.close();
    }
  }
});

test("groupBy: a follower that resumes remembers nothing, so the first change of a known document voids all", async () => {
  const first = await setUp();
  await first.push([created]);
  first.serve(...OWNERS);
  await first.follower.close();
  const second = await setUp([byOwner], { former: first });
  assert.deepEqual(second.valid(), OWNERS);
  await second.push([row("note-2", "1-a", "ada")]);
  assert.deepEqual(second.valid(), ["bob", "cy"], "a new document was in nothing before");
  await second.push([row("note-1", "2-b", "bob")]);
  assert.deepEqual(second.valid(), []);
  await second.follower.close();
});

test("groupBy: pages of a snapshot are void with the first change of which the memory holds nothing", async () => {
  const first = await setUp();
  await first.push([created]);
  first.serve(...OWNERS);
  const snapshot = await saved(first.registry);
  await first.follower.close();
  for (const [rev, expected] of [["1-a", ["ada", "cy"]], ["2-b", []]] as const) {
    const second = await setUp([byOwner], { snapshot });
    assert.deepEqual(second.valid(), OWNERS);
    await second.push([row("note-1", rev, "bob")]);
    assert.deepEqual(second.valid(), expected);
    await second.follower.close();
  }
});

test("groupBy: after a reset it remembers nothing", async () => {
  const { push, serve, valid, follower } = await setUp();
  await push([created]);
  await push([], { reset: "rolled-back" });
  serve(...OWNERS);
  await push([row("note-1", "2-b", "ada")]);
  assert.deepEqual(valid(), []);
  await follower.close();
});

test("groups: a page of a group that the next follower is not given is void, and others stay", async () => {
  const first = await setUp([byOwner, group("posts", ({ id }) => id.startsWith("post-"))]);
  first.serve("ada");
  keep(first.registry, "/posts", ["posts"]);
  await first.follower.close();
  const second = await setUp([byOwner], { former: first });
  assert.deepEqual([second.valid(), ask(second.registry, "/posts")], [["ada"], "group-changed"]);
  await second.follower.close();
});

test("groupBy: two feeds of one registry may use one family, and one id", async () => {
  const one = await setUp();
  const two = await setUp([byOwner], { former: one, name: "two" });
  await one.push([row("note", "1-a", "ada")]);
  await two.push([row("note", "1-x", "bob")]);
  one.serve(...OWNERS);
  await one.push([row("note", "2-b", "cy")]);
  assert.deepEqual(one.valid(), ["bob"]);
  one.serve(...OWNERS);
  await two.push([tombstone("note", "2-y")]);
  assert.deepEqual(one.valid(), ["ada", "cy"]);
  await one.follower.close();
  await two.follower.close();
});

test("groupBy: in a cluster, a family that is void settles", async () => {
  const { push, follower, registry, clock } = await setUp();
  await push([], { replicas: 3 });
  clock.advance(10_000);
  await push([row("note-1", "7-g", "ada")]);
  assert.equal(keep(registry, "/cy", declared(byOwner("cy"))), "settling");
  clock.advance(5_000);
  assert.equal(typeof keep(registry, "/cy", declared(byOwner("cy"))), "object");
  await follower.close();
});

test("groupBy: beyond maxBytes it forgets what was reported longest ago, and the change of that voids all", async () => {
  const small = groupBy("owner", byOwner.keysOf, { maxBytes: 400 });
  const { push, serve, valid, follower } = await setUp([small]);
  await push([row("a", "1-a", "ada"), row("b", "1-a", "bob"), row("c", "1-a", "cy")]);
  serve(...OWNERS);
  await push([row("c", "2-b", "cy")]);
  assert.deepEqual(valid(), ["ada", "bob"]);
  await push([row("a", "2-b", "ada")]);
  assert.deepEqual(valid(), []);
  await follower.close();
});

test("DocumentMemory: holds as much as fits, and counts what it holds", () => {
  const memory = new DocumentMemory(1_000);
  for (let n = 0; n < 1_000; n++) {
    memory.set(`note-${n % 50}`, n, Array.from({ length: n % 7 }, (_, key) => `key ${key}`));
    assert.ok(memory.bytes <= 1_000);
  }
  assert.ok(memory.size > 2);
  memory.set("large", 1, ["x".repeat(1_000)]);
  assert.deepEqual([memory.size, memory.bytes], [0, 0], "what does not fit by itself is not remembered");
  memory.set("note", 1, ["a"]);
  memory.set("note", 2, ["b", "c"]);
  assert.deepEqual([memory.size, memory.get("note")], [1, { id: "note", generation: 2, keys: ["b", "c"] }]);
  memory.delete("note");
  memory.delete("note");
  assert.deepEqual([memory.size, memory.bytes], [0, 0]);
});

/** What a user may write, and whether it can be relied on for a change without document, history or state before. */
const readers: readonly (readonly [string, (change: NoteChange) => unknown, boolean])[] = [
  ["reads the id", ({ id }) => id.slice(0, 3), true],
  [
    "reads the document of some ids only",
    (change) => change.id === "bob" && change.doc !== undefined ? "x" : [],
    true,
  ],
  ["reads the document", ({ doc }) => doc?.owner ?? [], false],
  ["asks whether there is a document", (change) => "doc" in change ? "x" : [], false],
  ["asks whether there is a document of its own", (change) => Object.hasOwn(change, "doc") ? "x" : [], false],
  ["copies the change", (change) => ({ ...change }).doc?.owner ?? [], false],
  ["looks through the fields", (change) => Object.entries(change).length > 9 ? "x" : [], false],
  ["makes it a text", (change) => JSON.stringify(change).includes("owner") ? "x" : [], false],
  ["reads whether it is deleted", ({ id, deleted }) => deleted ? [] : id, false],
  ["reads the revision", ({ rev }) => rev ?? [], false],
  ["throws", () => JSON.parse("{"), false],
  ["gives nothing", () => undefined, false],
  ["gives null", () => null, false],
  ["gives a number", () => 7, false],
  ["gives a list of numbers", ({ id }) => [id, 7], false],
  ["gives a promise", () => Promise.resolve("ada"), false],
  [
    "throws half way",
    function* ({ id }) {
      yield id;
      throw new Error("no more");
    },
    false,
  ],
];

for (const [what, keysOf, isKnown] of readers) {
  test(`groupBy: a function that ${what} ${isKnown ? "is relied on" : "voids the family"}`, async () => {
    const family = groupBy("owner", keysOf as (change: NoteChange) => string);
    const { push, serve, valid, follower, registry, warnings } = await setUp([family]);
    keep(registry, "/other", ["other"]);
    serve(...OWNERS);
    await push([{ id: "ada", rev: "2-b" }]);
    assert.deepEqual(valid().includes("cy"), isKnown);
    await push([{ id: "ada", rev: "2-b" }]);
    assert.equal(ask(registry, "/other"), '"1"');
    const { "membership-unknown": unknown, reset, "groups-threw": threw } = registry.stats;
    assert.deepEqual([unknown, reset, threw], [isKnown ? 0 : 2, 1, 0]);
    assert.deepEqual(new Set(warnings).size, warnings.length, "each problem is said once");
    assert.equal(warnings.length > 0, !isKnown);
    for (const warning of warnings) {
      assert.match(warning, /^Stillfresh: after some changes groupBy\("owner"\) is void/);
    }
    await follower.close();
  });
}

test("groupBy: says which option of the feed is missing", async () => {
  const { push, follower, warnings } = await setUp();
  await push([{ id: "a" }, { id: "a", doc: {} }, { id: "b" }]);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /includeDocs: true/);
  assert.match(warnings[1]!, /style: "all_docs"/);
  await follower.close();
});

test("groupBy: a field that `before` does not show was another before, perhaps", async () => {
  const family = groupBy(
    "owner",
    (change: { readonly id: string; readonly owner?: string }) => change.owner ?? [],
  );
  const { push, serve, valid, follower, warnings } = await setUp([family]);
  serve(...OWNERS);
  await push([{ id: "note", owner: "bob", before: { owner: "ada" } } as DocumentChange]);
  assert.deepEqual(valid(), []);
  assert.match(warnings.join(), /reads `owner`, which `before` does not show/);
  await follower.close();
});

test("groupBy: one document may be in many groups, and each counts", async () => {
  const tags = groupBy(
    "owner",
    ({ doc }: CouchChange<{ readonly tags: string }>) => new Set(doc?.tags.split(" ")),
  );
  const { push, serve, valid, follower } = await setUp([tags as unknown as GroupFamily<NoteChange>]);
  await push([row("note", "1-a", "", { doc: { tags: "ada bob" } as Note })]);
  serve(...OWNERS);
  await push([row("note", "2-b", "", { doc: { tags: "bob cy" } as Note })]);
  assert.deepEqual(valid(), []);
  await follower.close();
});

const posts = group("posts", ({ id }) => id.startsWith("post-"));

test("group: by id, it is void with each change of its documents, a deletion too, and with no other", async () => {
  const { push, follower, registry, warnings } = await setUp([posts]);
  const isValid = async (change: DocumentChange) => {
    keep(registry, "/posts", declared(posts));
    await push([change]);
    return ask(registry, "/posts") === '"1"';
  };
  assert.equal(await isValid({ id: "post-1", rev: "9-x" }), false);
  assert.equal(await isValid({ id: "post-1", deleted: true }), false);
  assert.equal(await isValid({ id: "user-1", rev: "9-x" }), true);
  assert.deepEqual([registry.stats["membership-unknown"], warnings], [0, []]);
  await follower.close();
});

test("group: by content, it is void when a document enters, leaves, is deleted or cannot be known", async () => {
  const owned = group(
    "owned",
    (change: NoteChange) => change.deleted !== true && change.doc?.owner !== undefined,
  );
  const { push, follower, registry } = await setUp([owned]);
  const rows: readonly (readonly [NoteChange, boolean])[] = [
    [row("note", "1-a", undefined), true],
    [row("note", "2-b", "ada"), false],
    [row("note", "3-c", undefined), false],
    [row("note", "4-d", undefined), true],
    [row("note", "5-e", "ada"), false],
    [tombstone("note", "6-f"), false],
    [row("other", "6-f", undefined), false],
    [row("other", "7-f", undefined), true],
  ];
  for (const [change, isValid] of rows) {
    keep(registry, "/owned", declared(owned));
    await push([change]);
    assert.equal(ask(registry, "/owned") === '"1"', isValid, JSON.stringify(change));
  }
  await follower.close();
});

test("group: a function that gives no boolean voids the group, and says so", async () => {
  for (const matches of [() => undefined, () => "post-1", () => Promise.resolve(false)]) {
    const { push, follower, registry, warnings } = await setUp([
      group("posts", matches as unknown as () => boolean),
    ]);
    keep(registry, "/posts", declared(posts));
    await push([{ id: "user-1" }]);
    assert.equal(ask(registry, "/posts"), "group-changed");
    assert.match(warnings.join(), /group\("posts"\) is void.*must return true or false/);
    await follower.close();
  }
});

test("group: frozen, with its name for a document's id, and no revision", () => {
  assert.deepEqual([posts._id, "_rev" in posts, Object.isFrozen(posts)], ["posts", false, true]);
  assert.deepEqual([byOwner.name, Object.isFrozen(byOwner), String(byOwner)], [
    "owner",
    true,
    'groupBy("owner")',
  ]);
  const member = byOwner("ada");
  assert.deepEqual([member._id, Object.isFrozen(member)], ["owner/ada", true]);
});

test("dependsOn: a group of a family brings the family along, and survives a copy", () => {
  const names = (...dependencies: Dependency[]) =>
    declared(...dependencies).map((one) => one[FOLLOWED] === undefined ? one._id : `${one._id} followed`);
  assert.deepEqual(names(posts), ["posts followed"]);
  assert.deepEqual(names(byOwner("ada"), byOwner("é, b"), "x"), [
    "owner followed",
    "owner/ada",
    "owner/é, b",
    "x",
  ]);
  assert.deepEqual(names({ ...posts }, { ...byOwner("ada") }), [
    "posts followed",
    "owner followed",
    "owner/ada",
  ]);
  assert.deepEqual(declared({ _id: "a", _rev: "1-a" }, posts).map(({ _rev }) => _rev), [
    "1-a",
    undefined,
  ]);
});

test("readDeclaration: a followed group has no revision, and a name", () => {
  const [field, text] = Object.entries(dependsOn(posts))[0]!;
  assert.ok(field);
  assert.equal(readDeclaration(text)?.length, 1);
  for (const rest of [";1-a", " ;;", " ;;;a", " ;;a;1-a", " ;;_local/a", " ;;%ZZ"]) {
    assert.equal(readDeclaration(`${text}${rest}`), undefined, rest);
  }
});

test("invalidates: names a group, or one group of a family, and not the family", () => {
  const read = readDeclaration(invalidates(posts, byOwner("ada"))[INVALIDATES]!)!;
  assert.deepEqual(read.map(({ _id }) => _id), ["posts", "owner/ada"]);
});

test("register: a group that no follower was given is refused, but for a manual registry", async () => {
  for (
    const [groups, dependency, expected] of [
      [[], posts, "group-unfollowed"],
      [[byOwner], posts, "group-unfollowed"],
      [[posts], byOwner("ada"), "group-unfollowed"],
      [() => ["posts"], posts, "group-unfollowed"],
      [[posts], posts, "object"],
      [[posts, byOwner], byOwner("ada"), "object"],
    ] as const
  ) {
    const { registry, follower } = await setUp(groups);
    const outcome = keep(registry, "/", declared(dependency, "other"));
    assert.equal(typeof outcome === "string" ? outcome : typeof outcome, expected);
    assert.equal(registry.stats["group-unfollowed"], expected === "object" ? 0 : 1);
    assert.equal(coreOf(registry).lease("/").key, "/");
    await follower.close();
  }
  const unfollowed = new EtagRegistry();
  assert.equal(keep(unfollowed, "/", declared(posts)), "group-unfollowed");
  assert.equal(typeof keep(new EtagRegistry({ manual: true }), "/", declared(posts)), "object");
});

test("withEtag: a page of a group, a write that names two, and the groups for caches in front", async () => {
  const { registry, follower } = await setUp([posts, byOwner]);
  const handler = withEtag(
    ({ method }: Request) =>
      method === "GET"
        ? new Response("2", { headers: { "cache-control": "public", ...dependsOn(posts, byOwner("ada")) } })
        : new Response(null, { status: 204, headers: invalidates(byOwner("ada"), byOwner("bob")) }),
    { registry, purgeFields: ["cache-groups"] },
  );
  const get = (etag = "") =>
    handler(new Request("http://localhost/ada", { headers: { "if-none-match": etag } }));
  const first = await get();
  assert.equal(first.headers.get("cache-groups"), '"posts", "owner", "owner/ada"');
  const etag = first.headers.get("etag")!;
  assert.equal((await get(etag)).status, 304);
  await handler(new Request("http://localhost/move", { method: "POST" }));
  assert.equal((await get(etag)).status, 200);
  await follower.close();
});

for (
  const [what, make, message] of [
    ["no name", () => group(undefined as never, () => true), /^group\(\) takes a name, not undefined$/],
    [
      "a document",
      () => group({ _id: "a" } as never, () => true),
      /^group\(\) takes a name, not {"_id":"a"}$/,
    ],
    ["an empty name", () => group("", () => true), /^group\(\) takes no empty name/],
    [
      "a local document",
      () => groupBy("_local/a", () => []),
      /^groupBy\(\) takes no local document.*"_local\/a"/,
    ],
    ["half a surrogate pair", () => group("\ud800", () => true), /half a surrogate pair/],
    [
      "no function",
      () => group("posts", "post-" as never),
      /^group\("posts"\) takes a function of a change, not "post-"$/,
    ],
    [
      "no function of keys",
      () => groupBy("a", undefined as never),
      /^groupBy\("a"\) takes a function.*undefined$/,
    ],
    ["a key that is no string", () => byOwner(7 as never), /^groupBy\("owner"\) takes a key, not 7$/],
    [
      "a key that is missing",
      () => byOwner(undefined as never),
      /^groupBy\("owner"\) takes a key, not undefined$/,
    ],
    [
      "a family for a group of it",
      () => dependsOn(byOwner as never),
      /^dependsOn\(\) takes .*, not groupBy\("owner"\)$/,
    ],
  ] as const
) {
  test(`group: refuses ${what}`, () => {
    assert.throws(make, (error) => error instanceof TypeError && message.test(error.message));
  });
}

for (const maxBytes of [0, -1, NaN, "many"]) {
  test(`group: ${maxBytes} is no bound`, () => {
    const options = { maxBytes: maxBytes as number };
    const message = new RegExp(`^maxBytes must be a number above 0, not ${maxBytes}$`);
    for (const make of [() => group("a", () => true, options), () => groupBy("a", () => [], options)]) {
      assert.throws(make, (error) => error instanceof RangeError && message.test(error.message));
    }
  });
}

for (
  const [what, groups, message] of [
    ["a name", ["posts"], /^groups takes what group\(\) and groupBy\(\) gave, not "posts"$/],
    ["nothing", [posts, undefined], /not undefined$/],
    ["a function", [posts, () => ["posts"]], /not \(\)\s*=>/],
    ["a document", [{ _id: "posts" }], /not {"_id":"posts"}$/],
    ["a group of a family", [byOwner("ada")], /not {"_id":"owner\/ada"}$/],
    ["one name twice", [posts, byOwner, posts], /^groups has the name "posts" twice/],
    ["a group outside a list", posts, /^groups must be a function or a list of groups, not {"_id":"posts"/],
    [
      "a family outside a list",
      byOwner,
      /^groups must be a function or a list of groups, not groupBy\("owner"\)$/,
    ],
    ["a text", "posts", /^groups must be a function or a list of groups, not "posts"$/],
  ] as const
) {
  test(`follow: refuses ${what} for groups, at once and without a subscription`, async () => {
    const registry = new EtagRegistry();
    const start = () => follow(registry, new PushedFeed(), { groups: groups as never });
    assert.throws(start, (error) => error instanceof TypeError && message.test(error.message));
    await follow(registry, new PushedFeed()).close();
  });
}

test("Group: a group of plain changes fits each feed, and a group by document only a feed of such documents", () => {
  const plain: Group = posts;
  const typed: FollowOptions<NoteChange>["groups"] = [plain, byOwner];
  // @ts-expect-error a feed of plain changes has no documents
  const untyped: FollowOptions["groups"] = [byOwner];
  // @ts-expect-error a plain change has no document
  const wrong = group("published", (change) => change.doc === undefined);
  assert.deepEqual([typed, untyped, wrong].length, 3);
});
