/** What each way of reading declares, through nano and PouchDB themselves. */
import assert from "node:assert/strict";
import process from "node:process";
import { after, before, test } from "node:test";
import { EtagRegistry, follow, group, withEtag } from "../../mod.ts";
import {
  anyChange,
  declare,
  guarding,
  Reads,
  reads,
  strayReads,
  tracked,
  untracked,
} from "../../src/reads/reads.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { live } from "../support/registrations.ts";
import { type Library, openLibrary } from "./library.ts";

let library: Library;
before(async () => void (library = await openLibrary()));
after(() => library.close());

/** What a task reads, as `id@rev`, sorted. */
async function readsOf(task: () => unknown): Promise<string[]> {
  const made = new Reads();
  await made.run(async () => {
    try {
      await task();
    } catch {
      // A handler may go on after a failed read.
    }
  });
  return made.isUnknown ? ["unknown"] : spelled(made);
}

function spelled({ dependencies }: Reads): string[] {
  return dependencies.map((one) => typeof one === "string" ? one : one._rev ? `${one._id}@` : one._id).sort();
}

// deno-lint-ignore no-explicit-any -- each call is of another shape
type Handles = { readonly nano: any; readonly pouch: any };

const cases: readonly (readonly [string, (handles: Handles) => unknown, readonly string[]])[] = [
  ["nano get", ({ nano }) => nano.get("book-0"), ["book-0@"]],
  ["nano get of what does not exist", ({ nano }) => nano.get("book-1"), ["book-1"]],
  ["nano get at a revision", ({ nano }) => nano.get("book-0", { rev: library.revOf("book-0") }), ["book-0"]],
  ["nano head", ({ nano }) => nano.head("book-0"), ["book-0@"]],
  ["nano fetch by keys", ({ nano }) => nano.fetch({ keys: ["book-0", "book-1"] }), ["book-0@", "book-1"]],
  ["nano list", ({ nano }) => nano.list(), ["any change", ...evens()]],
  ["nano list with documents", ({ nano }) => nano.list({ include_docs: true }), ["any change", ...evens()]],
  ["nano find", ({ nano }) => nano.find({ selector: {} }), ["any change", ...evens()]],
  ["nano view", ({ nano }) => nano.view("books", "all"), ["any change", ...evens("")]],
  ["nano view with documents", ({ nano }) => nano.view("books", "all", { include_docs: true }), [
    "any change",
    ...evens(),
  ]],
  ["nano reduce", ({ nano }) => nano.view("books", "count", { reduce: true }), ["any change"]],
  ["pouch get", ({ pouch }) => pouch.get("book-0"), ["book-0@"]],
  ["pouch get of what does not exist", ({ pouch }) => pouch.get("book-1"), ["book-1"]],
  ["pouch allDocs by keys", ({ pouch }) => pouch.allDocs({ keys: ["book-0", "book-1"] }), [
    "book-0@",
    "book-1",
  ]],
  ["pouch allDocs", ({ pouch }) => pouch.allDocs(), ["any change", ...evens()]],
  ["pouch bulkGet", ({ pouch }) => pouch.bulkGet({ docs: [{ id: "book-0" }, { id: "book-1" }] }), [
    "book-0@",
    "book-1",
  ]],
  ["pouch info", ({ pouch }) => pouch.info(), ["any change"]],
  ["a callback of pouch", ({ pouch }) => called((done) => pouch.get("book-0", done)), ["book-0@"]],
  ["the server behind nano", ({ nano }) => nano.server.config, ["unknown"]],
  ...["conflicts", "deleted_conflicts", "local_seq"].flatMap((option) => {
    const asked = { [option]: true };
    const shown = { ...asked, keys: ["book-0"], include_docs: true };
    return [
      [`nano get with ${option}`, ({ nano }: Handles) => nano.get("book-0", asked), ["book-0"]],
      [`nano get without ${option}`, ({ nano }: Handles) => nano.get("book-0", { [option]: false }), [
        "book-0@",
      ]],
      [`pouch allDocs with ${option}`, ({ pouch }: Handles) => pouch.allDocs(shown), ["book-0"]],
      [`nano view with ${option}`, ({ nano }: Handles) => nano.view("books", "all", shown), [
        "any change",
        ...evens(""),
      ]],
      [`nano find with ${option}`, ({ nano }: Handles) => nano.find({ selector: {}, ...asked }), [
        "any change",
        ...evens(""),
      ]],
    ] as const;
  }),
  ["nano get with the states of revisions", ({ nano }) => nano.get("book-0", { revs_info: true }), [
    "unknown",
  ]],
  ...[{ update: "false" }, { update: "lazy" }, { update: false }, { stale: "ok" }].map((options) =>
    [
      `nano view with ${JSON.stringify(options)}`,
      ({ nano }: Handles) => nano.view("books", "all", options),
      ["unknown"],
    ] as const
  ),
  [
    "nano view, brought up to date",
    ({ nano }) => nano.view("books", "count", { reduce: true, update: "true" }),
    [
      "any change",
    ],
  ],
  ["nano fetchRevs", ({ nano }) => nano.fetchRevs({ keys: ["book-0", "book-1"] }), ["book-0@", "book-1"]],
  ["nano show", ({ nano }) => nano.show("books", "card", "book-0"), ["any change", "book-0"]],
  ["nano session", ({ nano }) => nano.session(), ["unknown"]],
  ["pouch changes", async ({ pouch }) => void await pouch.changes({ include_docs: true }), ["any change"]],
  [
    "the changes of pouch as they come",
    ({ pouch }) =>
      new Promise((done) => {
        const feed = pouch.changes({ live: true });
        feed.on("change", () => feed.cancel()).on("complete", done);
      }),
    ["any change"],
  ],
  ["what a method of pouch returns for the next", ({ pouch }) => pouch.once("x", () => {}).get("book-0"), [
    "book-0@",
  ]],
  ["the constructor of pouch", ({ pouch }) => pouch.constructor.version, []],
  ["twice the same", async ({ nano }) => [await nano.get("book-0"), await nano.get("book-0")], ["book-0@"]],
  ["untracked", ({ nano }) => untracked(() => nano.get("book-0")), []],
  [
    "untracked, deep",
    ({ nano }) => untracked(async () => [await nano.get("book-0"), await nano.get("book-2")]),
    [],
  ],
  ["declared by hand", () => declare("post-1", { _id: "post-2", _rev: "1-a" }), ["post-1", "post-2@"]],
];

function evens(mark = "@"): string[] {
  return Array.from({ length: 10 }, (_, i) => `book-${2 * i}${mark}`).sort();
}

function called(start: (done: (error: unknown, value: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => start((error, value) => error ? reject(error) : resolve(value)));
}

for (const [name, task, expected] of cases) {
  test(`tracked: ${name}`, async () => {
    const handles = { nano: tracked(library.nano), pouch: tracked(library.pouch) };
    assert.deepEqual(await readsOf(() => task(handles)), [...expected].sort());
  });
}

test("tracked: what stands for a set is named by an option, or by nothing", async () => {
  const books = group("books", ({ id }) => id.startsWith("book-"));
  const asked: unknown[] = [];
  const narrow = tracked(library.nano, { set: (...args) => (asked.push(args), books) });
  assert.deepEqual(await readsOf(() => narrow.find({ selector: {} })), ["books", ...evens()].sort());
  assert.deepEqual(asked, [["find", { selector: {} }]]);
  const none = tracked(library.nano, { set: () => undefined });
  assert.deepEqual(await readsOf(() => none.list()), ["unknown"]);
  assert.deepEqual(await readsOf(() => none.get("book-0")), ["book-0@"]);
});

test("tracked: a read that fails is unknown, and is passed on", async () => {
  const broken = tracked({ get: () => Promise.reject(new Error("the line is cut")) });
  assert.deepEqual(await readsOf(() => broken.get().catch(() => "a page without it")), ["unknown"]);
  const throws = tracked({
    get: () => {
      throw new Error("closed");
    },
  });
  assert.deepEqual(await readsOf(() => throws.get()), ["unknown"]);
});

test("tracked: an answer that is no document is unknown", async () => {
  for (
    const answer of [undefined, null, 0, "post", {}, { _id: "post-1" }, { _rev: "1-a" }, { _id: 1, _rev: 2 }]
  ) {
    const liar = tracked({ get: () => Promise.resolve(answer), list: () => Promise.resolve(answer) });
    assert.deepEqual(await readsOf(() => liar.get()), ["unknown"], String(answer));
    assert.deepEqual(await readsOf(() => liar.list()), ["unknown"], String(answer));
  }
});

test("tracked: a local document is in no feed, so nothing stands for it", async () => {
  const local = tracked({ get: (_id: string) => Promise.resolve({ _id, _rev: "0-1" }) });
  const made = new Reads();
  await made.run(() => local.get("_local/seat"));
  assert.match(Object.values(made.declaration())[0]!, / ;\?$/);
});

test("tracked: ids by the names that a mapped feed has", async () => {
  const users = tracked(library.pouch, { id: (id) => `user/${id}` }) as Library["pouch"];
  assert.deepEqual(
    await readsOf(async () => [await users.get("book-0"), await users.allDocs({ keys: ["book-1"] })]),
    [
      "user/book-0@",
      "user/book-1",
    ],
  );
  assert.deepEqual(await readsOf(() => users.get("book-1")), ["user/book-1"]);
  const named = tracked(library.pouch, {
    id: (id) => `user/${id}`,
    set: () => "all users",
    methods: { info: () => ["visits", { _id: "visit-1", _rev: "1-a" }] },
  }) as Library["pouch"];
  assert.deepEqual(
    await readsOf(() => named.allDocs({ limit: 1 })),
    ["all users", "user/book-0@"],
    "a set has a name of its own",
  );
  assert.deepEqual(
    await readsOf(() => named.info()),
    ["visit-1@", "visits"],
    "and so has what methods names",
  );
});

test("tracked: a handle of another kind, by its methods", async () => {
  class Rows {
    readonly #rows = [{ id: 7, version: 3 }];
    row = (id: number) => Promise.resolve(this.#rows.find((row) => row.id === id));
    all() {
      return this.#rows;
    }
  }
  const rows = tracked(new Rows(), {
    methods: {
      row: (row, id) =>
        row === undefined
          ? `row-${id}`
          : { _id: `row-${id}`, _rev: String((row as { version: number }).version) },
    },
  });
  assert.deepEqual(await readsOf(() => rows.row(7)), ["row-7@"]);
  assert.deepEqual(await readsOf(() => rows.row(8)), ["row-8"]);
  assert.deepEqual(await readsOf(() => rows.all()), ["any change"]);
});

/** Clients of relational databases, as far as a statement goes. */
const rowsFound = [{ id: "7", key: "a", value: "b" }];
// deno-lint-ignore no-explicit-any -- each is called in another way
const sqlClients: Record<string, { readonly handle: object; readonly ask: (handle: any) => unknown }> = {
  "pg": {
    handle: { query: () => Promise.resolve({ rows: rowsFound, fields: [], rowCount: 1, command: "SELECT" }) },
    ask: (pool) => pool.query("select * from posts"),
  },
  "a connection of a pool": {
    handle: {
      connect: () => Promise.resolve({ query: () => Promise.resolve({ rows: rowsFound, fields: [] }) }),
    },
    ask: async (pool) => (await pool.connect()).query("select * from posts"),
  },
  "postgres.js, a template": {
    handle: Object.assign(() => Promise.resolve(rowsFound), {}),
    ask: (sql) => sql`select * from posts`,
  },
  "postgres.js, unsafe": {
    handle: Object.assign(() => {}, { unsafe: () => Promise.resolve(rowsFound) }),
    ask: (sql) => sql.unsafe("select * from posts"),
  },
  "node:sqlite": {
    handle: { prepare: () => ({ all: () => rowsFound }) },
    ask: (database) => database.prepare("select * from posts").all(),
  },
  "libSQL": {
    handle: { execute: () => Promise.resolve({ rows: rowsFound, columns: ["id", "key", "value"] }) },
    ask: (client) => client.execute("select * from posts"),
  },
  "drizzle": {
    handle: { select: () => ({ from: () => Promise.resolve(rowsFound) }) },
    ask: (db) => db.select().from({}),
  },
};

for (const [name, { handle, ask }] of Object.entries(sqlClients)) {
  test(`tracked: ${name}: the tables that are named are what a statement reads, or else it is unknown`, async () => {
    assert.ok((await readsOf(() => ask(tracked(handle)))).includes("unknown"));
    const named = tracked(handle, { tables: ["posts", "blog.authors"] });
    assert.deepEqual([...new Set(await readsOf(() => ask(named)))], ["blog.authors", "posts"]);
  });
}

/** What a client gives once, for all requests: how it is asked for, and how it is used. */
const statement = { all: () => rowsFound, bind: () => statement };
// deno-lint-ignore no-explicit-any -- as above
type Use = (of: any) => any;
const keepers: Record<string, readonly [handle: object, keep: Use, ask: Use]> = {
  "a prepared statement": [{ prepare: () => statement }, (db) => db.prepare(""), (kept) => kept.all()],
  "… with its parameters bound": [
    { prepare: () => statement },
    (db) => db.prepare("").bind(),
    (kept) => kept.all(),
  ],
  "a statement of bun:sqlite": [{ query: () => statement }, (db) => db.query(""), (kept) => kept.all()],
  "a transaction of better-sqlite3": [
    { transaction: (task: () => unknown) => task },
    (db) => db.transaction(() => rowsFound),
    (kept) => kept(),
  ],
  "a connection of pg": [
    { connect: () => Promise.resolve({ query: () => Promise.resolve({ rows: rowsFound }) }) },
    (pool) => pool.connect(),
    (client) => client.query(""),
  ],
  "a connection that gives itself": [
    {
      connect() {
        return Promise.resolve(this);
      },
      query: () => Promise.resolve([]),
    },
    (client) => client.connect(),
    (client) => client.query(""),
  ],
  "a connection of postgres.js": [
    { reserve: () => Promise.resolve(Object.assign(() => Promise.resolve(rowsFound), {})) },
    (sql) => sql.reserve(),
    (reserved) => reserved`select 1`,
  ],
};

for (const [name, [handle, keep, ask]] of Object.entries(keepers)) {
  test(`tracked: ${name} that was kept from before reads the tables of its handle for each request`, async () => {
    const kept = await keep(tracked(handle, { tables: ["posts"] }));
    assert.deepEqual([...new Set(await readsOf(() => ask(kept)))], ["posts"]);
  });
}

test("tracked: rows stay what the client gave, and writes that give rows are reads of the tables", async () => {
  const [row] = rowsFound;
  const handle = {
    query: () => Promise.resolve({ rows: rowsFound }),
    insert: () => row,
    copy: () => rowsFound,
  };
  const db = tracked(handle, { tables: ["posts"] });
  assert.equal((await db.query()).rows, rowsFound);
  assert.deepEqual(await readsOf(() => db.insert()), ["posts"]);
  assert.deepEqual(await readsOf(() => db.copy()), ["posts"]);
  assert.equal(db.insert(), row);
});

test("tracked: a page over a table that no feed reports is not registered, whatever else is followed", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ ...clock });
  const feed = Object.assign(new PushedFeed(), { sources: new Set(["posts"]) });
  const follower = follow(registry, feed, { groups: [anyChange] });
  feed.reader.push(live(clock));
  await settled();
  for (const [tables, size, refused] of [[["posts"], 1, 0], [["posts", "authors"], 1, 1]] as const) {
    const db = tracked({ query: () => Promise.resolve([]) }, { tables });
    const handler = withEtag(async () => {
      await db.query();
      return new Response("page", { headers: { "cache-control": "public, no-cache" } });
    }, { registry, reads });
    await handler(new Request(`http://localhost/${tables}`));
    assert.deepEqual([registry.size, registry.stats["group-unfollowed"]], [size, refused]);
  }
  await follower.close();
});

for (const tables of [[], [""], ["a/b"], [7]]) {
  test(`tracked: tables ${JSON.stringify(tables)} throw at once`, () => {
    assert.throws(() => tracked({}, { tables: tables as string[] }), TypeError);
  });
}

test("tracked: parts of a handle, and handles that a method gives, are tracked as well", async () => {
  const parts = tracked({
    books: {
      get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a" }),
      all: () => Promise.resolve([]),
    },
    use: (_name: string) => library.nano,
  }, { methods: { "books.get": (book) => book as { _id: string; _rev: string } } });
  assert.deepEqual(await readsOf(() => parts.books.get("book-0")), ["book-0@"]);
  assert.deepEqual(await readsOf(() => parts.books.all()), ["any change"]);
  assert.deepEqual(await readsOf(() => parts.use("library").get("book-0")), ["book-0@"]);
});

test("tracked: a handle that is a function gives what cannot be known, and one that is frozen is tracked", async () => {
  const documentOf = (id: string) => Promise.resolve({ _id: id, _rev: "1-a" });
  assert.deepEqual(await readsOf(() => tracked(documentOf)("book-0")), ["unknown"]);
  const frozen = tracked(Object.freeze({ get: documentOf }));
  assert.deepEqual(await readsOf(() => frozen.get("book-0")), ["book-0@"]);
});

test("tracked: a map function is no callback", async () => {
  const asked: unknown[][] = [];
  const pouch = tracked({
    query: (...args: unknown[]) => (asked.push(args), Promise.resolve({ rows: [{ id: "book-0" }] })),
  });
  const map = (_document: unknown, _emit: unknown) => {};
  assert.deepEqual(await readsOf(() => pouch.query(map)), ["any change", "book-0"]);
  assert.deepEqual(asked, [[map]]);
});

test("tracked: a view that is joined with a document that does not exist depends on it", async () => {
  const row = { id: "book-0", key: null, value: { _id: "cook-0" }, doc: null };
  const views = tracked({ view: () => Promise.resolve({ rows: [row] }) }, { set: () => [] });
  assert.deepEqual(await readsOf(() => views.view()), ["book-0", "cook-0"]);
});

test("tracked: a setter of a handle is given what is set", () => {
  class Seat {
    #taken = 0;
    get taken() {
      return this.#taken;
    }
    set taken(count) {
      this.#taken = count;
    }
  }
  const seat = tracked(new Seat());
  seat.taken = 2;
  assert.equal(seat.taken, 2);
});

test("tracked: the changes of pouch that requests share are read by each that awaits them", async () => {
  const pouch = tracked(library.pouch) as Library["pouch"];
  const [first, second] = [new Reads(), new Reads()];
  const shared = first.run(() => pouch.changes());
  await second.run(async () => void await shared);
  assert.deepEqual([first, second].map(spelled), [["any change"], ["any change"]]);
});

test("tracked: writes and events are no reads", async () => {
  const pouch = tracked(library.pouch) as Library["pouch"];
  assert.deepEqual(
    await readsOf(async () => {
      const { rev } = await pouch.put({ _id: "draft", title: "Draft" });
      await pouch.remove("draft", rev);
      pouch.once("created", () => {});
    }),
    [],
  );
});

test("tracked: what is read for access is a guard", async () => {
  const nano = tracked(library.nano);
  const made = new Reads();
  await made.run(async () => {
    await guarding(() => nano.get("book-0"));
    await nano.get("book-2");
  });
  assert.match(Object.values(made.declaration())[0]!, / ;!book-0;\S+ book-2;\S+$/);
});

test("tracked: a promise that requests share is read by each that awaits it", async () => {
  const nano = tracked(library.nano);
  const shared = nano.get("book-0"); // at the start of the program
  const [first, second, third] = [new Reads(), new Reads(), new Reads()];
  await Promise.all([
    first.run(async () => void await shared),
    second.run(() => Promise.all([shared, nano.get("book-2")])),
    third.run(() => nano.get("book-4")),
  ]);
  assert.deepEqual([first, second, third].map(spelled), [["book-0@"], ["book-0@", "book-2@"], ["book-4@"]]);
  const later = new Reads();
  await later.run(async () => void await shared);
  assert.deepEqual(spelled(later), ["book-0@"]);
});

test("tracked: outside of any request a read is counted, and harmless", async () => {
  const before = strayReads().outside;
  assert.equal((await tracked(library.nano).get("book-0"))._id, "book-0");
  assert.equal(strayReads().outside, before + 1);
});

test("tracked: a failed read that nothing awaits ends nothing that would not have ended without", async () => {
  const rejections: unknown[] = [];
  const listen = (error: unknown) => rejections.push(error);
  process.on("unhandledRejection", listen);
  await readsOf(() => void tracked(library.nano).get("book-1").catch(() => {}));
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", listen);
  assert.deepEqual(rejections, []);
});

test("tracked: the handle stays what it was", () => {
  const nano = tracked(library.nano);
  assert.equal(nano.config, library.nano.config);
  assert.equal(nano.get, nano.get);
  assert.throws(
    () => tracked(undefined as unknown as object),
    /tracked\(\) takes a handle of a database, not undefined/,
  );
});

test("anyChange: each change is in it", () => {
  assert.equal(anyChange.matches({ id: "x" }), true);
  assert.equal(typeof reads, "function");
});
