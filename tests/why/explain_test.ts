/** What explain() says of one request, for each reason that a request can meet. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dependsOn,
  EtagRegistry,
  follow,
  group,
  ownFeed,
  withEtag,
  type WithEtagOptions,
} from "../../mod.ts";
import { causes } from "../../src/why/causes.ts";
import { explain } from "../../src/why/explain.ts";
import { SettableClock } from "../support/clock.ts";
import type { Reason } from "../../src/registry/reason.ts";

const post = { _id: "post-1", _rev: "2-abc" };
const address = "http://localhost/posts/1?secret=s";

type Fields = Readonly<Record<string, string>>;

/** A page with these fields beside its declaration. */
function page(fields: Fields = {}, options: WithEtagOptions = {}, status = 200) {
  const answer = () => new Response("page", { status, headers: { ...dependsOn(post), ...fields } });
  return withEtag(answer, { manual: options.registry === undefined, ...options });
}

function get(fields: Fields = {}): Request {
  return new Request(address, { headers: fields });
}

test("explain: a page that is registered is answered at the second visit", async () => {
  const made = await explain(page(), get());
  assert.deepEqual([made.answered, made.reason, made.refusal], [true, "unconditional", undefined]);
  assert.match(made.text, /^GET \/posts\/1: the handler ran and gave 200: .*\(unconditional\)\. /);
  assert.match(made.text, / Asked again with its tag, it was answered 304 from the registry\.$/);
});

test("explain: a copy that is good is answered at once, and the handler does not run", async () => {
  const handler = page();
  const etag = (await handler(get())).headers.get("etag")!;
  const made = await explain(handler, get({ "if-none-match": etag }));
  assert.deepEqual([made.answered, made.reason, made.refusal], [true, "hit", undefined]);
  assert.equal(
    made.text,
    "GET /posts/1: answered 304 from the registry; the handler did not run (hit).",
  );
});

const refusals: readonly (readonly [Reason, ReturnType<typeof page>, Request?])[] = [
  ["undeclared", withEtag(() => new Response("page"), { manual: true })],
  ["malformed", page({ etag: "no-quotes" })],
  [
    "declaration-too-large",
    page(dependsOn(...Array.from({ length: 30_000 }, (_, i) => `document-${i}`)) as Fields),
  ],
  ["not-200", page({}, {}, 404)],
  ["not-public", page(), get({ cookie: "visits=1" })],
  ["not-public", page(), get({ authorization: "Basic c2VjcmV0" })],
  ["private", page({ "cache-control": "private" })],
  ["no-store", page({ "cache-control": "no-store" })],
  ["set-cookie", page({ "set-cookie": "visits=1" })],
  ["vary-star", page({ vary: "*" })],
  ["nonce", page({ "content-security-policy": "script-src 'nonce-abcdefgh'" })],
  [
    "host-echoed",
    page({ "access-control-allow-origin": "http://localhost" }, { key: ({ url }) => new URL(url).pathname }),
    get({ host: "localhost" }),
  ],
  ["too-large", page({}, { registry: new EtagRegistry({ manual: true, maxBytes: 64 }) })],
];

for (const [reason, handler, request = get()] of refusals) {
  test(`explain: a response that is not registered: ${reason} (${[...request.headers.keys()]})`, async () => {
    const made = await explain(handler, request);
    assert.deepEqual([made.answered, made.refusal], [false, reason]);
    assert.ok(
      made.text.includes(`Its response was not registered: ${causes[reason].meaning} (${reason}).`),
      made.text,
    );
    assert.ok(made.text.endsWith(causes[reason].cure), made.text);
  });
}

test("explain: a registry that no feed is followed into", async () => {
  const made = await explain(page({}, { registry: new EtagRegistry() }), get());
  assert.equal(made.answered, false);
  assert.match(made.text, /Asked again with its tag, the registry did not answer: no feed is followed/);
  assert.ok(made.text.endsWith(causes.unfollowed.cure));
});

test("explain: a registry whose feed is closed", async () => {
  const registry = new EtagRegistry();
  const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }));
  await follower.ready;
  await follower.close();
  const made = await explain(page({}, { registry }), get());
  assert.match(made.text, /the registry did not answer: contact with the database is lost.*\(suspended\)/);
  assert.ok(made.text.endsWith(causes.suspended.cure));
});

test("explain: a page that was registered for other visitors than the one with a cookie", async () => {
  const handler = page();
  const etag = (await handler(get())).headers.get("etag")!;
  const made = await explain(handler, get({ cookie: "visits=1", "if-none-match": etag }));
  assert.deepEqual([made.answered, made.reason, made.refusal], [false, "credentials", "not-public"]);
  assert.equal(made.text.split(causes.credentials.cure).length, 2, "the cure is said once");
});

test("explain: a copy of another state", async () => {
  const handler = page();
  await handler(get());
  const made = await explain(handler, get({ "if-none-match": '"older"' }));
  assert.deepEqual([made.answered, made.reason], [true, "tag-differs"]);
});

test("explain: an audit", async () => {
  const made = await explain(page({}, { auditRate: 1, random: () => 0 }), get());
  assert.match(made.text, /drawn for a check: the handler ran \(audit\)/);
  assert.ok(made.text.endsWith(causes.audit.cure));
});

test("explain: a page that has expired", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ manual: true, now: clock.now, monotonic: clock.monotonic });
  const handler = page({ expires: new Date(clock.wall + 60_000).toUTCString() }, { registry });
  const etag = (await handler(get())).headers.get("etag")!;
  clock.advance(120_000);
  const made = await explain(handler, get({ "if-none-match": etag }));
  assert.equal(made.reason, "expired");
  assert.match(made.text, /named has passed \(expired\)/);
});

test("explain: a group that no follower was given", async () => {
  const registry = new EtagRegistry();
  const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }));
  await follower.ready;
  const made = await explain(page(dependsOn(group("all", () => true)) as Fields, { registry }), get());
  assert.deepEqual([made.answered, made.refusal], [false, "group-unfollowed"]);
  assert.ok(made.text.endsWith(causes["group-unfollowed"].cure));
  await follower.close();
});

test("explain: a request that withEtag() is not asked", async () => {
  const { registry } = withEtag(() => new Response(""), { manual: true });
  const around = Object.assign(() => new Response("from a cache"), { registry });
  const made = await explain(around, new Request("http://localhost/"));
  assert.deepEqual([made.answered, made.reason, made.refusal], [false, undefined, undefined]);
  assert.match(made.text, /withEtag\(\) was not asked/);
});

test("explain: a request that is passed on untouched", async () => {
  const made = await explain(page({}, { key: () => undefined }), get());
  assert.deepEqual([made.answered, made.reason, made.refusal], [false, "passed-on", undefined]);
  assert.match(
    made.text,
    /passed on to the handler and not looked at: no key,.* \(passed-on\)\. Nothing, if key/,
  );
});

test("explain: a write is not made", async () => {
  let runs = 0;
  const handler = withEtag(() => new Response(`run ${++runs}`), { manual: true });
  const made = await explain(handler, new Request(address, { method: "PUT", body: "new" }));
  assert.equal(runs, 0);
  assert.equal(made.answered, false);
  assert.match(made.text, /^PUT \/posts\/1: .* was not made here\.$/);
});

test("explain: a HEAD", async () => {
  const handler = page();
  await handler(get());
  const made = await explain(handler, new Request(address, { method: "HEAD" }));
  assert.deepEqual([made.answered, made.refusal], [true, undefined]);
});

test("explain: what the client holds stays out of the text", async () => {
  const made = await explain(page(), get({ cookie: "session=s3cr3t", authorization: "Bearer t0ken" }));
  assert.doesNotMatch(made.text, /s3cr3t|t0ken|secret=s/);
});

test("explain: passes on what the handler takes beside the request, and what it throws", async () => {
  const given: unknown[] = [];
  const handler = withEtag((_request: Request, ...rest: number[]) => {
    given.push(rest);
    if (rest.length === 0) throw new Error("out of order");
    return new Response("page", { headers: dependsOn(post) });
  }, { manual: true });
  await explain(handler, get(), 1, 2);
  assert.deepEqual(given, [[1, 2]]);
  await assert.rejects(explain(handler, get()), /out of order/);
});

test("explain: names what it takes where the handler is not wrapped", async () => {
  const handler = (() => new Response("page")) as unknown as ReturnType<typeof page>;
  await assert.rejects(explain(handler, get()), /explain\(\) takes what withEtag\(\) returned/);
});

test("explain: leaves no observer behind", async () => {
  const handler = page();
  const { coreOf } = await import("../../src/registry/core.ts");
  await explain(handler, get());
  assert.equal(coreOf(handler.registry).observers.tell, undefined);
});
