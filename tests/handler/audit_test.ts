import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "../support/fast_check.ts";
import {
  type AuditMismatch,
  type AuditReason,
  dependsOn,
  EtagRegistry,
  withEtag,
  type WithEtagOptions,
} from "../../mod.ts";
import { request, wrap, type Wrapped } from "../support/http.ts";
import { live } from "../support/registrations.ts";
import { systemClock } from "../../src/changes/clock.ts";
import { coreOf } from "../../src/registry/core.ts";
import { firstDifference } from "../../src/handler/audit.ts";
import { restored, saved } from "../support/snapshots.ts";

const PUBLIC = { "cache-control": "public, no-cache" };

interface Audited extends Wrapped {
  readonly mismatches: AuditMismatch[];
  /** Asks with these fields, and reads the answer. */
  get(
    headers?: Record<string, string>,
    url?: string,
  ): Promise<{ status: number; etag: string; body: string }>;
}

/** A handler, each would-be 304 of which is audited. */
function audited(handler: (request: Request) => unknown, options: WithEtagOptions = {}): Audited {
  const mismatches: AuditMismatch[] = [];
  const onAudit = (mismatch: AuditMismatch) => void mismatches.push(mismatch);
  const site = wrap(handler, { auditRate: 1, onAudit, version: "1", ...options });
  return Object.assign(site, {
    mismatches,
    async get(headers: Record<string, string> = {}, url?: string) {
      const answer = await site.ask(request(headers, url === undefined ? {} : { url }));
      return { status: answer.status, etag: answer.headers.get("etag") ?? "", body: await answer.text() };
    },
  });
}

function html(body: BodyInit, headers: Record<string, string>): Response {
  return new Response(body, { headers: { ...PUBLIC, ...headers } });
}

/** A mistake of wiring, and what becomes visible of it. */
interface Mistake {
  readonly what: string;
  readonly reason: AuditReason;
  /** Fields of the second request. */
  readonly headers?: Record<string, string>;
  /** The page before and after a change, which the feed reports as a change of these groups. */
  readonly page: (changed: boolean, request: Request) => Response;
  readonly reported: readonly string[];
}

const post = (changed: boolean) => ({ _id: "post", _rev: changed ? "2-b" : "1-a" });
const name = (changed: boolean) => changed ? "Grace" : "Ada";

const mistakes: readonly Mistake[] = [
  {
    what: "a forgotten source",
    reason: "body",
    page: (changed) => html(`one by ${name(changed)}`, dependsOn(post(false))),
    reported: ["author"],
  },
  {
    what: "a misspelt group",
    reason: "body",
    page: (changed) => html(changed ? "two" : "one", dependsOn("all post")),
    reported: ["post", "all posts"],
  },
  {
    what: "a misspelt group beside a revision",
    reason: "body",
    page: (changed) => html(`one by ${name(changed)}`, dependsOn(post(false), "athor")),
    reported: ["author"],
  },
  {
    what: "a page that differs by a cookie which nothing selects by",
    reason: "body",
    headers: { cookie: "seen=1" },
    page: (_, { headers }) =>
      html(headers.has("cookie") ? "page" : "page with a banner", dependsOn(post(false))),
    reported: [],
  },
  {
    what: "a field that only a Vary further out names",
    reason: "body",
    headers: { "accept-language": "fr" },
    page: (_, { headers }) =>
      html(headers.get("accept-language") === "fr" ? "Bonjour" : "Hello", dependsOn(post(false))),
    reported: [],
  },
  {
    what: "a list without its group",
    reason: "declaration",
    page: (changed) => {
      const posts = changed ? [post(false), { _id: "newer", _rev: "1-n" }] : [post(false)];
      return html(posts.map(({ _id }) => _id).join(), dependsOn(...posts));
    },
    reported: ["newer"],
  },
  {
    what: "a list without its group, by names",
    reason: "declaration",
    page: (changed) =>
      html(changed ? "post, newer" : "post", dependsOn(...changed ? ["post", "newer"] : ["post"])),
    reported: ["newer"],
  },
  {
    what: "groups derived from content: a note that has moved names only its new owner",
    reason: "body",
    page: (changed) => html(`Ada has ${changed ? 1 : 2} notes`, dependsOn("notes of Ada")),
    reported: ["note-2", "notes of Grace"],
  },
  {
    what: "groups derived from content: a tombstone names no owner",
    reason: "body",
    page: (changed) => html(`Ada has ${changed ? 1 : 2} notes`, dependsOn("notes of Ada")),
    reported: ["note-2"],
  },
  {
    what: "an own tag that does not cover the body",
    reason: "body",
    page: (changed) => html(`one by ${name(changed)}`, { ...dependsOn("post"), etag: '"post-1-a"' }),
    reported: ["author"],
  },
  {
    what: "a page whose source is gone, and was not declared",
    reason: "status",
    page: (changed) =>
      changed ? new Response("not found", { status: 404 }) : html("one", dependsOn(post(false))),
    reported: ["author"],
  },
];

for (const { what, reason, page, reported, headers = {} } of mistakes) {
  test(`audit: ${what} is found, by the ${reason}`, async () => {
    let changed = false;
    const site = audited((request) => page(changed, request));
    const copy = await site.get();
    changed = true;
    site.registry.invalidate(...reported);
    const answer = await site.get({ ...headers, "if-none-match": copy.etag });
    assert.notEqual(answer.status, 304);
    assert.notEqual(answer.body, copy.body);
    const [mismatch] = site.mismatches;
    assert.equal(site.mismatches.length, 1);
    assert.equal(mismatch?.reason, reason);
    assert.equal(mismatch?.registered, copy.etag);
    assert.equal(mismatch?.status, answer.status);
    assert.equal(mismatch?.difference, undefined, "no body is kept unless asked for");
    assert.equal(mismatch?.answered === copy.etag, reason === "body");
    assert.equal(site.registry.hasTag(copy.etag), false, "the entry has gone");
    assert.equal(site.registry.stats["audit-mismatch"], 1);
    assert.equal(site.registry.open.size, 0);
  });

  test(`audit: ${what}: a second reader of the refuted copy gets no 304 either`, async () => {
    let changed = false;
    const site = audited((request) => page(changed, request));
    const copy = await site.get();
    changed = true;
    site.registry.invalidate(...reported);
    for (const _ of [1, 2, 3]) {
      const answer = await site.get({ ...headers, "if-none-match": copy.etag });
      assert.notEqual(answer.status, 304);
      assert.notEqual(answer.body, copy.body);
    }
  });

  if (reason !== "body") continue;
  test(`audit: ${what} is found by a request without a condition as well`, async () => {
    let changed = false;
    const site = audited((request) => page(changed, request));
    const copy = await site.get();
    changed = true;
    site.registry.invalidate(...reported);
    const newer = await site.get(headers);
    assert.equal(newer.status, 200);
    assert.deepEqual(site.mismatches.map(({ reason }) => reason), ["body"]);
    assert.equal(site.registry.hasTag(copy.etag), false);
    const answer = await site.get({ ...headers, "if-none-match": copy.etag });
    assert.deepEqual([answer.status, answer.body], [200, newer.body]);
  });
}

test("audit: a registry that is not followed answers nothing, and says so", async () => {
  const handler = withEtag(() => html("page", dependsOn(post(false))), { auditRate: 1 });
  const warn = mock.method(console, "warn", () => {});
  const first = await handler(request());
  await handler(request({ "if-none-match": first.headers.get("etag")! }));
  warn.mock.restore();
  const { unfollowed, hit, audit } = handler.registry.stats;
  assert.deepEqual([unfollowed, hit, audit, warn.mock.callCount()], [1, 0, 0, 1]);
});

/** Pages that are right; `meanwhile` is done while the audited handler runs. */
interface Right {
  readonly what: string;
  readonly page: (runs: number) => Response | Promise<Response>;
  readonly options?: WithEtagOptions;
  readonly meanwhile?: (site: Audited) => unknown;
  readonly method?: string;
}

const right: readonly Right[] = [
  { what: "a page with equal bodies", page: () => html("page", dependsOn(post(false))) },
  {
    what: "an empty page",
    page: () => new Response(null, { headers: { ...PUBLIC, ...dependsOn(post(false)) } }),
  },
  { what: "a page with a random tag", page: () => html("page", dependsOn("all posts")) },
  { what: "a page with a tag of its own", page: () => html("page", { ...dependsOn("post"), etag: '"own"' }) },
  { what: "a page with a weak tag", page: () => html("page", { ...dependsOn("post"), etag: 'W/"own"' }) },
  {
    what: "a page whose tag is a digest",
    page: () => html("page", dependsOn("post")),
    options: { hashBody: true },
  },
  {
    what: "a page whose tag is a digest, and whose body only differs where it may",
    page: (runs) => html(`page at ${runs}`, dependsOn("post")),
    options: { hashBody: true, normalizeBody: (body) => body.replace(/ at .*/, "") },
  },
  {
    what: "a page of which a declared group changed while the handler ran",
    page: (runs) => html(runs > 1 ? "two" : "one", dependsOn("post")),
    meanwhile: ({ registry }) => registry.invalidate("post"),
  },
  {
    what: "a page of a later revision, reported while the handler ran",
    page: (runs) => html(runs > 1 ? "two" : "one", dependsOn(post(runs > 1))),
    meanwhile: ({ registry }) => registry.invalidate("post"),
  },
  {
    what: "an entry that was deleted while the handler ran",
    page: (runs) => html(runs > 1 ? "two" : "one", dependsOn("post")),
    meanwhile: ({ registry }) => registry.deleteTag(...tagsOf(registry)),
  },
  {
    what: "an entry that was voided, and registered anew, while the handler ran",
    page: (runs) => html(runs > 2 ? "two" : "one", dependsOn("post")),
    meanwhile: async (site) => {
      site.registry.invalidate("post");
      await site.get();
    },
  },
  {
    what: "an entry that was replaced by an equal one while the handler ran",
    page: () => html("page", dependsOn("post")),
    meanwhile: (site) => site.get(),
  },
  {
    what: "a page for which another client gets a 304 while the handler runs",
    page: () => html("page", dependsOn("post")),
    meanwhile: async (site) => {
      const [tag] = tagsOf(site.registry);
      assert.equal((await site.get({ "if-none-match": tag! })).status, 304);
    },
  },
  {
    what: "a page with a random tag that has changed, while the feed was lost",
    page: (runs) => html(runs > 1 ? "two" : "one", dependsOn("post")),
    meanwhile: ({ registry }) => coreOf(registry).subscribe("lost", 1_000, 0),
  },
  {
    what: "a handler that has failed",
    page: (runs) => runs > 1 ? new Response("broken", { status: 503 }) : html("page", dependsOn("post")),
  },
  {
    what: "a handler that evaluates the condition itself",
    page: (runs) => runs > 1 ? new Response(null, { status: 304 }) : html("page", dependsOn("post")),
  },
  {
    what: "a handler that sends a part",
    page: (runs) => runs > 1 ? new Response("pa", { status: 206 }) : html("page", dependsOn("post")),
  },
  {
    what: "a HEAD without a body",
    page: (runs) => html(runs > 1 ? "" : "page", dependsOn(post(false))),
    method: "HEAD",
  },
  {
    what: "a HEAD that declares nothing",
    page: (runs) => runs > 1 ? new Response(null) : html("page", dependsOn("post")),
    method: "HEAD",
  },
  {
    what: "an event stream",
    page: () => html("data: now\n\n", { ...dependsOn(post(false)), "content-type": "text/event-stream" }),
  },
];

/** The tag of the page. */
function tagsOf(registry: EtagRegistry): string[] {
  const core = coreOf(registry);
  const entry = core.peek(request().url, new Headers());
  return entry === undefined ? [] : [entry.etag];
}

for (const { what, page, options = {}, meanwhile, method = "GET" } of right) {
  test(`audit: ${what} is no mismatch`, async () => {
    let runs = 0;
    const site = audited(async () => {
      const response = await page(++runs);
      if (runs === 2) await meanwhile?.(site);
      return response;
    }, options);
    const { etag } = await site.get();
    assert.notEqual(etag, "");
    await site.ask(request({ "if-none-match": etag }, { method }));
    assert.ok(runs >= 2, "the handler ran");
    assert.deepEqual(site.mismatches, []);
    assert.equal(site.registry.stats["audit-mismatch"], 0);
    assert.equal(site.registry.open.size, 0);
  });
}

for (
  const [what, second, reason] of [
    ["another status", () => new Response(null, { status: 404 }), "status"],
    ["a redirect", () => new Response(null, { status: 302 }), "status"],
    ["another tag", () => html("", { ...dependsOn("post"), etag: '"2"' }), "tag"],
    ["other groups", () => html("", { ...dependsOn("posts"), etag: '"2"' }), "declaration"],
  ] as const
) {
  test(`audit: a HEAD with ${what} is a mismatch, by the ${reason}`, async () => {
    let runs = 0;
    const site = audited(() => ++runs > 1 ? second() : html("page", { ...dependsOn("post"), etag: '"1"' }));
    await site.get();
    await site.ask(request({ "if-none-match": '"1"' }, { method: "HEAD" }));
    assert.deepEqual(site.mismatches.map(({ reason }) => reason), [reason]);
    assert.equal(site.registry.size, 0);
  });
}

test("audit: a HEAD does not confirm a tag that was refuted", async () => {
  let body = "one";
  const site = audited(() => html(body, { ...dependsOn("post"), etag: '"own"' }));
  await site.get();
  body = "two";
  await site.get({ "if-none-match": '"own"' });
  const head = await site.ask(request({ "if-none-match": '"own"' }, { method: "HEAD" }));
  assert.equal(head.status, 200);
});

test("audit: what was refuted is told from other tags, resources and callers, and says why it is not registered", async () => {
  let [body, tag] = ["one", '"1"'];
  const site = audited(() => html(body, { ...dependsOn("post"), etag: tag }), {
    caller: ({ headers }) => headers.get("x-user") ?? undefined,
    cacheStatus: "here",
  });
  await site.get();
  body = "two";
  const refuted = await site.ask(request({ "if-none-match": tag }));
  assert.match(refuted.headers.get("cache-status")!, /detail="audit, refuted"$/);
  const again = await site.ask(request({ "if-none-match": tag }));
  assert.match(again.headers.get("cache-status")!, /detail="miss, refuted"$/);
  assert.deepEqual([refuted.status, again.status, site.registry.size], [200, 200, 0]);
  assert.equal(site.registry.stats.refuted, 2);
  assert.equal((await site.get({ "x-user": "ada", "if-none-match": tag })).status, 304);
  assert.equal((await site.get({ "if-none-match": tag }, "http://localhost/other")).status, 304);
  tag = '"2"';
  await site.get();
  assert.equal((await site.get({ "if-none-match": tag })).status, 304);
  assert.equal(site.mismatches.length, 1);
});

test("audit: of refuted tags the latest thousand are remembered", async () => {
  let body = "one";
  const site = audited(() => html(body, { ...dependsOn("post"), etag: '"own"' }));
  const url = (n: number) => `http://localhost/${n}`;
  for (const now of ["one", "two"]) {
    body = now;
    for (let n = 0; n <= 1_000; n++) await site.get({}, url(n));
  }
  assert.equal(site.mismatches.length, 1_001);
  const ask = async (n: number) => (await site.get({ "if-none-match": '"own"' }, url(n))).status;
  assert.deepEqual([await ask(0), await ask(1), await ask(1_000)], [304, 200, 200]);
});

/** A reader's copy. */
interface Copy {
  readonly etag: string;
  readonly body: string;
}

test("audit: with auditRate 1 no reader is left with an old page, whatever the handler forgets to declare", async () => {
  const documents = ["a", "b", "c"];
  const step = fc.oneof(
    fc.record({ edit: fc.constantFrom(...documents) }),
    fc.record({
      reader: fc.nat(1),
      conditional: fc.boolean(),
      edits: fc.option(fc.constantFrom(...documents)),
    }),
  );
  const how = fc.record({
    declared: fc.array(fc.constantFrom(...documents), { minLength: 1, maxLength: 2 }),
    byName: fc.boolean(),
    hashBody: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(
      how,
      fc.array(step, { maxLength: 14 }),
      async ({ declared, byName, hashBody }, steps) => {
        const revisions = new Map(documents.map((id) => [id, 1]));
        let meanwhile = (): void => {};
        const site = audited(() => {
          const body = JSON.stringify([...revisions.values()]);
          const sources = declared.map((_id) => byName ? _id : { _id, _rev: `${revisions.get(_id)}-x` });
          meanwhile();
          return html(body, dependsOn(...sources));
        }, { hashBody });
        const edit = (id: string) => {
          revisions.set(id, revisions.get(id)! + 1);
          site.registry.invalidate(id);
        };
        const copies: (Copy | undefined)[] = [];
        for (const one of steps) {
          if ("edit" in one) {
            edit(one.edit);
            continue;
          }
          const copy = one.conditional ? copies[one.reader] : undefined;
          const shown = JSON.stringify([...revisions.values()]);
          meanwhile = () => one.edits !== null && edit(one.edits);
          const answer = await site.get(copy === undefined ? {} : { "if-none-match": copy.etag });
          if (answer.status === 304) assert.equal(copy?.body, shown);
          else copies[one.reader] = answer;
        }
        assert.equal(site.registry.open.size, 0);
        const forgets = documents.some((id) => !declared.includes(id));
        if (!forgets) assert.deepEqual(site.mismatches, []);
      },
    ),
    { numRuns: 300 },
  );
});

test("normalizeBody: takes out nonces and times, and is given the request", async () => {
  let runs = 0;
  const site = audited(
    () => html(`<script nonce="${++runs}">1</script> at ${runs}`, dependsOn(post(false))),
    {
      normalizeBody: (body, { url }) => {
        assert.equal(url, request().url);
        return body.replaceAll(/nonce="[^"]*"/g, "").replace(/ at .*/, "");
      },
    },
  );
  const { etag } = await site.get();
  assert.equal((await site.get({ "if-none-match": etag })).status, 304);
  assert.deepEqual([runs, site.mismatches.length], [2, 0]);
});

test("normalizeBody: without it, a page that is never twice the same is a mismatch each time", async () => {
  let runs = 0;
  const site = audited(() => html(`page at ${++runs}`, dependsOn("post")));
  let { etag } = await site.get();
  for (const times of [1, 2]) {
    const answer = await site.get({ "if-none-match": etag });
    assert.deepEqual([answer.status, answer.body], [200, `page at ${runs}`]);
    assert.equal(site.mismatches.length, times);
    ({ etag } = await site.get());
  }
});

test("normalizeBody: is not asked about what is no text", async () => {
  let bytes = Uint8Array.of(0x89, 0xFF, 1);
  const site = audited(() => html(bytes, dependsOn(post(false))), {
    normalizeBody: () => assert.fail("asked"),
  });
  const { etag } = await site.get();
  assert.equal((await site.get({ "if-none-match": etag })).status, 304);
  bytes = Uint8Array.of(0x89, 0xFE, 1);
  await site.get({ "if-none-match": etag });
  assert.deepEqual(site.mismatches.map(({ reason }) => reason), ["body"]);
});

const hooks: readonly (readonly [what: string, options: WithEtagOptions, mismatches: number])[] = [
  ["onAudit throws", { onAudit: () => assert.fail("hook") }, 1],
  ["onAudit rejects", { onAudit: () => Promise.reject(new Error("hook")) }, 1],
  ["normalizeBody throws", { normalizeBody: () => assert.fail("hook") }, 0],
  ["normalizeBody gives a promise", { normalizeBody: (() => Promise.resolve("")) as never }, 0],
];
for (const [what, options, mismatches] of hooks) {
  test(`audit: ${what}: the client gets its answer, it is counted, and the console is told once`, async () => {
    const warn = mock.method(console, "warn", () => {});
    let body = "one";
    const site = audited(() => html(body, dependsOn("post")), options);
    for (const next of ["two", "three"]) {
      const { etag } = await site.get();
      body = next;
      const answer = await site.get({ "if-none-match": etag });
      if (mismatches > 0) assert.deepEqual([answer.status, answer.body], [200, next]);
    }
    await Promise.resolve();
    warn.mock.restore();
    assert.equal(warn.mock.callCount(), 1);
    assert.equal(site.registry.stats["audit-threw"], mismatches > 0 ? 2 : 4);
    assert.equal(site.registry.stats["audit-mismatch"], 2 * mismatches);
  });
}

test("onAudit: without one, the console is told of the first mismatch", async () => {
  const warn = mock.method(console, "warn", () => {});
  let body = "one";
  const site = wrap(() => html(body, dependsOn("post")), { auditRate: 1 });
  for (const next of ["two", "three"]) {
    await site.ask(request());
    body = next;
    await site.ask(request());
  }
  warn.mock.restore();
  assert.deepEqual([warn.mock.callCount(), site.registry.stats["audit-mismatch"]], [1, 2]);
  assert.match(String(warn.mock.calls[0]!.arguments[0]), /another body .*"post".*docs\/audit\.md/);
});

test("auditBodies: a mismatch shows the first difference, after normalizeBody", async () => {
  let body = `${"x".repeat(100)} by Ada at 12:00`;
  const site = audited(() => html(body, dependsOn(post(false))), {
    auditBodies: true,
    normalizeBody: (text) => text.replace(/ at .*/, "!"),
  });
  const { etag } = await site.get();
  body = `${"x".repeat(100)} by Grace at 12:01`;
  await site.get({ "if-none-match": etag });
  assert.deepEqual(site.mismatches[0]?.difference, {
    offset: 104,
    registered: `${"x".repeat(20)} by Ada!`,
    answered: `${"x".repeat(20)} by Grace!`,
  });
});

const bytesOf = (text: string) => new TextEncoder().encode(text);

const differences: readonly (readonly [string, string, number | undefined])[] = [
  ["", "", undefined],
  ["same", "same", undefined],
  ["", "x", 0],
  ["abc", "abd", 2],
  ["abc", "abcd", 3],
  ["abcd", "abc", 3],
  ["gr\u00fcn", "gr\u00fan", 3],
  ["\u{1F600}", "\u{1F601}", 3],
];
for (const [registered, answered, offset] of differences) {
  test(`firstDifference: ${JSON.stringify(registered)}, ${JSON.stringify(answered)}`, () => {
    const found = firstDifference(bytesOf(registered), bytesOf(answered));
    assert.deepEqual(found, offset === undefined ? undefined : { offset, registered, answered });
  });
}

test("firstDifference: excerpts are short, and cut between characters", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "grapheme" }), (before, after) => {
    const [registered, answered] = [`${before}1${after}`, `${before}2${after}`];
    const found = firstDifference(bytesOf(registered), bytesOf(answered))!;
    assert.equal(found.offset, bytesOf(before).length);
    for (const [excerpt, whole] of [[found.registered, registered], [found.answered, answered]] as const) {
      assert.ok(whole.includes(excerpt), `${JSON.stringify(excerpt)} is no part of ${JSON.stringify(whole)}`);
      assert.ok(bytesOf(excerpt).length <= 80);
    }
  }));
});

test("auditBodies: the first MiB is kept, and counted", async () => {
  const MIB = 2 ** 20;
  let tail = "one";
  const page = () => html(`${"x".repeat(MIB)}${tail}`, dependsOn(post(false)));
  const plain = audited(page, { auditRate: 0 });
  const digests = audited(page);
  const kept = audited(page, { auditBodies: true });
  const tags = [];
  for (const site of [plain, digests, kept]) tags.push((await site.get()).etag);
  const [without = 0, digest = 0, whole = 0] = [plain, digests, kept].map(({ registry }) => registry.bytes);
  assert.ok(digest > without && digest < without + 500, `${digest} beside ${without}`);
  assert.ok(whole >= digest + MIB && whole < digest + MIB + 500, `${whole} beside ${digest}`);
  tail = "two";
  await kept.get({ "if-none-match": tags[2]! });
  assert.deepEqual(kept.mismatches.map(({ reason, difference }) => [reason, difference]), [[
    "body",
    undefined,
  ]]);
  assert.equal(kept.registry.bytes, 0);
});

test("auditRate: where nothing is drawn, a body is not read, and the response is the handler's, at once", async () => {
  const made: Response[] = [];
  let pulled = 0;
  const site = audited(() => {
    const pull = (controller: ReadableStreamDefaultController) => {
      pulled++;
      controller.enqueue(bytesOf("more"));
    };
    made.push(html(new ReadableStream({ pull }, { highWaterMark: 0 }), dependsOn("post")));
    return made[0];
  }, { auditRate: 0.5, random: () => 0.5 });
  assert.equal(site.raw(request()), made[0]);
  await new Promise((resolve) => setTimeout(resolve));
  assert.deepEqual([pulled, coreOf(site.registry).peek(request().url, new Headers())?.body], [0, undefined]);
  await made[0]!.body!.cancel();
});

test("auditRate: what is known of a body stays with its tag, though the next response is not drawn", async () => {
  let [drawn, body] = [0, "one"];
  const site = audited(() => html(body, dependsOn(post(false))), { auditRate: 0.5, random: () => drawn });
  const { etag } = await site.get();
  drawn = 0.9;
  await site.get();
  assert.equal((await site.get({ "if-none-match": etag })).status, 304);
  assert.equal(site.runs, 2, "answered by the registry");
  drawn = 0;
  body = "two";
  assert.equal((await site.get({ "if-none-match": etag })).status, 200);
  assert.equal(site.mismatches.length, 1);
});

test("auditRate: a body that was never read is read by the first audit, and compared by the next", async () => {
  let [drawn, body] = [0.9, "one"];
  const site = audited(() => html(body, dependsOn(post(false))), { auditRate: 0.5, random: () => drawn });
  const { etag } = await site.get();
  drawn = 0;
  assert.equal((await site.get({ "if-none-match": etag })).status, 304);
  body = "two";
  assert.equal((await site.get({ "if-none-match": etag })).status, 200);
  assert.equal(site.mismatches.length, 1);
});

test("auditRate: a snapshot keeps what is known of a body", async () => {
  const registry = new EtagRegistry({ version: "1" });
  const subscription = coreOf(registry).subscribe("changes", 1_000, 0);
  const position = { source: "db", since: "1", identity: "1" } as never;
  const contact = { wall: Date.now(), monotonic: performance.now() };
  subscription.apply({ changes: [], position, state: "live", contact }, () => []);
  let body = "one";
  const page = () => html(body, dependsOn(post(false)));
  const { etag } = await audited(page, { registry }).get();
  const second = await restored(await saved(registry), { version: "1" });
  assert.deepEqual([second.stats["snapshot-refused"], second.size], [0, 1]);
  body = "two";
  const site = audited(page, { registry: second });
  await site.get({ "if-none-match": etag });
  assert.deepEqual(site.mismatches.map(({ reason }) => reason), ["body"]);
});

/** A body in pieces, each of which comes in a later turn. */
function streamed(pieces: readonly string[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      for (const piece of pieces) {
        await new Promise((resolve) => setTimeout(resolve));
        controller.enqueue(bytesOf(piece));
      }
      controller.close();
    },
  });
}

test("auditRate: a stream that is drawn reaches the client, every byte of it", async () => {
  const pieces = ["one, ", "two, ", "three"];
  const site = audited(() => html(streamed(pieces), dependsOn(post(false))));
  const first = await site.get();
  assert.equal(first.body, "one, two, three");
  assert.equal((await site.get({ "if-none-match": first.etag })).status, 304);
  pieces[2] = "four";
  const second = await site.get({ "if-none-match": first.etag });
  assert.deepEqual([second.status, second.body], [200, "one, two, four"]);
  assert.equal(site.mismatches.length, 1);
});

const unread: readonly (readonly [what: string, body: (runs: number) => BodyInit, type?: string])[] = [
  ["an event stream", (runs) => `data: ${runs}\n\n`, "text/event-stream"],
  ["a text of more than 8 MiB", (runs) => `${runs}`.padEnd(8 * 2 ** 20 + 1)],
  ["a stream of more than 8 MiB", (runs) => streamed([`${runs}`.padEnd(8 * 2 ** 20), "x"])],
];
for (const [what, bodyOf, type = "text/plain"] of unread) {
  test(`auditRate: ${what} is left alone, counted, and judged by its tag`, async () => {
    let [rev, runs] = ["1-a", 0];
    const site = audited(() =>
      html(bodyOf(++runs), { ...dependsOn({ _id: "post", _rev: rev }), "content-type": type })
    );
    const { etag, body } = await site.get();
    assert.equal(body, await new Response(bodyOf(1)).text());
    assert.equal((await site.get({ "if-none-match": etag })).status, 304);
    assert.equal(site.registry.stats["audit-unread"], 2);
    rev = "2-b";
    assert.equal((await site.get({ "if-none-match": etag })).status, 200);
    assert.deepEqual(site.mismatches.map(({ reason }) => reason), ["tag"]);
  });
}

test("auditRate: a body that does not end is sent, once two seconds are over", async () => {
  const waits: number[] = [];
  const { setTimeout: platform } = globalThis;
  globalThis.setTimeout = ((run: () => void, ms: number) => {
    waits.push(ms);
    queueMicrotask(run);
  }) as never;
  const site = audited(() => {
    const pull = (controller: ReadableStreamDefaultController) => controller.enqueue(bytesOf("x"));
    let pulls = 0;
    const body = new ReadableStream({ pull: (c) => ++pulls > 2 ? new Promise(() => {}) : pull(c) });
    return html(body, dependsOn(post(false)));
  });
  const answer = await site.ask(request());
  globalThis.setTimeout = platform;
  assert.deepEqual(waits, [2_000]);
  const reader = answer.body!.getReader();
  assert.deepEqual((await reader.read()).value, bytesOf("x"));
  await reader.cancel();
  assert.deepEqual([site.registry.stats["audit-unread"], site.registry.size, site.registry.open.size], [
    1,
    1,
    0,
  ]);
});

test("auditRate: hooks are functions", () => {
  for (const name of ["onAudit", "normalizeBody", "random"]) {
    const options = { auditRate: 1, [name]: "console" } as unknown as WithEtagOptions;
    assert.throws(() => withEtag(() => new Response(), options), {
      name: "TypeError",
      message: `${name} is a function, not console`,
    });
  }
});

test("auditRate: a change while a drawn body is read breaks the lease", async () => {
  const site = audited(() => html(streamed(["one"]), dependsOn("post")));
  const answer = site.get();
  await Promise.resolve();
  site.registry.invalidate("post");
  assert.equal((await answer).body, "one");
  assert.deepEqual([site.registry.size, site.registry.stats["lease-broken"], site.registry.open.size], [
    0,
    1,
    0,
  ]);
});

for (const [what, headers] of [["without a tag", {}], ["with a tag", { etag: '"own"' }]] as const) {
  test(`auditRate: an answer that declares nothing, ${what}, is another too`, async () => {
    let gone = false;
    const mismatches: unknown[] = [];
    let drawn = 0.9;
    const handler = withEtag(() => {
      return gone
        ? new Response("not found", { status: 404, headers })
        : new Response("page", { headers: dependsOn({ _id: "post-1", _rev: "1-a" }) });
    }, {
      manual: true,
      auditRate: 0.5,
      random: () => drawn,
      onAudit: (mismatch) => mismatches.push(mismatch),
      version: "1",
    });
    const etag = (await handler(request())).headers.get("etag")!;
    gone = true;
    drawn = 0;
    assert.equal((await handler(request({ "if-none-match": etag }))).status, 404);
    assert.deepEqual([mismatches.length, handler.registry.stats["audit-mismatch"], handler.registry.size], [
      1,
      1,
      0,
    ]);
  });
}

test("auditRate: a HEAD of a page with a minted tag is no mismatch", async () => {
  const site = wrap(() => new Response("page", { headers: dependsOn("post-1") }), {
    auditRate: 1,
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({ "if-none-match": etag }, { method: "HEAD" }));
  assert.deepEqual([site.registry.stats["audit-mismatch"], site.registry.size], [0, 1]);
});

test("auditRate: a HEAD of a page whose tag is a digest is no mismatch", async () => {
  const site = wrap(() => new Response("page", { headers: dependsOn("post-1") }), {
    auditRate: 1,
    hashBody: true,
  });
  const etag = (await site.ask(request())).headers.get("etag")!;
  await site.ask(request({ "if-none-match": etag }, { method: "HEAD" }));
  assert.deepEqual([site.registry.stats["audit-mismatch"], site.registry.size], [0, 1]);
});

test("auditRate: an entry that was evicted while the handler ran is no mismatch", async () => {
  const registry = new EtagRegistry({ manual: true, maxEntries: 1 });
  let meanwhile = () => {};
  const site = withEtag(({ url }) => {
    if (url.endsWith("/b")) return new Response("b", { headers: dependsOn("b") });
    meanwhile();
    return new Response("page", { headers: dependsOn("post-1") });
  }, { auditRate: 1, registry });
  const etag = (await site(request())).headers.get("etag")!;
  meanwhile = () => void site(request({}, { url: "http://localhost/b" }));
  await site(request({ "if-none-match": etag }));
  assert.equal(registry.stats["audit-mismatch"], 0);
});

test("auditRate: an entry that another request has renewed under the same tag is judged all the same", async () => {
  let tag = '"old"';
  const answers: ((value: void) => void)[] = [];
  const site = withEtag(async () => {
    const waited = new Promise<void>((resolve) => answers.push(resolve));
    await waited;
    return new Response("page", { headers: { ...dependsOn("post-1"), etag: tag } });
  }, { manual: true, auditRate: 1 });
  const ask = (headers: Record<string, string>) => site(request(headers));
  const first = ask({});
  answers.shift()!();
  await first;
  const [slow, quick] = [ask({ "if-none-match": '"old"' }), ask({ "if-none-match": '"old"' })];
  answers[1]!();
  assert.equal((await quick).status, 304);
  tag = '"new"';
  answers[0]!();
  assert.equal((await slow).headers.get("etag"), '"new"');
  assert.equal(site.registry.stats["audit-mismatch"], 1);
  assert.equal(site.registry.hasTag('"old"'), false);
});

test("auditRate: a check that ends while the feed is lost is judged all the same", async () => {
  const registry = new EtagRegistry({ manual: true });
  const subscription = coreOf(registry).subscribe("changes", 1_000, 0);
  const batch = live(systemClock);
  subscription.apply(batch, () => []);
  let [tag, meanwhile] = ['"old"', () => {}];
  const site = withEtag(() => {
    meanwhile();
    return new Response("page", { headers: { ...dependsOn("post-1"), etag: tag } });
  }, { auditRate: 1, registry });
  await site(request());
  tag = '"new"';
  meanwhile = () => subscription.apply({ ...batch, state: "lost" }, () => []);
  await site(request({ "if-none-match": '"old"' }));
  assert.equal(registry.stats["audit-mismatch"], 1);
  subscription.apply(batch, () => []);
  assert.equal(registry.hasTag('"old"'), false, "it would be confirmed again");
});
