/** Purging from the feed: which calls are sent and when, and what a real Varnish answers after an edit. */
import assert from "node:assert/strict";
import http from "node:http";
import { test } from "node:test";
import {
  cloudflare,
  fastly,
  followAndPurge,
  type PurgeCall,
  Purger,
  type PurgerOptions,
  servePosts,
  varnish,
} from "../../examples/proxies/purge.ts";
import { dependsOn, EtagRegistry, ownFeed, withEtag } from "../../mod.ts";
import { embedded, type TestDatabase } from "../examples/database_support.ts";
import { settled } from "../support/feed.ts";
import { send, serve } from "../support/http.ts";
import { caches } from "./caches.ts";

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

const never: PurgerOptions = { again: [], retry: 0 };

/** A purger whose calls are kept, and can be made to fail. */
function setUp(cache = varnish("http://cache"), options: PurgerOptions = never) {
  const calls: PurgeCall[] = [];
  const errors: unknown[] = [];
  const state = { fails: 0 };
  const purger = new Purger(cache, {
    send: async (call) => {
      calls.push(call);
      await settled();
      if (state.fails-- > 0) throw new Error("away");
    },
    onError: (error) => errors.push(error),
    ...options,
  });
  return { purger, calls, errors, state };
}

test("Purger: the formats of Varnish, Fastly and Cloudflare", async () => {
  const names = new Set(["post-1", "all posts"]);
  const formats = {
    "xkey": varnish("http://cache"),
    "surrogate_keys": fastly("S", "T"),
    "tags": cloudflare("Z", "T"),
  };
  const sent: unknown[] = [];
  for (const cache of Object.values(formats)) {
    const { purger, calls } = setUp(cache);
    purger.purge(names);
    await purger.idle();
    purger.purge("all");
    await purger.idle();
    sent.push(...calls.map(({ method, url, headers, body }) => [`${method} ${url}`, body ?? headers]));
  }
  const cloudflareUrl = "POST https://api.cloudflare.com/client/v4/zones/Z/purge_cache";
  assert.deepEqual(sent, [
    ["PURGE http://cache/", { xkey: "post-1 all%20posts" }],
    ["PURGE http://cache/", { "purge-all": "1" }],
    ["POST https://api.fastly.com/service/S/purge", '{"surrogate_keys":["post-1","all%20posts"]}'],
    ["POST https://api.fastly.com/service/S/purge_all", {
      "fastly-key": "T",
      "content-type": "application/json",
    }],
    [cloudflareUrl, '{"tags":["post-1","all%20posts"]}'],
    [cloudflareUrl, '{"purge_everything":true}'],
  ]);
});

test("Purger: what comes in while a call is under way goes together, as many keys as one call takes", async () => {
  const { purger, calls } = setUp(cloudflare("Z", "T"));
  purger.purge(new Set(["a"]));
  for (let i = 0; i < 70; i++) purger.purge(new Set([`b${i}`, "a"]));
  await purger.idle();
  const tags = calls.map(({ body }) => JSON.parse(body!).tags as string[]);
  assert.deepEqual(tags.map(({ length }) => length), [1, 30, 30, 11]);
  assert.ok(tags[1]!.includes("a"), "what is being purged is purged again if it changes again");
});

test("Purger: a line of keys has a bound, and a longer key goes alone", async () => {
  const { purger, calls } = setUp();
  purger.purge(new Set(["x".repeat(5_000), ...Array.from({ length: 5 }, (_, i) => String(i).repeat(1_500))]));
  await purger.idle();
  assert.deepEqual(calls.map(({ headers }) => headers["xkey"]!.length), [5_000, 3_001, 3_001, 1_500]);
});

test("Purger: a call that fails is sent until it is taken", async () => {
  for (const names of [new Set(["a", "b"]), "all"] as const) {
    const { purger, calls, errors, state } = setUp();
    state.fails = 3;
    purger.purge(names);
    await purger.idle();
    assert.deepEqual([calls.length, errors.length], [4, 3]);
    assert.deepEqual(calls[3], calls[0]);
  }
});

test("Purger: each purge is sent again, and close() ends it", async () => {
  const { purger, calls } = setUp(varnish("http://cache"), { again: [1, 40] });
  purger.purge(new Set(["a"]));
  while (calls.length < 3) await pause(1);
  await purger.idle();
  assert.equal(calls.length, 3);
  const closed = setUp(varnish("http://cache"), { again: [1], retry: 1e6 });
  closed.state.fails = 9;
  closed.purger.purge(new Set(["a"]));
  await settled();
  await settled();
  await closed.purger.close();
  const { length } = closed.calls;
  closed.purger.purge(new Set(["b"]));
  await closed.purger.close();
  assert.equal(closed.calls.length, length, "nothing is sent after it");
});

test("followAndPurge: a feed that stays lost purges everything, once", async () => {
  const { purger, calls } = setUp();
  let lose: (reason?: unknown) => void = () => {};
  let connects = 0;
  const registry = new EtagRegistry();
  const feed = ownFeed(({ received, lost }) => {
    if (connects++ > 0) throw new Error("away");
    lose = lost;
    return { send: (token) => received(token, 1), close: () => {} };
  });
  const { follower, close } = followAndPurge(registry, feed, [purger], {}, 20);
  await follower.ready;
  await purger.idle();
  const before = calls.length;
  lose();
  while (calls.length === before) await pause(5);
  await pause(100);
  await close();
  assert.deepEqual(calls.slice(before).map(({ headers }) => headers), [{ "purge-all": "1" }]);
});

const { start, installed, packages } = caches["varnish"]!;
const skip = !("Deno" in globalThis)
  ? "caches in front are run on Deno only, to save time"
  : installed
  ? false
  : `no Varnish; apt-get install ${packages.join(" ")}`;

/** Each request has a connection of its own: one that Varnish closes meanwhile would be a fault of the test. */
const agent = new http.Agent({ keepAlive: false });

/** A page behind Varnish, whose handler and whose answers can be held up. */
async function withGates(
  body: (site: {
    ask(): Promise<string>;
    edit(): Promise<void>;
    purge(): Promise<void>;
    gates: { handler?: Promise<void>; answer?: Promise<void> };
    reached: () => number;
    built: () => number;
  }) => Promise<void>,
): Promise<void> {
  let version = 1;
  let reached = 0;
  let built = 0;
  let report: (change: { id: string }) => void = () => {};
  const gates: { handler?: Promise<void>; answer?: Promise<void> } = {};
  const registry = new EtagRegistry();
  const handler = withEtag(async () => {
    const doc = { _id: "page", _rev: `${version}-a` };
    await gates.handler;
    return new Response(`version ${doc._rev}`, {
      headers: { "cache-control": "public, max-age=0, s-maxage=3600", ...dependsOn(doc) },
    });
  }, { registry, purgeFields: ["xkey"] });
  const server = await serve(async (request) => {
    if (!request.url.endsWith("/page")) return new Response("up");
    reached++;
    const response = await handler(request);
    built++;
    await gates.answer;
    return response;
  });
  const cache = await start(Number(new URL(server.url).port));
  const purger = new Purger(varnish(cache.origin), { again: [] });
  const feed = ownFeed(({ change }) => void (report = change), { onlyWriter: true });
  const { follower, close } = followAndPurge(registry, feed, [purger]);
  await follower.ready;
  try {
    await body({
      ask: async () => (await send(`${cache.origin}/page`, { agent })).body,
      edit: async () => {
        version++;
        report({ id: "page" });
        await settled();
        await purger.idle();
      },
      // What the purger does again after a while.
      purge: async () => {
        purger.purge(new Set(["page"]));
        await purger.idle();
      },
      gates,
      reached: () => reached,
      built: () => built,
    });
  } finally {
    await close();
    await cache.close();
    await server.close();
  }
}

test("Varnish: kept for an hour, and gone with the edit", { skip }, async () => {
  await withGates(async ({ ask, edit, reached }) => {
    for (let i = 1; i <= 3; i++) {
      assert.equal(await ask(), `version ${i}-a`);
      assert.equal(await ask(), `version ${i}-a`);
      assert.equal(reached(), i, "the second is Varnish's own");
      await edit();
    }
  });
});

test("Varnish: a page that is built from old data while it is purged is not kept", { skip }, async () => {
  await withGates(async ({ ask, edit, gates, reached }) => {
    const gate = Promise.withResolvers<void>();
    gates.handler = gate.promise;
    const old = ask();
    while (reached() === 0) await pause(1);
    await edit();
    gate.resolve();
    assert.equal(await old, "version 1-a");
    assert.equal(await ask(), "version 2-a");
  });
});

test(
  "Varnish: a page that is on its way while it is purged is kept, until it is purged again",
  { skip },
  async () => {
    await withGates(async ({ ask, edit, purge, gates, built }) => {
      const gate = Promise.withResolvers<void>();
      gates.answer = gate.promise;
      const old = ask();
      // The handler is done, and its lease with it.
      while (built() === 0) await pause(1);
      await edit();
      gate.resolve();
      assert.equal(await old, "version 1-a");
      assert.equal(await ask(), "version 1-a", "the race that the second purge is for");
      await purge();
      assert.equal(await ask(), "version 2-a");
    });
  },
);

/** ms after an edit from which on no answer may be older. */
const LIMIT = 500;

/** Edits under load, first without a purger. Gives the answers that were older than they may be, and what reached the site. */
async function editUnderLoad(
  database: TestDatabase,
  edits: { readonly unpurged: number; readonly purged: number },
): Promise<{ unpurged: string[]; purged: string[]; requests: number; reached: number }> {
  const ids = Array.from({ length: 6 }, (_, i) => `post-${i}`);
  const revs = new Map<string, string>();
  /** When each version was acknowledged. */
  const acknowledged = new Map<string, number[]>(ids.map((id) => [id, []]));
  const write = async (id: string) => {
    const n = acknowledged.get(id)!.length;
    const rev = revs.get(id);
    const init = { method: "PUT", body: JSON.stringify({ n, ...rev === undefined ? {} : { _rev: rev } }) };
    const response = await database.ask(`/${id}`, {
      ...init,
      headers: { "content-type": "application/json" },
    });
    assert.equal(response.status, 201);
    revs.set(id, (await response.json()).rev);
    acknowledged.get(id)!.push(performance.now());
  };
  for (const id of ids) await write(id);

  const purgers: Purger[] = [];
  const { fetch, follower, close } = servePosts(database.url.href, purgers);
  let reached = 0;
  const server = await serve((request) => {
    reached++;
    return fetch(request);
  });
  const cache = await start(Number(new URL(server.url).port));
  await follower.ready;

  const wrong: { unpurged: string[]; purged: string[] } = { unpurged: [], purged: [] };
  let phase: keyof typeof wrong = "unpurged";
  let requests = 0;
  // A machine that stands still is late with purges too.
  let stall = 0;
  let beat = performance.now();
  const watch = setInterval(() => {
    stall = Math.max(stall, performance.now() - beat - 10);
    beat = performance.now();
  }, 10);
  const judge = (id: string, n: number, asked: number, during: keyof typeof wrong) => {
    const replaced = acknowledged.get(id)![n + 1];
    const age = replaced === undefined ? -Infinity : asked - replaced;
    if (age > LIMIT + stall) wrong[during].push(`${id}: version ${n} was ${age.toFixed(0)} ms old`);
  };
  const read = async (id: string) => {
    requests++;
    const asked = performance.now();
    const during = phase;
    const { status, body } = await send(`${cache.origin}/${id}`, { agent });
    assert.equal(status, 200, body);
    const read = JSON.parse(body);
    for (const doc of id === "" ? read : [read]) judge(doc._id, doc.n, asked, during);
  };
  let isOver = false;
  const readers = [0, 3].map(async (first) => {
    for (let i = first; !isOver; i++) {
      await read(["", ...ids][i % 7]!);
      await pause(5);
    }
  });
  const edit = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await write(ids[i % ids.length]!);
      await pause(50);
    }
    await pause(LIMIT + 100);
    for (const id of ["", ...ids]) await read(id);
  };
  try {
    await edit(edits.unpurged);
    const purger = new Purger(varnish(cache.origin));
    purgers.push(purger);
    purger.purge("all");
    await purger.idle();
    phase = "purged";
    await edit(edits.purged);
  } finally {
    isOver = true;
    await Promise.all(readers);
    clearInterval(watch);
    await close();
    await cache.close();
    await server.close();
  }
  return { ...wrong, requests, reached };
}

test("Varnish: edits under load, purged, and what is found without a purge", { skip }, async () => {
  const database = await embedded.open();
  try {
    await database.ask("", { method: "PUT" });
    const { unpurged, purged, requests, reached } = await editUnderLoad(database, {
      unpurged: 6,
      purged: 60,
    });
    assert.ok(reached < requests, `${requests} requests, of which Varnish has answered none`);
    assert.notEqual(unpurged.length, 0, "a page that is kept for an hour is old after an edit");
    assert.deepEqual(purged, [], `${requests} requests`);
  } finally {
    await database.close();
  }
});
