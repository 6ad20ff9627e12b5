import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, invalidates, ownFeed, withEtag } from "../../mod.ts";
import { systemClock } from "../../src/changes/clock.ts";
import { INVALIDATES } from "../../src/http/dependency.ts";
import { PushedFeed } from "../support/feed.ts";
import { PAGE, request, wrap, type Wrapped } from "../support/http.ts";
import { live } from "../support/registrations.ts";
import { restored, saved } from "../support/snapshots.ts";

const PUBLIC = { "cache-control": "public, no-cache" };
const TAG = { "if-none-match": '"a"' };

/** GET is a page that depends on a list, everything else answers what the test says. */
function store(write: (request: Request) => unknown): Wrapped {
  return wrap((request) => {
    if (request.method !== "GET") return write(request);
    return new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn("list") } });
  });
}

/** Whether the page is still answered from the registry. */
async function known(site: Wrapped, url = PAGE): Promise<boolean> {
  const before = site.runs;
  await site.ask(request(TAG, { url }));
  return site.runs === before;
}

for (const method of ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "patch"]) {
  test(`withEtag: a successful ${method} drops its own URL and no other (RFC 9111 §4.4)`, async () => {
    const site = store(() => Promise.resolve(new Response(null, { status: 204 })));
    await site.ask(request());
    await site.ask(request({}, { url: `${PAGE}/other` }));
    await site.ask(request({}, { method }));
    assert.deepEqual([await known(site), await known(site, `${PAGE}/other`)], [false, true]);
  });
}

for (
  const [status, dropped] of [[200, true], [201, true], [303, true], [400, false], [409, false], [
    500,
    true,
  ]] as const
) {
  test(`withEtag: a write answered ${status} ${dropped ? "drops" : "does not drop"} what it names`, async () => {
    const other = `${PAGE}/other`;
    const site = store(() => new Response(null, { status, headers: invalidates("list") }));
    await site.ask(request());
    await site.ask(request({}, { url: other }));
    const response = await site.ask(request({}, { method: "PUT" }));
    assert.deepEqual([response.status, response.headers.get("cache-group-invalidation")], [status, null]);
    assert.deepEqual([await known(site), await known(site, other)], [!dropped, !dropped]);
  });
}

for (
  const [what, write] of [
    ["throws", () => {
      throw new Error("broken");
    }],
    ["rejects", () => Promise.reject(new Error("broken"))],
  ] as const
) {
  test(`withEtag: a write that ${what} may have written, so its URL is void`, async () => {
    const site = store(write);
    await site.ask(request());
    await site.ask(request({}, { url: `${PAGE}/other` }));
    await assert.rejects(site.ask(request({}, { method: "PUT" })), /broken/);
    assert.deepEqual([await known(site), await known(site, `${PAGE}/other`)], [false, true]);
  });
}

test("withEtag: a write whose result is no Response may have written, so its URL is void", async () => {
  const site = store(() => ({ ok: true }));
  await site.ask(request());
  assert.deepEqual(await site.ask(request({}, { method: "PUT" })), { ok: true });
  assert.equal(await known(site), false);
});

test("withEtag: two invalidations appended are both heard", async () => {
  const site = store(() => {
    const headers = new Headers(invalidates("x"));
    headers.append(...Object.entries(invalidates("list"))[0]!);
    return new Response(null, { status: 200, headers });
  });
  await site.ask(request());
  await site.ask(request({}, { method: "POST", url: `${PAGE}/elsewhere` }));
  assert.equal(await known(site), false);
});

test("withEtag: an invalidation that cannot be read may have named anything", async () => {
  const [[name, value]] = Object.entries(invalidates("list")) as [[string, string]];
  const site = store(() => new Response(null, { headers: { [name]: `${value} %` } }));
  await site.ask(request());
  const response = await site.ask(request({}, { method: "POST", url: `${PAGE}/elsewhere` }));
  assert.equal(response.headers.has(name), false);
  assert.equal(await known(site), false);
  assert.equal(site.registry.stats.malformed, 1);
});

test("withEtag: a write drops all variants and all callers of its URL", async () => {
  let user: string | undefined;
  const site = wrap((request) => {
    const headers = { vary: "accept", etag: '"a"', "cache-control": "private", ...dependsOn("list") };
    return new Response(null, { headers: request.method === "GET" ? headers : {} });
  }, { caller: () => user });
  const sent = [["ann", "text/html"], ["ann", "text/plain"], ["bob", "text/html"]] as const;
  for (const [who, accept] of sent) {
    user = who;
    await site.ask(request({ accept }));
    await site.ask(request({ accept, ...TAG }));
  }
  assert.equal(site.runs, 3);
  user = "ann";
  await site.ask(request({}, { method: "PUT" }));
  for (const [who, accept] of sent) {
    user = who;
    await site.ask(request({ accept, ...TAG }));
  }
  assert.equal(site.runs, 7);
});

test("withEtag: a GET that ran while a write succeeded is not registered", async () => {
  let finish: (response: Response) => void = () => {};
  const headers = { ...PUBLIC, ...dependsOn({ _id: "list", _rev: "1-a" }) };
  const site = wrap(({ method }) =>
    method === "GET" ? new Promise((resolve) => finish = resolve) : new Response(null)
  );
  const reading = site.ask(request());
  await site.ask(request({}, { method: "PUT" }));
  finish(new Response("of before", { headers }));
  await reading;
  assert.deepEqual([site.registry.size, site.registry.open.size], [0, 0]);
  assert.equal(site.registry.stats["lease-broken"], 1);
});

test("withEtag: a write names groups even where key says undefined", async () => {
  const site = wrap(
    ({ method }) =>
      method === "GET"
        ? new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn("list") } })
        : new Response(null, { headers: invalidates("list") }),
    {
      key: ({ method, url }) => method === "GET" ? url : undefined,
    },
  );
  await site.ask(request());
  const response = await site.ask(request({}, { method: "POST" }));
  assert.equal(response.headers.has("cache-group-invalidation"), false);
  assert.equal(await known(site), false);
});

test("withEtag: an invalidation with immutable fields is heard, and taken off", async () => {
  const site = store(() => {
    const response = new Response("done", { headers: invalidates("list") });
    return Object.defineProperty(response, "headers", { value: immutable(response.headers) });
  });
  await site.ask(request());
  const response = await site.ask(request({}, { method: "POST", url: `${PAGE}/elsewhere` }));
  assert.deepEqual([response.headers.has("cache-group-invalidation"), await response.text()], [
    false,
    "done",
  ]);
  assert.equal(await known(site), false);
});

/** As the fields of a fetched response are on Node and Deno. */
function immutable(headers: Headers): Headers {
  const refuse = () => {
    throw new TypeError("immutable");
  };
  return Object.defineProperties(headers, { set: { value: refuse }, delete: { value: refuse } });
}

const writes: readonly [string, Record<string, string>, { readonly url?: string }, boolean][] = [
  ["to the resource", {}, {}, true],
  ["that names the group", invalidates("list"), { url: `${PAGE}/form` }, true],
  [
    "with a declaration that cannot be read",
    { [INVALIDATES]: invalidates("list")[INVALIDATES]!.split(" ")[0]! },
    { url: `${PAGE}/form` },
    true,
  ],
  ["that concerns neither", invalidates("another list"), { url: `${PAGE}/form` }, false],
];
for (const [what, headers, where, voids] of writes) {
  test(`withEtag: a write ${what}, through a wrapper without a registry, reaches those that are followed`, async () => {
    const registry = new EtagRegistry();
    const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }));
    await follower.ready;
    const site = wrap(
      () => new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn("list") } }),
      { registry },
    );
    const writer = withEtag(() => new Response(null, { status: 204, headers }));
    await site.ask(request());
    assert.equal(await known(site), true);
    await writer(request({}, { ...where, method: "PUT" }));
    assert.equal(await known(site), !voids);
    await follower.close();
  });
}

for (const isRestored of [false, true]) {
  const what = isRestored ? "is restored and not followed yet" : "is closed for a moment";
  test(`withEtag: a write through a wrapper without a registry reaches one that ${what}`, async () => {
    const version = "1";
    let registry = new EtagRegistry({ version });
    const site = () =>
      wrap(() => new Response("page", { headers: { ...PUBLIC, etag: '"a"', ...dependsOn("list") } }), {
        registry,
      });
    const position = { since: "1-x", source: "db" };
    const former = new PushedFeed();
    const follower = follow(registry, former);
    former.reader.push(live(systemClock, [], { position }));
    await follower.ready;
    await site().ask(request());
    assert.equal(await known(site()), true);
    const snapshot = await saved(registry);
    await follower.close();
    if (isRestored) registry = await restored(snapshot, { version });
    const writer = withEtag(() => new Response(null, { status: 204, headers: invalidates("list") }));
    await writer(request({}, { url: `${PAGE}/form`, method: "PUT" }));
    const again = new PushedFeed();
    const next = follow(registry, again);
    again.reader.push(live(systemClock, [], { position }));
    await next.ready;
    assert.equal(await known(site()), false);
    await next.close();
  });
}

test("EtagRegistry: a write through one that is followed, or manual, or followed no more, reaches no other", async () => {
  const followed = new EtagRegistry();
  const follower = follow(followed, ownFeed(() => {}, { onlyWriter: true }));
  const other = new EtagRegistry();
  const otherFollower = follow(other, ownFeed(() => {}, { onlyWriter: true }));
  await Promise.all([follower.ready, otherFollower.ready]);
  new EtagRegistry({ manual: true }).clear();
  followed.clear();
  assert.equal(other.stats.cleared, 0);
  await follower.close();
  followed.clear();
  assert.equal(other.stats.cleared, 0);
  new EtagRegistry().clear();
  assert.deepEqual([followed.stats.cleared, other.stats.cleared], [3, 1], "but one without a feed does");
  new EtagRegistry().restart();
  assert.equal(other.stats.cleared, 2, "once, though it restarts as well");
  await otherFollower.close();
});
