/** Functions of the user's that call back, throw, or take long: what each may do, and what is left as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dependsOn,
  EtagRegistry,
  type EtagRegistryOptions,
  follow,
  type Follower,
  withEtag,
} from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { SettableClock } from "../support/clock.ts";
import fc from "../support/fast_check.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { request } from "../support/http.ts";
import { restored, saved } from "../support/snapshots.ts";

const url = (path: string) => ({ url: `http://localhost${path}` });

/** A site whose pages depend on a group for each first letter of their path; its handler answers at once. */
function siteOver(registry: EtagRegistry) {
  const site = withEtag((asked: Request) => {
    const { pathname } = new URL(asked.url);
    const vary = pathname.length % 2 === 0 ? { vary: "x-plan" } : {};
    return new Response(pathname, { headers: { ...vary, ...dependsOn(pathname.slice(0, 2), "all") } });
  }, { registry });
  return (path: string, fields: Record<string, string> = {}) => site(request(fields, url(path))) as Response;
}

/** Silences the console, and gives what was said. */
async function said(run: () => unknown): Promise<readonly unknown[][]> {
  const lines: unknown[][] = [];
  const warn = console.warn;
  console.warn = (...line: unknown[]) => void lines.push(line);
  try {
    await run();
    await settled();
  } finally {
    console.warn = warn;
  }
  return lines;
}

const ACTIONS: Record<
  string,
  (registry: EtagRegistry, visit: (path: string) => unknown, path: string) => unknown
> = {
  "visit": (_, visit, path) => visit(path),
  "invalidate": (registry, _, path) => registry.invalidate(path.slice(0, 2)),
  "delete": (registry, _, path) => registry.delete(`http://localhost${path}`),
  "deleteTag": (registry) => registry.deleteTag('"1"'),
  "clear": (registry) => registry.clear(),
  "restart": (registry) => registry.restart(),
  "retire": (registry) => registry.retire("none"),
  "throw": () => {
    throw new Error("of a callback");
  },
  "reject": () => Promise.reject(new Error("of a callback")),
  "nothing": () => {},
};

test("onEvict: whatever it does, no bound is passed, no byte is lost, and each departure is told once", async () => {
  const path = fc.tuple(fc.constantFrom("a", "b", "c"), fc.nat(9)).map(([letter, n]) =>
    `/${letter}${"x".repeat(n % 3)}${n}`
  );
  const step = fc.record({ what: fc.constantFrom(...Object.keys(ACTIONS)), path });
  const options = fc.constantFrom<EtagRegistryOptions>(
    { maxEntries: 3 },
    { maxBytes: 1_500 },
    { maxVariants: 1, maxEntries: 5 },
    {},
  );
  await said(() =>
    fc.assert(
      fc.property(
        options,
        fc.array(step, { maxLength: 40 }),
        fc.array(step, { maxLength: 40 }),
        (bounds, steps, nested) => {
          let told = 0;
          const queue = nested.values();
          const registry: EtagRegistry = new EtagRegistry({
            ...bounds,
            manual: true,
            onEvict: () => {
              told++;
              const next = queue.next().value;
              return next === undefined ? undefined : ACTIONS[next.what]!(registry, visit, next.path);
            },
          });
          const site = siteOver(registry);
          let plan = 0;
          let registered = 0;
          const visit = (path: string) => {
            site(path, { "x-plan": String(plan++ % 4) });
            registered++;
          };
          for (const { what, path } of steps) {
            try {
              if (what !== "reject") ACTIONS[what]!(registry, visit, path);
            } catch {
              // Of the step itself.
            }
            assert.ok(registry.size <= (bounds.maxEntries ?? Infinity), `${registry.size} entries`);
            assert.ok(registry.bytes <= (bounds.maxBytes ?? Infinity), `${registry.bytes} bytes`);
          }
          for (const _ of queue);
          registry.clear();
          registry.clear();
          assert.deepEqual([registry.size, registry.bytes], [0, 0]);
          const refused = registry.stats["too-large"] + registry.stats["lease-broken"];
          assert.equal(told, registered - refused, "each that was kept has left once");
          assert.equal(site("/a").headers.has("etag"), true);
        },
      ),
      { numRuns: 500 },
    )
  );
});

test("onEvict: is called after the operation, so that it finds the registry whole", () => {
  const seen: string[] = [];
  const registry: EtagRegistry = new EtagRegistry({
    manual: true,
    maxEntries: 2,
    onEvict: (key, reason) => {
      seen.push(`${new URL(key).pathname} ${reason} ${registry.size}`);
      if (reason === "evicted") registry.clear();
    },
  });
  const visit = siteOver(registry);
  for (const path of ["/1", "/2", "/3"]) visit(path);
  assert.deepEqual(seen, ["/1 evicted 2", "/2 cleared 0", "/3 cleared 0"]);
});

test("onEvict: what it throws, or rejects with, goes to the console once, and stops nothing", async () => {
  for (const isAsync of [false, true]) {
    const registry = new EtagRegistry({
      manual: true,
      maxEntries: 1,
      onEvict: () => {
        const error = new Error("of a callback");
        if (isAsync) return Promise.reject(error);
        throw error;
      },
    });
    const visit = siteOver(registry);
    const lines = await said(() => ["/1", "/2", "/3"].forEach((path) => visit(path)));
    assert.equal(lines.length, 1);
    assert.match(String(lines[0]![0]), /onEvict/);
    assert.deepEqual([registry.size, registry.stats.evicted], [1, 2]);
  }
});

test("onEvict: what a snapshot holds beyond the bounds never was an entry, so it is not told", async () => {
  const clock = new SettableClock();
  const before = new EtagRegistry({ version: "1", now: clock.now, monotonic: clock.monotonic });
  const feed = new PushedFeed();
  follow(before, feed);
  const position = { since: "1-x", source: "blog" };
  feed.reader.push({ changes: [], state: "live", contact: clock.instant, position });
  await settled();
  const visit = siteOver(before);
  for (const path of ["/1", "/3", "/5"]) visit(path);
  const told: string[] = [];
  const registry = await restored(await saved(before), {
    version: "1",
    maxEntries: 1,
    onEvict: (key) => told.push(key),
  });
  await settled();
  assert.deepEqual([registry.size, registry.stats["evicted"], told], [1, 0, []]);
});

/** A followed registry whose `groups` does something with it, once. */
function followed(
  act: (registry: EtagRegistry, close: () => unknown, visit: (path: string) => Response) => unknown,
) {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ now: clock.now, monotonic: clock.monotonic });
  const feed = new PushedFeed();
  let acted = false;
  const visit = siteOver(registry);
  const follower: Follower = follow(registry, feed, {
    maxLag: 60_000,
    groups: ({ id }): string[] => {
      if (id !== "act" || acted) return ["seen"];
      acted = true;
      return (act(registry, () => follower.close(), visit) ?? []) as string[];
    },
  });
  const push = (...ids: string[]) => {
    const rows = ids.map((id) => ({ id, rev: "2-x", seq: "2-x", deleted: false, revs: ["2-x"] }));
    const position = { since: "2-x", source: "blog" };
    feed.reader.push({ changes: rows, state: "live", contact: clock.instant, position });
    return settled();
  };
  return { registry, feed, follower, push, visit };
}

test("groups: may close the follower: the registry is suspended, whatever the batch says of its state", async () => {
  const { registry, follower, push } = followed((_, close) => void close());
  await push();
  assert.equal(registry.live, true);
  await push("act", "more");
  assert.deepEqual([registry.live, follower.live], [false, false]);
});

test("groups: may restart the registry: the feed begins anew, and not behind the batch", async () => {
  const { registry, feed, push } = followed((registry) => void registry.restart());
  await push();
  await push("act", "more");
  assert.equal(registry.live, false);
  await settled();
  assert.deepEqual([feed.from.at(-1), feed.anew.at(-1)], [undefined, true]);
  await push();
  assert.equal(registry.live, true);
});

test("groups: may clear, invalidate and delete; what it asks is answered by what was applied", async () => {
  for (const act of ["clear", "invalidate", "delete"]) {
    const { registry, push, visit } = followed((registry) => void ACTIONS[act]!(registry, () => {}, "/a"));
    await push();
    const etag = visit("/a").headers.get("etag")!;
    await push("act", "other");
    assert.equal(registry.live, true, act);
    assert.notEqual(visit("/a", { "if-none-match": etag }).status, 304, act);
  }
});

test("groups: a page that it registers is void by the changes of the same batch that follow", async () => {
  let etag = "";
  const { push, visit, registry } = followed((_, __, visit) =>
    void (etag = visit("/a").headers.get("etag")!)
  );
  await push();
  await push("act", "/a");
  assert.equal(visit("/a", { "if-none-match": etag }).status, 200);
  assert.equal(registry.stats["group-changed"], 1);
});

const WRONG_GROUPS: Readonly<Record<string, () => unknown>> = {
  "throws": () => {
    throw new Error("of a callback");
  },
  "is asynchronous": () => Promise.resolve(["a"]),
  "rejects": () => Promise.reject(new Error("of a callback")),
  "gives a number": () => 7,
};

for (const [what, act] of Object.entries(WRONG_GROUPS)) {
  test(`groups: one that ${what} voids everything, and the feed goes on`, async () => {
    const { registry, push, visit } = followed(act);
    await push();
    visit("/a");
    await push("act", "other");
    assert.deepEqual([registry.size, registry.live, registry.stats["groups-threw"]], [0, true, 1]);
  });
}

for (const option of ["key", "caller"] as const) {
  test(`${option}: may call the registry and the site; one that throws costs the look-up`, async () => {
    const registry = new EtagRegistry({ manual: true });
    let depth = 0;
    let throws = false;
    const site = withEtag(() => new Response("page", { headers: { ...dependsOn("a") } }), {
      registry,
      [option]: (asked: Request) => {
        if (throws) throw new Error("of a callback");
        if (depth++ === 0) void site(request({}, url("/nested")));
        registry.invalidate("a");
        return option === "key" ? asked.url : "ann";
      },
    });
    const etag = (await site(request())).headers.get("etag")!;
    assert.equal((await site(request({ "if-none-match": etag }))).status, 200, "the option has voided it");
    throws = true;
    assert.equal((await site(request({ "if-none-match": etag }))).status, 200);
    assert.equal(registry.stats[`${option}-threw`], 1);
    registry.clear();
    assert.deepEqual([registry.size, registry.bytes], [0, 0]);
  });
}

test("onAudit: may clear the registry, call the site, throw and reject", async () => {
  for (const act of ["clear", "visit", "throw", "reject", "restart"]) {
    const registry = new EtagRegistry({ manual: true });
    let n = 0;
    let told = 0;
    const handler = () => new Response("page", { headers: { etag: `"${n}"`, ...dependsOn("a") } });
    const site: (asked: Request) => Response | Promise<Response> = withEtag(handler, {
      registry,
      auditRate: 1,
      onAudit: (): unknown => {
        told++;
        return ACTIONS[act]!(registry, () => site(request()), "/page");
      },
    });
    await said(async () => {
      const etag = (await site(request())).headers.get("etag")!;
      n++;
      const response = await site(request({ "if-none-match": etag }));
      assert.deepEqual([response.status, told], [200, 1], act);
      registry.clear();
      assert.deepEqual([registry.size, registry.bytes], [0, 0]);
    });
  }
});

test("onEvent: may close the follower and restart the registry; one that throws or rejects stops nothing", async () => {
  const info = { db_name: "blog", update_seq: "0-x", purge_seq: "0-x", instance_start_time: "1" };
  const fetch = (asked: string, init?: RequestInit) =>
    asked.includes("feed=continuous")
      ? new Promise<Response>((_, reject) =>
        init!.signal!.addEventListener("abort", () => reject(init!.signal!.reason))
      )
      : Promise.resolve(
        Response.json(asked.includes("_changes") ? { results: [], last_seq: "0-x", pending: 0 } : info),
      );
  for (const act of ["close", "restart", "throw", "reject"] as const) {
    const registry = new EtagRegistry();
    let told = 0;
    const feed = changes("http://localhost:5984/blog", {
      fetch,
      onEvent: ({ type }): unknown => {
        if (type !== "live" || told++ > 0) return;
        return act === "close" ? follower.close() : ACTIONS[act]!(registry, () => {}, "/");
      },
    });
    const follower = follow(registry, feed, { onError: () => Promise.reject(new Error("of a callback")) });
    await follower.ready.catch(() => {});
    await settled();
    assert.ok(told > 0, act);
    if (act !== "close") { while (!registry.live) await settled(); }
    assert.equal(registry.live, act !== "close", act);
    await follower.close();
  }
});

test("onEvent: told that the feed is closed, it may read the feed again", async () => {
  const info = { db_name: "blog", update_seq: "0-x", purge_seq: "0-x", instance_start_time: "1" };
  const fetch = (asked: string) =>
    Promise.resolve(
      Response.json(asked.includes("_changes") ? { results: [], last_seq: "0-x", pending: 0 } : info),
    );
  const readers: AsyncIterator<unknown>[] = [];
  const feed = changes("http://localhost:5984/blog", {
    fetch,
    feed: "normal",
    onEvent: ({ type }) => {
      if (type === "closed" && readers.length < 2) readers.push(feed[Symbol.asyncIterator]());
    },
  });
  readers.push(feed[Symbol.asyncIterator]());
  assert.deepEqual(await readers[0]!.next(), { done: true, value: undefined });
  assert.equal(readers.length, 2);
  assert.deepEqual(await readers[1]!.next(), { done: true, value: undefined });
});

test("onError: may follow again under the same name, and may reject", async () => {
  const registry = new EtagRegistry();
  const [first, second] = [new PushedFeed(), new PushedFeed()];
  follow(registry, first, {
    onError: () => {
      follow(registry, second, { maxLag: Infinity });
      return Promise.reject(new Error("of a callback"));
    },
  });
  first.reader.fail(new Error("final"));
  await settled();
  second.reader.push({
    changes: [],
    state: "live",
    contact: { wall: Date.now(), monotonic: performance.now() },
    position: { since: "1-x", source: "blog" },
  });
  await settled();
  assert.equal(registry.live, true);
});
