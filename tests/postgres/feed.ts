/** The feed over PostgreSQL: where it resumes, what it refuses, and what it says when something is wrong. */
import assert from "node:assert/strict";
import { test } from "./declared.ts";
import { type ChangesError, dependsOn, EtagRegistry, follow, row, rows, withEtag } from "../../mod.ts";
import { changes, type PolledFeedEvent } from "../../src/postgres/changes.ts";
import { lookStatement } from "../../src/postgres/look.ts";
import { database, skip } from "./database.ts";

const schema =
  "create table posts (id int primary key, title text, author_id int); create table tags (id int primary key)";
const begin = () => database.begin(schema, { posts: { key: ["id"], groups: ["author_id"] }, tags: ["id"] });
const tables = ["posts"];

test(
  "postgres: a feed resumes from its position, and knows those that are not its own",
  { skip },
  async () => {
    await begin();
    const first = database.watch({ tables });
    await first.look();
    await first.close();
    await database.sql.exec("insert into posts values (1)");
    const resumed = database.watch({ tables }, first.position);
    assert.deepEqual((await resumed.look()).ids, ["posts", "posts/1", "posts?author_id"]);
    await resumed.close();
    const other = database.watch({ tables: ["posts", "tags"] }, first.position);
    assert.equal((await other.look()).reset, "since-refused", "other tables");
    await other.close();
    const stranger = database.watch({ tables }, { since: "9-x", source: "couchdb" });
    assert.equal((await stranger.look()).reset, "since-refused");
    await stranger.close();
    await database.sql.exec("alter table posts add column extra int default 1");
    const altered = database.watch({ tables }, first.position);
    assert.equal((await altered.look()).reset, "schema");
    await altered.close();
  },
);

test("postgres: a position below what was pruned is refused, and one above is not", { skip }, async () => {
  await begin();
  const watch = database.watch({ tables });
  await watch.look();
  const old = watch.position!;
  const prune = () => database.sql.query("select stillfresh.prune($1::float8)", ["0"]);
  await database.sql.exec("insert into posts values (1)");
  await prune();
  assert.equal((await watch.look()).ids.length, 3, "a reader of the last period misses nothing");
  await database.sql.exec("insert into posts values (2)");
  await prune();
  await prune();
  const left = await database.sql.query("select from stillfresh.changes");
  assert.equal(left.rows.length, 0);
  const resumed = database.watch({ tables }, old);
  assert.deepEqual(await resumed.look(), { ids: [], state: "live", reset: "since-refused" });
  assert.deepEqual((await resumed.look()).reset, undefined);
  await Promise.all([watch.close(), resumed.close()]);
});

test("postgres: rows and a floor that a dump has brought from a server further on are passed over", {
  skip,
}, async () => {
  await begin();
  const watch = database.watch({ tables });
  await database.sql.exec(
    "insert into stillfresh.changes (xid, tbl, key, groups) values ('4000000000', 'posts', '9', '{}'); " +
      "update stillfresh.floor set floor = '4000000000', next = '4000000001'",
  );
  await watch.look();
  assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: undefined });
  await database.sql.exec("insert into posts values (1); select stillfresh.prune(0)");
  assert.deepEqual(
    (await watch.look()).ids,
    ["posts", "posts/1", "posts?author_id"],
    "nothing was taken out",
  );
  await watch.close();
});

test("postgres: a server that is at an earlier transaction than its position was set back", async () => {
  const snapshots = ["9:9:", "10:11:10", "7:7:", "8:8:"];
  const reader = changes((_text, parameters) => {
    return Promise.resolve(answerTo(parameters, { now: snapshots.shift() }));
  }, { tables, poll: 1 }).batches();
  const resets: unknown[] = [];
  while (snapshots.length > 0) resets.push((await reader.next()).value!.reset);
  assert.deepEqual(resets, [undefined, undefined, "rolled-back", undefined]);
  await reader.return!();
});

test("postgres: the feed prunes by itself, and says if it may not", { skip }, async () => {
  await begin();
  const watch = database.watch({ tables, keep: 100 });
  for (let n = 0; n < 4; n++) await watch.look();
  await database.sql.exec("drop function stillfresh.prune");
  for (let n = 0; n < 4 && !watch.events.includes("unpruned"); n++) {
    await watch.look();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.ok(watch.events.includes("unpruned"), watch.events.join());
  assert.equal((await watch.look()).state, "live");
  await watch.close();
});

test("postgres: thousands of changes come in batches, and too many are a reset", { skip }, async () => {
  await begin();
  const watch = database.watch({ tables, overflow: 1_200 });
  await watch.look();
  await database.sql.exec("insert into posts select n, 'x', 1 from generate_series(1, 1200) n");
  const before = watch.position;
  const { ids } = await watch.look();
  assert.equal(ids.length, 1_202);
  assert.notDeepEqual(watch.position, before);
  await database.sql.exec("update posts set title = 'y'; insert into posts values (0)");
  assert.deepEqual(await watch.look(), { ids: [], state: "live", reset: "overflow" });
  assert.deepEqual((await watch.look()).ids, []);
  await watch.close();
});

test(
  "postgres: a look finds its rows by the index, whatever the planner knows of the table",
  { skip },
  async () => {
    await begin();
    await database.sql.exec("begin; select pg_current_xact_id()");
    const [before] = (await database.sql.query("select pg_current_snapshot()::text as now")).rows;
    const { now } = before as { readonly now: string };
    await database.sql.exec("insert into posts select n, 'x', 1 from generate_series(1, 3000) n; commit");
    for (const known of ["select 1", "analyze stillfresh.changes"]) {
      await database.sql.exec(known);
      const { rows } = await database.sql.query<Record<string, string>>(
        `explain ${lookStatement("stillfresh", 10_000, false)}`,
        [now, ""],
      );
      const plan = rows.map((line) => line["QUERY PLAN"]).join("\n");
      assert.match(
        plan,
        /Index Scan (?:using|on) changes_xid(?:.|\n)*Index Scan (?:using|on) changes_xid/,
      );
      assert.doesNotMatch(plan, /Seq Scan on changes/);
    }
  },
);

test("postgres: a quick look tells changes, and is no contact", { skip }, async () => {
  await begin();
  let time = 0;
  const feed = changes((text, parameters) => database.sql.query(text, parameters), {
    tables,
    maxLag: 25_000,
    now: () => Date.now() + time,
    monotonic: () => performance.now() + time,
    sleep: (ms, signal) =>
      ms > 5_000 ? new Promise((resolve) => signal.addEventListener("abort", resolve)) : Promise.resolve(),
  });
  const batches = feed.batches();
  const first = (await batches.next()).value!;
  await database.sql.exec("insert into posts values (1)");
  const quick = (await batches.next()).value!;
  assert.deepEqual([quick.changes.length, quick.state, quick.contact], [3, "live", first.contact]);
  time += 10_000;
  const whole = (await batches.next()).value!;
  assert.ok(whole.contact!.monotonic >= first.contact!.monotonic + 10_000);
  await batches.return!();
});

/** Why a feed does not begin, by what is wrong. */
const refusals: Readonly<Record<string, readonly [prepare: string, code: string, sentence: RegExp]>> = {
  "the migration was not run": ["drop schema stillfresh cascade", "not-found", /migration has not been run/],
  "it is of another version": [
    "create or replace function stillfresh.version() returns int language sql immutable as 'select 0'",
    "bad-request",
    /of version 0, and this package needs 1/,
  ],
  "a table is not in it": [
    "drop trigger stillfresh_insert on posts; drop trigger stillfresh_update on posts",
    "not-found",
    /"posts" is not there, or not in the migration/,
  ],
  "a table is gone": ["drop table posts", "not-found", /"posts" is not there/],
  "a table got children": [
    "create table child () inherits (posts)",
    "bad-request",
    /children by inheritance.*posts/,
  ],
};

for (const [wrong, [prepare, code, sentence]] of Object.entries(refusals)) {
  test(`postgres: ${wrong}: the feed does not begin, and says why`, { skip }, async () => {
    await begin();
    await database.sql.exec(prepare);
    const watch = database.watch({ tables });
    await assert.rejects(watch.look(), { name: "ChangesError", code, message: sentence });
  });
}

test("postgres: a role without the privileges is told so, and one that was named to the migration reads", {
  skip,
}, async () => {
  await database.sql.exec("do $$ begin create role site; exception when duplicate_object then null; end $$");
  await begin();
  await database.sql.exec("set role site");
  try {
    await assert.rejects(database.watch({ tables }).look(), {
      code: "forbidden",
      message: /lacks a privilege/,
    });
    await database.sql.exec("reset role");
    await database.begin(schema, { posts: ["id"] }, { role: "site" });
    await database.sql.exec("set role site");
    const watch = database.watch({ tables, keep: 1 });
    for (let n = 0; n < 3; n++) assert.equal((await watch.look()).state, "live");
    assert.deepEqual(watch.events, ["live"]);
    await watch.close();
  } finally {
    await database.sql.exec("reset role");
  }
});

test("postgres: a statement inside an older transaction is refused", { skip }, async () => {
  await begin();
  const watch = database.watch({ tables });
  await watch.look();
  await watch.close();
  await database.sql.exec("begin isolation level repeatable read; select 1; select pg_sleep(0.2)");
  try {
    await assert.rejects(database.watch({ tables }).look(), {
      code: "bad-request",
      message: /inside a transaction/,
    });
  } finally {
    await database.sql.exec("rollback");
  }
});

/** A look that finds nothing, as a client without a database gives it. */
const answerTo = ([, asked]: readonly string[], more: Readonly<Record<string, unknown>> = {}) => [{
  looked: JSON.stringify({
    ...{
      now: "7:7:",
      asked,
      start: "1",
      age: 0,
      pruned: false,
      rows: null,
      version: 1,
      identity: "a",
      shape: "b",
      children: null,
    },
    watched: [["posts", '{"table":"posts","groups":[]}', 2]],
    ...more,
  }),
}];

/** What a client throws, and the code that comes of it. */
const faults = {
  "28P01": "unauthorized",
  "28000": "unauthorized",
  "3D000": "not-found",
  "55000": "bad-request",
  "25006": "bad-request",
} as const;

for (const [state, code] of Object.entries(faults)) {
  test(`postgres: SQLSTATE ${state} at the start ends the feed: ${code}; later it is waited out`, async () => {
    // As `pg`, as Bun.sql, and as a mapper that wraps it.
    for (
      const error of [{ code: state }, { code: "ERR_X", errno: state }, {
        cause: { fields: { code: state } },
      }]
    ) {
      const thrown = Object.assign(new Error("secret"), error);
      let broken = true;
      const events: PolledFeedEvent[] = [];
      const feed = () =>
        changes(
          (_text, parameters) => broken ? Promise.reject(thrown) : Promise.resolve(answerTo(parameters)),
          {
            tables,
            poll: 1,
            onEvent: (event) => events.push(event),
            random: () => 0,
          },
        );
      const reader = feed().batches();
      await assert.rejects(reader.next(), (fault: Error & { code: string }) => {
        assert.equal(fault.code, code);
        assert.equal(fault.cause, thrown);
        assert.doesNotMatch(fault.message, /secret/);
        return true;
      });
      broken = false;
      const later = feed().batches();
      assert.equal((await later.next()).value!.state, "live");
      broken = true;
      assert.equal((await later.next()).value!.state, "lost");
      broken = false;
      assert.equal((await later.next()).value!.state, "live");
      assert.deepEqual(events.map(({ type }) => type), ["live", "lost", "live"]);
      await later.return!();
    }
  });
}

/** What a client may give by mistake, and what the error says. */
const garbage: readonly (readonly [given: unknown, sentence: RegExp])[] = [
  [[], /gave something else than the row of its statement/],
  [undefined, /something else/],
  [null, /something else/],
  [[{}], /something else/],
  [[null], /something else/],
  [[["text"]], /something else/],
  [{ rows: undefined }, /something else/],
  ["<html>", /something else/],
  [[{ looked: 5 }], /something else/],
  [[{ looked: "{" }], /not the JSON of the statement/],
  [[{ looked: "null" }], /has no snapshot/],
  [[{ looked: '{"now":"x"}' }], /has no snapshot/],
];

test("postgres: garbage and nothing are losses that say what was wrong, and never a live feed", async () => {
  for (const [given, sentence] of garbage) {
    const events: PolledFeedEvent[] = [];
    const feed = changes(() => Promise.resolve(given as never), {
      tables,
      onEvent: (event) => events.push(event),
    });
    const reader = feed.batches();
    assert.equal((await reader.next()).value!.state, "lost");
    const [event] = events as [{ readonly type: string; readonly error: ChangesError }];
    assert.deepEqual([event.type, event.error.code], ["lost", "not-json"]);
    assert.match(event.error.message, sentence);
    await reader.return!();
  }
});

test("postgres: a client that answers from a cache ends the feed at the start, and is a loss later", async () => {
  const kept = answerTo(["", "of another look"]);
  await assert.rejects(changes(() => Promise.resolve(kept), { tables }).batches().next(), {
    name: "ChangesError",
    code: "bad-request",
    message: /answer to another look, as a cache does/,
  });
  const cache = new Map<string, ReturnType<typeof answerTo>>();
  const reader = changes((text, parameters) => {
    // By its text, as one that takes the parameters for a part of it.
    if (!cache.has(text)) cache.set(text, answerTo(parameters));
    return Promise.resolve(cache.get(text)!);
  }, { tables, maxLag: 1e-3, poll: 1 }).batches();
  assert.equal((await reader.next()).value!.state, "live");
  assert.equal((await reader.next()).value!.state, "lost");
  await reader.return!();
});

test("postgres: a quick look that another server answers is a loss, and the next look is a whole one", async () => {
  const asked: number[] = [];
  const starts = ["1", "1", "2", "1"];
  const reader = changes((_text, parameters) => {
    asked.push(parameters.length);
    return Promise.resolve(answerTo(parameters, { start: starts[asked.length - 1] }));
  }, { tables, poll: 1, random: () => 0 }).batches();
  const states: string[] = [];
  for (let n = 0; n < 4; n++) states.push((await reader.next()).value!.state);
  assert.deepEqual(states, ["live", "live", "lost", "live"]);
  assert.deepEqual(asked, [3, 2, 2, 3]);
  await reader.return!();
});

test("postgres: an answer that does not come is a loss, and so is a client that throws", async () => {
  for (
    const [query, code] of [
      [() => new Promise(() => {}), "timeout"],
      [() => Promise.reject(new Error("broken pipe")), "network"],
      [() => {
        throw new Error("not connected");
      }, "network"],
    ] as const
  ) {
    const events: PolledFeedEvent[] = [];
    const feed = changes(query as never, {
      tables,
      // The deadline comes at once where it is what has to come.
      sleep: () => code === "timeout" ? Promise.resolve() : new Promise(() => {}),
      onEvent: (event) => events.push(event),
    });
    const reader = feed.batches();
    assert.equal((await reader.next()).value!.state, "lost");
    assert.deepEqual(events.map((event) => "error" in event && (event.error as ChangesError).code), [code]);
    await reader.return!();
  }
});

test("postgres: each parameter is text to the server, because clients write other types in ways of their own", async () => {
  const statements: string[] = [];
  const feed = changes((text, parameters) => {
    statements.push(text);
    return Promise.resolve(answerTo(parameters));
  }, { tables, keep: 0.001, sleep: () => Promise.resolve(), maxLag: 1 });
  const reader = feed.batches();
  for (let n = 0; n < 3; n++) await reader.next();
  await reader.return!();
  assert.ok(statements.some((text) => text.includes("prune")));
  // postgres.js would write text for a parameter of type json as a JSON string.
  for (const text of statements) assert.doesNotMatch(text, /\$\d(?!::text)/);
});

test("postgres: a notification during a look is not forgotten, and one during a rest ends it", async () => {
  let wake = () => {};
  let rests = 0;
  const looks: (() => void)[] = [];
  const looking = (parameters: readonly string[]) =>
    new Promise<ReturnType<typeof answerTo>>((resolve) => looks.push(() => resolve(answerTo(parameters))));
  const feed = changes((_text, parameters) => looking(parameters), {
    tables,
    poll: 1_000,
    listen: (channel, onNotify) => {
      assert.equal(channel, "stillfresh");
      wake = onNotify;
      return Promise.resolve();
    },
    // Neither a rest nor a deadline ends by itself.
    sleep: (ms, signal) => {
      if (ms === 1_000) rests++;
      return new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    },
  });
  const reader = feed.batches();
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  const first = reader.next();
  await turn();
  assert.equal(looks.length, 1);
  wake();
  looks[0]!();
  await first;
  const second = reader.next();
  await turn();
  assert.deepEqual([looks.length, rests], [2, 0], "the next look does not wait");
  looks[1]!();
  await second;
  const third = reader.next();
  await turn();
  assert.deepEqual([looks.length, rests], [2, 1]);
  wake();
  await turn();
  assert.equal(looks.length, 3);
  looks[2]!();
  await third;
  await reader.return!();
});

test("postgres: when the feed is closed it stops listening, as postgres.js and as Bun.sql have it", async () => {
  const stopped: string[] = [];
  for (
    const listening of [
      () => void stopped.push("function"),
      { unlisten: () => void stopped.push("unlisten") },
      undefined,
    ]
  ) {
    const feed = changes((_text, parameters) => Promise.resolve(answerTo(parameters)), {
      tables,
      listen: () => Promise.resolve(listening),
    });
    const reader = feed.batches();
    await reader.next();
    await reader.return!();
    await new Promise((resolve) => setTimeout(resolve));
  }
  assert.deepEqual(stopped, ["function", "unlisten"]);
  const deaf = changes((_text, parameters) => Promise.resolve(answerTo(parameters)), {
    tables,
    listen: () => Promise.reject(new Error("no")),
  });
  const reader = deaf.batches();
  assert.equal((await reader.next()).value!.state, "live", "nothing depends on a notification");
  await reader.return!();
});

test("postgres: programmer mistakes are refused at once", () => {
  const query = () => Promise.resolve([]);
  assert.throws(() => changes(undefined as never, { tables }), {
    name: "TypeError",
    message: /runs a statement/,
  });
  assert.throws(() => changes(query, {} as never), { name: "TypeError", message: /the tables to follow/ });
  assert.throws(() => changes(query, { tables: [] }), { message: /the tables to follow/ });
  assert.throws(() => changes(query, { tables: ["a/b"] }), { message: /not "a\/b"/ });
  for (const name of ["poll", "maxLag", "overflow"]) {
    assert.throws(() => changes(query, { tables, [name]: 0 }), {
      name: "RangeError",
      message: new RegExp(name),
    });
  }
});

test(
  "postgres: a registry answers for rows of tables that the feed reports, and for no others",
  { skip },
  async () => {
    await begin();
    const registry = new EtagRegistry();
    const query = (text: string, parameters: string[]) => database.sql.query(text, parameters);
    const follower = follow(registry, changes(query, { tables, poll: 5 }));
    await follower.ready;
    await database.sql.exec("insert into posts values (1, 'a', 5), (2, 'b', 6); insert into tags values (1)");
    const site = withEtag(async (request) => {
      const { pathname } = new URL(request.url);
      const list = async (where: string) =>
        (await database.sql.query<{ id: number }>(`select * from ${where}`)).rows;
      const [first] = await list("posts where id = 1");
      const declared = {
        "/post": () => [row("posts", first!)],
        "/twice": () => [row("posts", first!), row("posts", { id: 1 })],
        "/tags": async () => rows("tags", await list("tags")),
        "/posts": async () => rows("posts", await list("posts")),
        "/by/5": async () => rows("posts", await list("posts where author_id = '05'"), { by: "author_id" }),
        "/by/title": async () => rows("posts", await list("posts where title = 'a'"), { by: "title" }),
      }[pathname]!;
      return Response.json(pathname, {
        headers: { "cache-control": "public, no-cache", ...dependsOn(...await declared()) },
      });
    }, { registry, cacheStatus: "Stillfresh" });
    const ask = async (path: string) => {
      const url = `http://localhost${path}`;
      const tag = (await site(new Request(url))).headers.get("etag");
      const again = await site(new Request(url, { headers: { "if-none-match": tag ?? '"none"' } }));
      return again.headers.get("cache-status")!;
    };
    const isHit = async (path: string) => (await ask(path)) === "Stillfresh; hit";
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.deepEqual(
      [await isHit("/post"), await isHit("/twice"), await isHit("/posts"), await isHit("/by/5")],
      [true, true, true, true],
    );
    assert.match(await ask("/tags"), /group-unfollowed/);
    assert.match(await ask("/by/title"), /group-unfollowed/, "a column that the migration does not name");
    const tagOf = async (path: string) =>
      (await site(new Request(`http://localhost${path}`))).headers.get("etag")!;
    const tags = { post: await tagOf("/post"), posts: await tagOf("/posts"), by: await tagOf("/by/5") };
    await database.sql.exec("insert into posts values (3, 'c', 6)");
    for (const end = Date.now() + 10_000; registry.hasTag(tags.posts);) {
      assert.ok(Date.now() < end);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual([registry.hasTag(tags.post), registry.hasTag(tags.by)], [true, true]);
    await follower.close();
  },
);
