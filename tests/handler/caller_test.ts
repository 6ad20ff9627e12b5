/** Callers that have to be looked up, and what else the server passes to the handler. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";

/** A promise, and what settles it. */
function open<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
}

const post = { _id: "post-1", _rev: "1-a" };

/** A page for each user, and a session store that is asked by hand. */
function site() {
  const asked: {
    readonly cookie: string | null;
    readonly answer: ReturnType<typeof open<string | undefined>>;
  }[] = [];
  let runs = 0;
  const handler = withEtag(async (request: Request) => {
    runs++;
    await null;
    return new Response(`page of ${request.headers.get("cookie")}`, {
      headers: { ...dependsOn(post), "cache-control": "private, no-cache" },
    });
  }, {
    manual: true,
    cacheStatus: "S",
    caller: (request) => {
      const answer = open<string | undefined>();
      asked.push({ cookie: request.headers.get("cookie"), answer });
      return answer.promise;
    },
  });
  const get = (cookie: string, etag?: string, method = "GET") =>
    Promise.resolve(handler(
      new Request("http://localhost/", {
        method,
        headers: { cookie, ...etag === undefined ? {} : { "if-none-match": etag } },
      }),
    ));
  return { handler, asked, get, runs: () => runs };
}

test("caller: while nothing is registered, the handler does not wait for the promise", async () => {
  const { asked, get, runs, handler } = site();
  const first = get("ada", '"any"');
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(runs(), 1);
  asked[0]!.answer.resolve("ada");
  assert.equal((await first).status, 200);
  assert.equal(handler.registry.size, 1);
});

test("caller: while no feed is followed, nothing waits, and the reason is that", async () => {
  const handler = withEtag(() => new Response("page", { headers: dependsOn(post) }), {
    registry: new EtagRegistry(),
    cacheStatus: "S",
    caller: () => Promise.resolve("ada"),
  });
  const response = await handler(new Request("http://localhost/", { headers: { "if-none-match": '"any"' } }));
  assert.match(response.headers.get("cache-status")!, /detail=unfollowed$/);
});

test("caller: each name has entries of its own", async () => {
  const { asked, get, runs } = site();
  const answered = async (cookie: string, etag?: string) => {
    const response = get(cookie, etag);
    asked.at(-1)!.answer.resolve(cookie);
    return await response;
  };
  const etag = (await answered("ada")).headers.get("etag")!;
  assert.equal((await answered("ada", etag)).status, 304);
  assert.equal(runs(), 1);
  const bob = await answered("bob", etag);
  assert.deepEqual([bob.status, await bob.text(), runs()], [200, "page of bob", 2]);
});

test("caller: a request that an entry could answer waits, and the handler with it", async () => {
  const { asked, get, runs } = site();
  const first = get("ada");
  asked[0]!.answer.resolve("ada");
  const etag = (await first).headers.get("etag")!;
  const second = get("ada", etag);
  await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal(runs(), 1);
  asked[1]!.answer.resolve("ada");
  assert.equal((await second).status, 304);
});

test("caller: one that is not found is everybody, and their private pages are not kept", async () => {
  const { asked, get, handler } = site();
  const first = get("nobody");
  asked[0]!.answer.resolve(undefined);
  assert.match((await first).headers.get("cache-status")!, /private/);
  assert.equal(handler.registry.size, 0);
});

test("caller: where the store fails, the handler decides, and nothing is kept", async () => {
  const { asked, get, handler, runs } = site();
  const first = get("ada");
  asked[0]!.answer.reject(new Error("the store is down"));
  const response = await first;
  assert.deepEqual([response.status, await response.text()], [200, "page of ada"]);
  assert.equal([...response.headers.keys()].some((name) => name.startsWith("stillfresh-")), false);
  assert.deepEqual([handler.registry.size, handler.registry.stats["caller-threw"], runs()], [0, 1, 1]);
  const kept = get("ada");
  asked[1]!.answer.resolve("ada");
  const etag = (await kept).headers.get("etag")!;
  const later = get("ada", etag);
  asked[2]!.answer.reject(new Error("the store is down"));
  assert.equal((await later).status, 200);
});

test("caller: what is no name counts as a failure of the store", async () => {
  const { asked, get, handler } = site();
  const first = get("ada");
  asked[0]!.answer.resolve(null as unknown as undefined);
  assert.equal((await first).status, 200);
  assert.equal(handler.registry.stats["caller-threw"], 1);
});

test("caller: a write waits for the name, and voids the entries of all", async () => {
  const { asked, get, handler } = site();
  const first = get("ada");
  asked[0]!.answer.resolve("ada");
  const etag = (await first).headers.get("etag")!;
  const write = get("bob", undefined, "POST");
  asked[1]!.answer.resolve("bob");
  await write;
  assert.equal(handler.registry.hasTag(etag), false);
});

test("caller: a change while the name is looked up leaves nothing stale behind", async () => {
  const { asked, get, handler } = site();
  const first = get("ada");
  await new Promise((resolve) => setTimeout(resolve, 1));
  handler.registry.invalidate("post-1");
  asked[0]!.answer.resolve("ada");
  await first;
  assert.equal(handler.registry.size, 0);
});

test("key, caller, current: are given what the server passes beside the request", async () => {
  const given: unknown[] = [];
  const handler = withEtag(
    (_request: Request, env: { readonly site: string }, ip: string) =>
      new Response(`${env.site} ${ip}`, { headers: dependsOn(post) }),
    {
      manual: true,
      key: ({ url }, env, ip) => {
        given.push(["key", env.site, ip]);
        return `${env.site}${url}`;
      },
      caller: (_request, env) => {
        given.push(["caller", env.site]);
        return undefined;
      },
      current: (_request, env, ip) => {
        given.push(["current", env.site, ip]);
        return undefined;
      },
    },
  );
  const url = "http://localhost/";
  await handler(new Request(url), { site: "a" }, "::1");
  await handler(new Request(url, { method: "PUT", headers: { "if-match": '"x"' } }), { site: "b" }, "::2");
  assert.deepEqual(given, [["key", "a", "::1"], ["caller", "a"], ["key", "b", "::2"], ["caller", "b"], [
    "current",
    "b",
    "::2",
  ]]);
});
