/** The feed over a stand-in of MariaDB: where it resumes, what it refuses, and what it says when something is wrong. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, row, rows, withEtag } from "../../mod.ts";
import { changes, migration, type PolledFeedEvent } from "../../src/mysql/changes.ts";
import { lookStatement, readList } from "../../src/mysql/look.ts";
import { StandIn } from "./stand_in.ts";
import { Watch } from "./watch.ts";

const tables = ["posts"];
const watch = (server: StandIn, options = {}, from?: Watch["position"]) =>
  new Watch(server.query, { tables, ...options }, from);

test("mysql: changes are told with their table, whatever the order of their numbers, and once", async () => {
  const server = new StandIn();
  server.running = ["7"];
  server.rows.set(3, "posts/1");
  const seen = watch(server);
  assert.deepEqual(await seen.look(), { ids: [], state: "live", reset: undefined });
  server.rows.set(5, "posts?author_id=5");
  assert.deepEqual((await seen.look()).ids, ["posts", "posts?author_id=5"]);
  server.rows.set(2, "posts/2");
  assert.deepEqual((await seen.look()).ids, ["posts", "posts/2"]);
  server.rows.set(4, "posts/4");
  assert.deepEqual((await seen.look()).ids, ["posts", "posts/4"]);
  assert.deepEqual((await seen.look()).ids, []);
  assert.equal(seen.position!.since, "5:1-1");
  await seen.close();
});

test("mysql: a gap is forgotten once nothing runs, by a list of now and of this server", async () => {
  const server = new StandIn();
  const seen = watch(server);
  await seen.look();
  server.rows.set(3, "posts/1");
  server.isListFresh = false;
  for (let n = 0; n < 3; n++) await seen.look();
  assert.equal(seen.position!.since, "3:1-2", "the list may be an old one");
  server.isListFresh = true;
  server.running = ["7"];
  for (let n = 0; n < 3; n++) await seen.look();
  assert.equal(seen.position!.since, "3:1-2");
  server.running = [];
  await seen.look();
  assert.equal(seen.position!.since, "3");
  await seen.close();
});

test("mysql: a list that another server gave tells nothing", async () => {
  const server = new StandIn();
  const other = new StandIn();
  other.life = "other";
  let lister = server;
  const query = (text: string) => Promise.resolve((text.includes("as token") ? lister : server).answer(text));
  const seen = new Watch(query, { tables });
  await seen.look();
  lister = other;
  server.rows.set(3, "posts/1");
  for (let n = 0; n < 3; n++) await seen.look();
  assert.equal(seen.position!.since, "3:1-2");
  await seen.close();
});

test("mysql: a list of more transactions than the server lists for sure tells nothing", () => {
  const rows = (count: number) => [
    { identity: "life", id: "0", thread: "9", started: "1", query: "select 'token'" },
    ...Array.from(
      { length: count },
      (_, n) => ({ identity: "life", id: n, thread: n, started: 1, query: null }),
    ),
  ];
  assert.equal(readList(rows(999), "token", "life")!.length, 999);
  assert.equal(readList(rows(1_000), "token", "life"), undefined);
});

/** What has happened to a server, and why everything counts as changed. */
const resets: Readonly<Record<string, readonly [change: (server: StandIn) => void, reason: string]>> = {
  "it has another life": [(server) => void (server.life = "other"), "restarted"],
  "it has been started, and has no life": [(server) => void (server.life = null), "restarted"],
  "a table is another": [(server) => void server.posts.push("space 9"), "schema"],
  "what was to come has been pruned": [(server) => void (server.floor = 9), "since-refused"],
  "more has changed than is read": [
    (server) => {
      for (let n = 1; n <= 11; n++) server.rows.set(n, `posts/${n}`);
    },
    "overflow",
  ],
};

for (const [what, [change, reason]] of Object.entries(resets)) {
  test(`mysql: ${what}: a reset, from which the feed goes on`, async () => {
    const server = new StandIn();
    const seen = watch(server, { overflow: 10 });
    await seen.look();
    change(server);
    assert.deepEqual(await seen.look(), { ids: [], state: "live", reset: reason });
    assert.deepEqual(await seen.look(), { ids: [], state: "live", reset: undefined });
    const next = Math.max(server.floor, ...server.rows.keys()) + 1;
    server.rows.set(next, "posts/1");
    assert.deepEqual((await seen.look()).ids, ["posts", "posts/1"]);
    await seen.close();
  });
}

test("mysql: a feed resumes from its position, and knows those that are not its own", async () => {
  const server = new StandIn();
  const first = watch(server);
  await first.look();
  await first.close();
  server.rows.set(1, "posts/1");
  const resumed = watch(server, {}, first.position);
  assert.deepEqual((await resumed.look()).ids, ["posts", "posts/1"]);
  await resumed.close();
  const source = first.position!.source!;
  for (
    const position of [
      { since: "9-x", source: "couchdb" },
      { since: "0", source: "[]" },
      { since: "1; drop", source },
      { since: "0", source: source.replace("posts", "tags") },
    ]
  ) {
    const stranger = watch(server, {}, position);
    assert.equal((await stranger.look()).reset, "since-refused", JSON.stringify(position));
    await stranger.close();
  }
});

/** What a server is, and why a feed does not begin there. */
const refusals: Readonly<
  Record<string, readonly [change: (server: StandIn) => void, code: string, sentence: RegExp]>
> = {
  "the statement ran in a transaction": [
    (server) => server.server.push("transaction"),
    "bad-request",
    /inside a transaction/,
  ],
  "it reads what is not committed": [
    (server) => server.server.push("uncommitted"),
    "bad-request",
    /READ UNCOMMITTED/,
  ],
  "it is read-only": [(server) => server.server.push("read-only"), "bad-request", /follow the primary/],
  "it is one of a cluster": [(server) => server.server.push("cluster"), "bad-request", /Galera/],
  "it is a replica": [(server) => void (server.replica = "1"), "bad-request", /is a replica/],
  "the migration is of another version": [
    (server) => void (server.version = "0"),
    "bad-request",
    /of version 0, and this package needs 1/,
  ],
  "the table is not in the migration": [
    (server) => void (server.about = undefined),
    "not-found",
    /"posts" is not in the migration/,
  ],
  "the table is gone": [(server) => void (server.posts = []), "not-found", /"posts" is not there/],
  "the table has another engine": [
    (server) => void (server.posts[0] = "engine Aria/1"),
    "bad-request",
    /InnoDB/,
  ],
  "a trigger is gone": [(server) => void server.posts.pop(), "not-found", /"posts" lacks triggers/],
  "a crash has undone the end of the migration": [
    (server) => void (server.hasState = false),
    "not-found",
    /run the migration again/,
  ],
  "a foreign key cascades": [
    (server) => server.posts.push('cascade ["fk_1","authors:author_id>id"]'),
    "bad-request",
    /by the foreign key fk_1/,
  ],
};

for (const [wrong, [change, code, message]] of Object.entries(refusals)) {
  test(`mysql: ${wrong}: the feed does not begin, is lost later, and says why`, async () => {
    const server = new StandIn();
    const seen = watch(server);
    await seen.look();
    change(server);
    await assert.rejects(watch(server).look(), { name: "ChangesError", code, message });
    assert.equal((await seen.look()).state, "lost");
    assert.match(seen.error!.message, message);
    await seen.close();
  });
}

test("mysql: a server that does not keep its life is lost, and not asked for ever", async () => {
  const server = new StandIn();
  [server.life, server.keepsLife] = [null, false];
  const seen = watch(server);
  assert.equal((await seen.look()).state, "lost");
  assert.equal(server.asked.length, 1);
  await seen.close();
});

test("mysql: with more gaps than it can ask for, the feed is lost until they are decided", async () => {
  const server = new StandIn();
  const seen = watch(server, { overflow: 5 });
  await seen.look();
  server.running = ["7"];
  for (let n = 2; n <= 8; n += 2) server.rows.set(n, "posts/1");
  assert.equal((await seen.look()).state, "live");
  for (let n = 10; n <= 14; n += 2) server.rows.set(n, "posts/1");
  assert.equal((await seen.look()).state, "lost");
  assert.match(seen.error!.message, /More than 5 numbers/);
  for (let n = 1; n < 14; n += 2) server.rows.set(n, "posts/2");
  assert.equal((await seen.look()).reset, "overflow");
  assert.equal(seen.position!.since, "14");
  await seen.close();
});

test("mysql: a feed begins once no transaction is left that lost its connection: it may have changed rows before the triggers", async () => {
  const server = new StandIn();
  [server.running, server.detached] = [["6"], ["7"]];
  const seen = watch(server);
  assert.equal((await seen.look()).state, "lost");
  assert.match(seen.error!.message, /A prepared transaction without a connection.*\(XA RECOVER lists it\)/);
  server.detached = [];
  assert.equal((await seen.look()).state, "live");
  // Such as a bypass of the triggers.
  server.posts.push("trigger 4");
  server.posts.splice(server.posts.indexOf("trigger 1"), 1);
  server.detached = ["8"];
  assert.equal((await seen.look()).state, "lost");
  server.detached = [];
  assert.equal((await seen.look()).reset, "schema");
  server.detached = ["9"];
  assert.equal((await seen.look()).state, "live", "it has written after the triggers were there");
  await seen.close();
});

test("mysql: a feed that begins asks until the list is one of now, and not for ever", async () => {
  const server = new StandIn();
  let stale = 2;
  let lists = 0;
  const query = (text: string) => {
    if (text.includes("as token")) [lists, server.isListFresh] = [lists + 1, --stale < 0];
    return server.query(text, []);
  };
  const seen = new Watch(query, { tables });
  assert.equal((await seen.look()).state, "live");
  assert.equal(lists, 3);
  stale = 100;
  const other = new Watch(query, { tables });
  assert.equal((await other.look()).state, "lost");
  assert.match(other.error!.message, /has not listed which transactions run now/);
  await Promise.all([seen.close(), other.close()]);
});

test("mysql: a feed whose tables or server change while it begins, begins again", async () => {
  const changed: ((server: StandIn) => void)[] = [
    (server) => server.posts.push("space 9"),
    (server) => server.life = "other",
  ];
  for (const change of changed) {
    const server = new StandIn();
    let isFirst = true;
    const seen = new Watch((text) => {
      const answer = server.query(text, []);
      if (text.includes("as token") && isFirst) {
        isFirst = false;
        change(server);
      }
      return answer;
    }, { tables });
    assert.equal((await seen.look()).state, "lost");
    assert.match(seen.error!.message, /changed while the feed began/);
    assert.equal((await seen.look()).state, "live");
    await seen.close();
  }
});

test("mysql: a look that answers too late changes nothing", async () => {
  const server = new StandIn();
  server.rows.set(2, "posts/1");
  let hold: (() => void) | undefined;
  const query = async (text: string) => {
    const answer = server.answer(text);
    if (hold !== undefined && text.includes("n > ")) {
      const release = hold;
      hold = undefined;
      await new Promise<void>((resolve) => {
        late = resolve;
        release();
      });
    }
    return answer;
  };
  let late = () => {};
  let isPatient = true;
  const seen = new Watch(query, {
    tables,
    sleep: (ms, signal) =>
      ms > 5_000 && isPatient
        ? new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()))
        : Promise.resolve(),
  });
  await seen.look();
  server.rows.set(3, "posts/3");
  isPatient = false;
  hold = () => {};
  assert.equal((await seen.look()).state, "lost");
  isPatient = true;
  server.rows.set(5, "posts/5");
  late();
  const told: string[] = [];
  for (let n = 0; n < 4; n++) told.push(...(await seen.look()).ids);
  assert.deepEqual(told.filter((id) => id.includes("/")).toSorted(), ["posts/3", "posts/5"]);
  await seen.close();
});

test("mysql: the feed prunes up to what is decided, and says if it may not", async () => {
  const server = new StandIn();
  let mayNot = false;
  const query = (text: string) => {
    if (mayNot && text.startsWith("call")) return Promise.reject(Object.assign(new Error(), { errno: 1370 }));
    return server.query(text, []);
  };
  const seen = new Watch(query, { tables, keep: 100 });
  await seen.look();
  server.running = ["7"];
  server.rows.set(3, "posts/1").set(5, "posts/1");
  await seen.look();
  assert.deepEqual(server.asked, ["call stillfresh_prune(0, 0.1, 'life')"]);
  server.rows.set(1, "posts/1").set(2, "posts/1");
  await seen.look();
  assert.equal(server.asked.at(-1), "call stillfresh_prune(3, 0.1, 'life')");
  mayNot = true;
  await seen.look();
  await seen.look();
  assert.ok(seen.events.includes("unpruned"));
  await seen.close();
});

test("mysql: a quick look tells changes, and is no contact", async () => {
  const server = new StandIn();
  let time = 0;
  const feed = changes(server.query, {
    tables,
    now: () => Date.now() + time,
    monotonic: () => performance.now() + time,
    sleep: (ms, signal) =>
      ms > 5_000 ? new Promise((resolve) => signal.addEventListener("abort", resolve)) : Promise.resolve(),
  });
  const batches = feed.batches();
  const first = (await batches.next()).value!;
  server.rows.set(1, "posts/1");
  const quick = (await batches.next()).value!;
  assert.deepEqual([quick.changes.length, quick.state, quick.contact], [2, "live", first.contact]);
  time += 10_000;
  const whole = (await batches.next()).value!;
  assert.ok(whole.contact!.monotonic >= first.contact!.monotonic + 10_000);
  await batches.return!();
});

/** Numbers of errors, and the codes that come of them. */
const faults = {
  1044: "forbidden",
  1045: "unauthorized",
  1046: "not-found",
  1049: "not-found",
  1142: "forbidden",
  1146: "not-found",
  1193: "bad-request",
  1227: "forbidden",
  1290: "bad-request",
  1305: "not-found",
  1356: "forbidden",
} as const;

for (const [number, code] of Object.entries(faults)) {
  test(`mysql: error ${number} at the start ends the feed: ${code}; later it is waited out`, async () => {
    // As mysql2 and mariadb have it, and as a mapper that wraps it.
    for (const error of [{ errno: Number(number) }, { cause: { errno: Number(number) } }]) {
      const thrown = Object.assign(new Error("secret"), error);
      const server = new StandIn();
      let broken = true;
      const query = () => broken ? Promise.reject(thrown) : Promise.resolve(server.rows as never);
      await assert.rejects(new Watch(query, { tables }).look(), (fault: Error & { code: string }) => {
        assert.deepEqual([fault.code, fault.cause], [code, thrown]);
        assert.doesNotMatch(fault.message, /secret/);
        return true;
      });
      broken = false;
      const seen = new Watch((text) => broken ? Promise.reject(thrown) : server.query(text, []), { tables });
      await seen.look();
      broken = true;
      assert.equal((await seen.look()).state, "lost");
      broken = false;
      assert.equal((await seen.look()).state, "live");
      await seen.close();
    }
  });
}

test("mysql: garbage, nothing, and an answer that does not come are losses, and never a live feed", async () => {
  const answers = [[], [{}], [{ kind: "floor", a: "x", b: "" }], [[]], undefined, { rows: 5 }, [{
    kind: "floor",
    a: "1",
    b: "",
  }]];
  for (const rows of answers) {
    const events: PolledFeedEvent[] = [];
    const feed = changes(() => Promise.resolve(rows as never), {
      tables,
      onEvent: (event) => events.push(event),
    });
    const reader = feed.batches();
    const first = (await reader.next()).value!;
    assert.equal(first.state, "lost", JSON.stringify(rows));
    const [event] = events;
    assert.equal(event?.type, "lost");
    assert.equal(first.fault, event.error, "the batch has the fault that the event tells");
    await reader.return!();
  }
  const feed = changes(() => new Promise(() => {}), { tables, sleep: () => Promise.resolve() });
  const reader = feed.batches();
  assert.equal((await reader.next()).value!.state, "lost");
  await reader.return!();
});

test("mysql: a client that answers from a cache ends the feed at the start", async () => {
  const server = new StandIn();
  const kept = server.answer(lookStatement(undefined, 10, true, "another look"));
  await assert.rejects(changes(() => Promise.resolve(kept), { tables }).batches().next(), {
    code: "bad-request",
    message: /answer to another look, as a cache does/,
  });
  // One that leaves the look's own text out of what it keeps an answer for.
  const cache = new Map<string, ReturnType<StandIn["answer"]>>();
  const seen = new Watch((text) => {
    const key = text.replace(/'asked', convert\('[^']+'/, "");
    if (!cache.has(key)) cache.set(key, server.answer(text));
    return Promise.resolve(cache.get(key)!);
  }, { tables });
  await assert.rejects(seen.look(), { code: "bad-request", message: /as a cache does/ });
});

test("mysql: a server that was set back, memory included, or whose changes were emptied, is a reset", async () => {
  const server = new StandIn();
  server.rows.set(1, "posts/1");
  const seen = watch(server);
  await seen.look();
  server.rows.set(2, "posts/2");
  await seen.look();
  server.rows.delete(2);
  assert.equal((await seen.look()).reset, "rolled-back");
  assert.equal((await seen.look()).reset, undefined);
  // What was pruned is no such thing.
  server.floor = 1;
  server.rows.delete(1);
  assert.equal((await seen.look()).reset, undefined);
  await seen.close();
});

test("mysql: the rows of a client come as an array, in `rows`, or with the fields", async () => {
  const server = new StandIn();
  const ways = [
    (all: readonly unknown[]) => all,
    (rows: readonly unknown[]) => ({ rows }),
    (all: readonly unknown[]) => [all, ["fields"]],
  ];
  for (const way of ways) {
    const seen = new Watch(async (text) => way(await server.query(text, []) as readonly unknown[]), {
      tables,
    });
    assert.equal((await seen.look()).state, "live");
    await seen.close();
  }
});

test("mysql: programmer mistakes are refused at once", () => {
  const query = () => Promise.resolve([]);
  assert.throws(() => changes(undefined as never, { tables }), {
    name: "TypeError",
    message: /runs a statement/,
  });
  assert.throws(() => changes(query, {} as never), { name: "TypeError", message: /the tables to follow/ });
  assert.throws(() => changes(query, { tables: [] }), { message: /the tables to follow/ });
  for (const name of ["a/b", "a?", "blog.posts", "", 5]) {
    assert.throws(() => changes(query, { tables: [name as never] }), {
      name: "TypeError",
      message: /A table's name/,
    });
  }
  for (const name of ["poll", "maxLag", "overflow"]) {
    assert.throws(() => changes(query, { tables, [name]: 0 }), {
      name: "RangeError",
      message: new RegExp(name),
    });
  }
});

test("migration: illegal names and tables without a key are refused by name", () => {
  assert.throws(() => migration({}), { name: "TypeError", message: /at least one table/ });
  assert.throws(() => migration({ posts: [] }), { message: /"posts" needs the columns of its key/ });
  assert.throws(() => migration({ "a/b": ["id"] }), { message: /not "a\/b"/ });
  assert.throws(() => migration({ posts: { key: ["id"], groups: "author" } as never }), {
    message: /groups/,
  });
});

test("migration: cascades from a table that is not named, and in a circle, are refused", () => {
  const from = (parent: string) => ({ key: ["id"], cascades: [{ from: parent, columns: { p: "id" } }] });
  assert.throws(() => migration({ posts: from("authors") }), {
    name: "TypeError",
    message: /"posts" cascade from "authors", which has to be in the migration/,
  });
  assert.throws(() => migration({ posts: from("posts") }), {
    name: "TypeError",
    message: /"posts" cascade in a circle/,
  });
  assert.throws(() => migration({ a: from("b"), b: from("a") }), {
    name: "TypeError",
    message: /in a circle/,
  });
});

test("migration: names are quoted, whatever the session takes a backslash for", () => {
  const { up } = migration({ "o'dd`\\": ["a`b"] }, { role: "si'te@10.%" });
  const all = up.join("\n");
  assert.ok(all.includes("on `o'dd``\\` for each row"));
  assert.ok(all.includes("new.`a``b`"));
  assert.ok(all.includes("'si''te'@'10.%'"));
  assert.ok(
    !/'[^'\n]*\\[^'\n]*'/.test(all.replaceAll("on `o'dd``\\` for", "")),
    "no literal holds a backslash",
  );
});

test("mysql: a registry answers for rows of tables that the feed reports, and for no others", async () => {
  const server = new StandIn();
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(server.query, { tables, poll: 5 }));
  await follower.ready;
  const post = { id: 1, author_id: 5 };
  const declared: Readonly<Record<string, () => ReturnType<typeof rows> | ReturnType<typeof row>[]>> = {
    "/post": () => [row("posts", post)],
    "/posts": () => rows("posts", [post]),
    "/by/author": () => rows("posts", [post], { by: "author_id" }),
    "/by/id": () => rows("posts", [post], { by: "id" }),
    "/tags": () => rows("tags", [post]),
  };
  const site = withEtag((request) => {
    const { pathname } = new URL(request.url);
    return Response.json(pathname, {
      headers: { "cache-control": "public, no-cache", ...dependsOn(...declared[pathname]!()) },
    });
  }, { registry, cacheStatus: "Stillfresh" });
  const ask = async (path: string) => {
    const url = `http://localhost${path}`;
    const tag = (await site(new Request(url))).headers.get("etag");
    const again = await site(new Request(url, { headers: { "if-none-match": tag ?? '"none"' } }));
    return again.headers.get("cache-status")!;
  };
  for (const path of ["/post", "/posts", "/by/author"]) assert.equal(await ask(path), "Stillfresh; hit");
  for (const path of ["/by/id", "/tags"]) assert.match(await ask(path), /group-unfollowed/);
  await follower.close();
});
