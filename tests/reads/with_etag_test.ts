/** The option `reads` of withEtag: what a response depends on, and what happens to reads that leave the request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, ownFeed, withEtag, type WithEtagOptions } from "../../mod.ts";
import {
  anyChange,
  declare,
  guarding,
  reads,
  strayReads,
  tracked,
  untracked,
} from "../../src/reads/reads.ts";

/** Documents that count how often they were edited. */
function openStore() {
  const edits = new Map<string, number>();
  const documentOf = (_id: string) => ({
    _id,
    _rev: `${(edits.get(_id) ?? 0) + 1}-a`,
    text: `${_id} ${edits.get(_id) ?? 0}`,
  });
  const handle = {
    get: (id: string) =>
      id === "missing"
        ? Promise.reject(Object.assign(new Error("missing"), { statusCode: 404 }))
        : Promise.resolve(documentOf(id)),
    list: () =>
      Promise.resolve({ rows: ["a", "b"].map((id) => ({ id, value: { rev: documentOf(id)._rev } })) }),
    insert: (id: string) => Promise.resolve(edits.set(id, (edits.get(id) ?? 0) + 1)),
  };
  return { db: tracked(handle), edit: (id: string) => void edits.set(id, (edits.get(id) ?? 0) + 1) };
}

type Store = ReturnType<typeof openStore>;

/** A site whose page is this, and how a client asks for it. */
function site(
  page: (store: Store, request: Request) => Promise<Response> | Response,
  options: WithEtagOptions = {},
) {
  const store = openStore();
  let runs = 0;
  const handler = withEtag((request: Request) => {
    runs++;
    return page(store, request);
  }, { reads, cacheStatus: "S", ...options.registry === undefined ? { manual: true } : {}, ...options });
  const get = async (headers: Record<string, string> = {}, method = "GET") => {
    const response = await handler(new Request("http://localhost/page", { method, headers }));
    const text = await response.text();
    return {
      status: response.status,
      etag: response.headers.get("etag") ?? "",
      text,
      why: response.headers.get("cache-status"),
    };
  };
  return { store, handler, get, runs: () => runs };
}

test("reads: a page is answered without the handler until a document changes that a helper of a helper read", async () => {
  const { store, handler, get, runs } = site(async ({ db }) => {
    const post = await db.get("post");
    const layout = async () => `${post.text}, ${(await db.get("menu")).text}`;
    return new Response(await layout());
  });
  const { etag } = await get();
  assert.equal((await get({ "if-none-match": etag })).status, 304);
  assert.equal(runs(), 1);
  store.edit("menu");
  handler.registry.invalidate("menu");
  const after = await get({ "if-none-match": etag });
  assert.deepEqual([after.status, after.text], [200, "post 0, menu 1"]);
});

test("reads: the tag is that of the same documents declared by hand", async () => {
  const options: WithEtagOptions = { version: "1", secret: "sixteen characters" };
  const read = site(async ({ db }) => new Response((await db.get("post")).text), options);
  const declared = site(
    () => new Response("post 0", { headers: dependsOn({ _id: "post", _rev: "1-a" }) }),
    options,
  );
  assert.equal((await read.get()).etag, (await declared.get()).etag);
});

test("reads: what is declared by hand is added", async () => {
  const { handler, get } = site(async ({ db }) =>
    new Response((await db.get("post")).text, { headers: dependsOn("weather") })
  );
  const { etag } = await get();
  handler.registry.invalidate("weather");
  assert.equal((await get({ "if-none-match": etag })).why?.includes("hit"), false);
});

test("reads: a document that does not exist is waited for", async () => {
  const { handler, get } = site(async ({ db }) =>
    new Response(await db.get("missing").then(() => "there", () => "none"))
  );
  await get();
  assert.equal(handler.registry.size, 1);
  handler.registry.invalidate("missing");
  assert.equal((await get({ "if-none-match": '"x"' })).why?.includes("group-changed"), true);
});

test("reads: a list is registered where its feed tells each change, and refused where it does not", async () => {
  for (const groups of [[], [anyChange]]) {
    const registry = new EtagRegistry();
    const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }), { groups });
    await follower.ready;
    const { get } = site(async ({ db }) => Response.json(await db.list()), { registry });
    assert.match((await get()).why!, groups.length === 0 ? /group-unfollowed/ : /stored/);
    await follower.close();
  }
});

test("reads: a read that cannot be followed leaves the page unregistered, with the reason", async () => {
  const { handler, get } = site(async () => {
    const odd = tracked({ get: () => Promise.resolve("no document") });
    return new Response(await odd.get(), { headers: dependsOn("post") });
  });
  assert.match((await get()).why!, /"unconditional, read-unknown"/);
  assert.equal(handler.registry.size, 0);
  assert.equal(handler.registry.stats["read-unknown"], 1);
});

test("reads: without the option a page that only reads is undeclared", async () => {
  const { get } = site(async ({ db }) => new Response((await db.get("post")).text), {
    reads: undefined as never,
  });
  assert.match((await get()).why!, /undeclared/);
});

/** A page whose body reads a document when it is asked for, after some time. */
function streamed(ms: number | undefined) {
  return site(({ db }) => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, ms));
        controller.enqueue(new TextEncoder().encode((await db.get("post")).text));
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: dependsOn("menu") });
  });
}

test("reads: a stream that reads after the fields are sent is not confirmed", async () => {
  const { handler, get } = streamed(5);
  const late = strayReads().late;
  const { etag, text } = await get();
  assert.equal(text, "post 0");
  assert.equal(handler.registry.size, 0, "the entry was taken out");
  assert.equal((await get({ "if-none-match": etag })).why?.includes("hit"), false);
  assert.ok(strayReads().late > late);
  assert.ok(handler.registry.stats["read-late"] > 0);
});

test("reads: the body of a Response of another class is read as well", async () => {
  /** As servers on Node have one in the place of the global. */
  class ForeignResponse {
    readonly #own: Response;
    constructor(body: BodyInit, init: ResponseInit) {
      this.#own = new Response(body, init);
    }
    get body() {
      return this.#own.body;
    }
    get bodyUsed() {
      return this.#own.bodyUsed;
    }
    get status() {
      return this.#own.status;
    }
    get statusText() {
      return this.#own.statusText;
    }
    get headers() {
      return this.#own.headers;
    }
  }
  const { handler, get } = site(({ db }) => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(new TextEncoder().encode((await db.get("post")).text));
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new ForeignResponse(body, { headers: dependsOn("menu") }) as unknown as Response;
  });
  assert.equal((await get()).text, "post 0");
  assert.equal(handler.registry.size, 0, "the entry was taken out");
});

test("reads: a stream that is whole at once has read what it is made of", async () => {
  const { handler, get } = streamed(undefined);
  const { etag, text } = await get();
  assert.equal(text, "post 0");
  assert.equal((await get({ "if-none-match": etag })).status, 304);
  handler.registry.invalidate("post");
  assert.equal((await get({ "if-none-match": etag })).why?.includes("hit"), false);
});

test("reads: a stream under groups of an upstream has read what it is made of", async () => {
  const { handler, get } = site(({ db }) => {
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        controller.enqueue(new TextEncoder().encode((await db.get("post")).text));
        controller.close();
      },
    }, { highWaterMark: 0 });
    return new Response(body, { headers: { "cache-groups": '"menu"' } });
  }, { trustCacheGroups: true });
  const { etag } = await get();
  assert.equal((await get({ "if-none-match": etag })).status, 304);
  handler.registry.invalidate("post");
  assert.equal((await get({ "if-none-match": etag })).why?.includes("hit"), false);
});

test("reads: a page that shows conflicts is void by a change that leaves the winning revision", async () => {
  const conflicts: string[] = [];
  const posts = tracked({
    get: (_id: string, _options: object) => Promise.resolve({ _id, _rev: "2-b", _conflicts: [...conflicts] }),
  });
  const { handler, get } = site(async () => Response.json(await posts.get("post", { conflicts: true })));
  const { etag } = await get();
  assert.equal((await get({ "if-none-match": etag })).status, 304);
  conflicts.push("2-a");
  handler.registry.invalidate({ _id: "post", _rev: "2-b" });
  const after = await get({ "if-none-match": etag });
  assert.deepEqual([after.status, JSON.parse(after.text || "{}")._conflicts], [200, ["2-a"]]);
});

test("reads: the length of a body that is whole stays, and a stream is sent as it comes", async () => {
  const { handler } = site(async ({ db }, request) => {
    const { text } = await db.get("post");
    const kind = request.headers.get("x-kind");
    if (kind === "bytes") return new Response(new TextEncoder().encode(text));
    if (kind === null) return new Response(text);
    let step = 0;
    return new Response(
      new ReadableStream({
        async pull(controller) {
          await new Promise((resolve) => setTimeout(resolve, 2));
          if (step++ === 3) return kind === "fails" ? controller.error(new Error("cut")) : controller.close();
          controller.enqueue(new TextEncoder().encode(`${text};`));
        },
      }),
    );
  });
  const get = (fields: Record<string, string>) =>
    handler(new Request("http://localhost/", { headers: fields }));
  for (const kind of [{}, { "x-kind": "bytes" }]) {
    const response = await get(kind);
    const { value, done } = await response.clone().body!.getReader().read();
    assert.deepEqual([new TextDecoder().decode(value), done], ["post 0", false]);
    assert.equal(await response.text(), "post 0");
  }
  assert.equal(await (await get({ "x-kind": "stream" })).text(), "post 0;post 0;post 0;");
  await assert.rejects((await get({ "x-kind": "fails" })).text());
  await (await get({ "x-kind": "stream" })).body!.cancel();
});

test("reads: work that goes on after the response, untracked, leaves the page alone", async () => {
  let done = Promise.resolve<unknown>(undefined);
  const { handler, get } = site(async ({ db }) => {
    const page = new Response((await db.get("post")).text);
    done = untracked(async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return await db.get("visits");
    });
    return page;
  });
  await get();
  await done;
  assert.equal(handler.registry.size, 1);
});

test("reads: work that goes on after the response takes the page out", async () => {
  let done = Promise.resolve<unknown>(undefined);
  const { handler, get } = site(async ({ db }) => {
    const page = new Response((await db.get("post")).text);
    done = new Promise((resolve) => setTimeout(resolve, 1)).then(() => db.get("visits"));
    return page;
  });
  await get();
  await done;
  assert.equal(handler.registry.size, 0);
});

test("reads: a HEAD after a GET keeps the entry, and has its tag", async () => {
  const { handler, get } = site(async ({ db }) => new Response((await db.get("post")).text));
  const { etag } = await get();
  const head = await get({}, "HEAD");
  assert.equal(head.etag, etag);
  assert.equal(handler.registry.size, 1);
});

test("reads: two requests at once do not mix, whatever the order of their reads", async () => {
  const store = openStore();
  const handler = withEtag(async (request: Request) => {
    const ids = new URL(request.url).searchParams.get("ids")!.split(",");
    const texts: string[] = [];
    for (const id of ids) texts.push((await store.db.get(id)).text);
    return new Response(texts.join());
  }, { reads, manual: true });
  const urls = ["a,b,c", "c,d", "d,e,f,g", "b"].map((ids) => `http://localhost/?ids=${ids}`);
  const tags = await Promise.all(
    urls.map(async (url) => (await handler(new Request(url))).headers.get("etag")!),
  );
  handler.registry.invalidate("d");
  assert.deepEqual(tags.map((tag) => handler.registry.hasTag(tag)), [true, false, false, true]);
});

test("reads: a document that is kept from an earlier request is declared by hand", async () => {
  const kept = new Map<string, { readonly _id: string; readonly _rev: string; readonly text: string }>();
  const { handler, get } = site(async ({ db }) => {
    const menu = kept.get("menu") ?? await db.get("menu");
    kept.set("menu", menu);
    declare(menu);
    return new Response((await db.get("post")).text + menu.text);
  });
  await get();
  const { etag } = await get();
  handler.registry.invalidate("menu");
  assert.equal(handler.registry.hasTag(etag), false);
});

test("reads: the session is a guard, and no part of the tag", async () => {
  const { store, handler, get } = site(async ({ db }) => {
    await guarding(() => db.get("session"));
    return new Response((await db.get("post")).text, { headers: { "cache-control": "private" } });
  }, { caller: () => "session", version: "1", secret: "sixteen characters" });
  const { etag } = await get();
  store.edit("session");
  handler.registry.invalidate("session");
  const again = await get({ "if-none-match": etag });
  assert.equal(again.status, 304);
  assert.match(again.why!, /group-changed/);
});

test("reads: a handler that fails leaves nothing behind", async () => {
  const { handler, get } = site(async ({ db }) => {
    await db.get("post");
    throw new Error("out of order");
  });
  await assert.rejects(get(), /out of order/);
  assert.equal(handler.registry.size, 0);
});

test("reads: a write reads for itself", async () => {
  const { store, handler } = site(async ({ db }, request) => {
    if (request.method === "PUT") await db.insert((await db.get("post"))._id);
    return new Response((await db.get("post")).text);
  });
  const url = "http://localhost/page";
  const etag = (await handler(new Request(url))).headers.get("etag")!;
  await handler(new Request(url, { method: "PUT", body: "" }));
  const after = await handler(new Request(url, { headers: { "if-none-match": etag } }));
  assert.equal(after.status, 200);
  assert.equal((await store.db.get("post")).text, "post 1");
});
