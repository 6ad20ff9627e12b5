/** What belongs to the handler or its server is not written to, and the request is read before the handler runs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, invalidates, withEtag } from "../../mod.ts";
import { withFields } from "../../src/handler/responses.ts";
import { PAGE, request, WatchedRegistry, wrap } from "../support/http.ts";

const PUBLIC = { "cache-control": "public, no-cache" };

test("withEtag: a constant response without a body is not written to", async () => {
  const none = new Response(null, { status: 404 });
  const site = wrap(() => none, { cacheStatus: "Edge" });
  for (let time = 0; time < 3; time++) {
    const answer = await site.ask(request());
    assert.equal(answer.headers.get("cache-status")?.match(/Edge/g)?.length, 1);
  }
  assert.deepEqual([...none.headers], []);
});

test("withEtag: a constant declaration is read each time", async () => {
  const empty = new Response(null, { headers: { ...PUBLIC, ...dependsOn("a") } });
  const site = wrap(() => empty);
  const first = (await site.ask(request())).headers.get("etag");
  site.registry.invalidate("a");
  const second = (await site.ask(request())).headers.get("etag");
  assert.notEqual(first, null);
  assert.notEqual(second, first, "a new registration, a new tag");
  assert.equal(site.registry.stats.undeclared, 0);
});

test("withEtag: a constant answer to a write invalidates each time", async () => {
  const done = new Response(null, { status: 204, headers: invalidates("posts") });
  const registry = new WatchedRegistry({ manual: true });
  const reader = withEtag(() => new Response("page", { headers: dependsOn("posts") }), { registry });
  const writer = withEtag(() => done, { registry });
  for (let time = 0; time < 2; time++) {
    const etag = (await reader(request())).headers.get("etag")!;
    await writer(request({}, { url: `${PAGE}/write`, method: "POST" }));
    assert.equal((await reader(request({ "if-none-match": etag }))).status, 200);
  }
});

/** As some servers' classes do: it keeps the Headers that it is given. */
class Keeping extends Response {
  readonly #headers: Headers;
  constructor(body: BodyInit | null, init: { readonly headers: Headers; readonly status?: number }) {
    super(body, init);
    this.#headers = init.headers;
  }
  override get headers(): Headers {
    return this.#headers;
  }
}

test("withFields: Headers that a class keeps are not written to", async () => {
  const shared = new Headers({ ...PUBLIC, ...dependsOn("a") });
  const before = [...shared];
  const answer = withFields(new Keeping("page", { headers: shared }), { etag: '"1"' });
  assert.deepEqual([await answer.text(), answer.headers.get("etag")], ["page", '"1"']);
  assert.deepEqual([...shared], before);
});

test("withEtag: constant Headers under a class that keeps them, page after page", async () => {
  const shared = new Headers({ ...PUBLIC, ...dependsOn("posts") });
  let text = "one";
  const site = wrap(() => new Keeping(text, { headers: shared }));
  const etag = (await site.ask(request())).headers.get("etag")!;
  text = "two";
  site.registry.invalidate("posts");
  const again = await site.ask(request({ "if-none-match": etag }));
  assert.deepEqual([again.status, await again.text()], [200, "two"]);
  const other = await site.ask(request({}, { url: `${PAGE}/other` }));
  assert.notEqual(other.headers.get("etag"), etag);
});

test("withEtag: credentials are those that arrived, whatever the handler does to its request", async () => {
  const post = { _id: "post", _rev: "1-a" };
  const site = wrap(({ headers }) => {
    const member = headers.has("authorization");
    headers.delete("authorization");
    return new Response(member ? "draft" : "log in", { headers: dependsOn(post) });
  });
  const guest = (await site.ask(request())).headers.get("etag");
  const member = await site.ask(request({ authorization: "Bearer ada" }));
  assert.notEqual(guest, null);
  assert.deepEqual([member.headers.get("etag"), site.registry.stats["not-public"]], [null, 1]);
});

test("withEtag: the fields that Vary names are those that arrived", async () => {
  const site = wrap(({ headers }) => {
    const language = headers.get("accept-language");
    headers.set("accept-language", "en");
    return new Response(language, { headers: { ...PUBLIC, vary: "accept-language", ...dependsOn("a") } });
  });
  const german = (await site.ask(request({ "accept-language": "de" }))).headers.get("etag")!;
  const english = await site.ask(request({ "accept-language": "en", "if-none-match": german }));
  assert.deepEqual([english.status, await english.text()], [200, "en"]);
  assert.equal((await site.ask(request({ "accept-language": "de", "if-none-match": german }))).status, 304);
});

test("withEtag: `this` is the handler's own, and arguments are passed on", async () => {
  const app = {
    text: "page",
    fetch(_request: Request, ...rest: unknown[]) {
      return new Response(`${this.text} ${rest.length}`);
    },
  };
  const wrapped = withEtag(app.fetch);
  for (const rest of [[], [1], [1, 2]]) {
    const response = await Reflect.apply(wrapped, app, [request(), ...rest]);
    assert.equal(await response.text(), `page ${rest.length}`);
  }
});

test("withEtag: any thenable is waited for, once", async () => {
  const page = () => new Response("page", { headers: dependsOn("a") });
  const thenables: readonly (() => unknown)[] = [
    () => ({ then: (resolve: (value: unknown) => void) => void resolve(page()) }),
    () => ({
      then(resolve: (value: unknown) => void) {
        resolve(page());
        resolve(page());
        return Promise.resolve();
      },
    }),
  ];
  for (const thenable of thenables) {
    const site = wrap(thenable);
    assert.equal(await (await site.ask(request())).text(), "page");
    assert.deepEqual([site.registry.size, site.registry.open.size], [1, 0]);
  }
});

test("withEtag: a framework's context in the place of a request throws, and says what to pass", () => {
  const handler = withEtag(() => new Response("page"));
  for (const context of [{ req: request() }, {}, undefined, "http://localhost/"]) {
    assert.throws(() => handler(context as unknown as Request), /Request first.*c\.req\.raw/s);
  }
});

for (const option of ["key", "caller"] as const) {
  test(`withEtag: where ${option} throws for what a client sent, the handler answers`, async () => {
    const site = wrap(() => new Response("page", { headers: { ...PUBLIC, ...dependsOn("a") } }), {
      [option]: ({ headers }: Request) => decodeURIComponent(headers.get("x-name") ?? "a"),
    });
    const answer = await site.ask(request({ "x-name": "%" }));
    assert.deepEqual([answer.status, await answer.text(), answer.headers.has("etag")], [200, "page", false]);
    assert.equal(JSON.stringify([...answer.headers]).includes("stillfresh"), false);
    assert.deepEqual([site.registry.stats[`${option}-threw`], site.registry.size], [1, 0]);
    assert.equal((await site.ask(request())).headers.has("etag"), true);
  });
}

test("withEtag: a promise for a key is a mistake, and throws", () => {
  const promised = { key: () => Promise.resolve("a") } as unknown as Parameters<typeof wrap>[1];
  assert.throws(() => wrap(() => new Response("page"), promised).raw(request()), /gives a string/);
});
