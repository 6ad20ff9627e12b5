import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { dependsOn, invalidates } from "../../mod.ts";
import { withFields } from "../../src/handler/responses.ts";
import { request, send, serve, wrap } from "../support/http.ts";
import { FIELDS } from "../vectors/with_etag.ts";
import { DEPENDS_ON } from "../../src/http/dependency.ts";

const PUBLIC = { "cache-control": "public, no-cache" };
const ALL: Record<string, string> = Object.fromEntries(FIELDS.map(({ name, value }) => [name, value]));
const KEPT = FIELDS.filter(({ kept }) => kept);

function record(response: Response): Record<string, string> {
  return Object.fromEntries(response.headers);
}

const EXPECTED = { ...Object.fromEntries(KEPT.map(({ name, value }) => [name, value])), etag: '"a"' };

for (const declared of [true, false]) {
  test(`304 ${declared ? "from the registry" : "in place of an answer"}: its fields (RFC 9110 §15.4.5)`, async () => {
    const site = wrap(() =>
      new Response("page", { headers: { ...ALL, etag: '"a"', ...(declared ? dependsOn("a") : {}) } })
    );
    const full = await site.ask(request());
    const answer = await site.ask(request({ "if-none-match": '"a"' }));
    assert.equal(site.runs, declared ? 1 : 2);
    assert.deepEqual([answer.status, answer.body], [304, null]);
    assert.deepEqual(record(answer), EXPECTED);
    for (const { name } of KEPT) assert.equal(answer.headers.get(name), full.headers.get(name));
  });
}

test("304 in place of an answer: Date stays, Set-Cookie goes, Last-Modified only where there is no tag", async () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const dates = { date, "last-modified": date };
  const site = wrap(({ url }) => {
    const headers = new Headers({ ...dates, "set-cookie": "a=1", "content-type": "text/plain" });
    if (url.endsWith("tagged")) headers.set("etag", '"a"');
    return new Response("page", { headers });
  });
  const sent = { "if-none-match": '"a"' };
  const tagged = await site.ask(request(sent, { url: "http://localhost/tagged" }));
  assert.deepEqual(record(tagged), { date, etag: '"a"' });
  const dated = await site.ask(request({ "if-modified-since": date }));
  assert.deepEqual(record(dated), dates);
});

test("304: `replay` keeps further fields, whatever case it is written in, and none twice", async () => {
  const replay = ["X-Total", "Cache-Control", "ETag", "vary", "x-absent"];
  const headers = { ...PUBLIC, vary: "Accept", etag: '"a"', "x-total": "3", "x-other": "4" };
  for (const declaration of [dependsOn("a"), {}]) {
    const site = wrap(() => new Response("page", { headers: { ...headers, ...declaration } }), {
      retainedHeaders: replay,
    });
    await site.ask(request());
    const answer = await site.ask(request({ "if-none-match": '"a"' }));
    assert.deepEqual(record(answer), { ...PUBLIC, vary: "Accept", etag: '"a"', "x-total": "3" });
  }
});

test("retainedHeaders: what no 304 may repeat is refused at once, in any case, by its name", () => {
  const never = [
    ...["set-cookie", "Set-Cookie", "set-cookie2", "Date", "age"],
    ...[
      "content-encoding",
      "Content-Length",
      "content-type",
      "content-range",
      "content-language",
      "content-digest",
    ],
    ...["transfer-encoding", "trailer", "Connection", "keep-alive", "te", "upgrade"],
  ];
  for (const name of never) {
    assert.throws(
      () => wrap(() => new Response(), { retainedHeaders: ["link", name] }),
      (error) => error instanceof TypeError && error.message.includes(`"${name}"`),
    );
  }
  for (const wrong of ["x y", "", "a:b", "é", 7, undefined, "link\n"]) {
    assert.throws(
      () => wrap(() => new Response(), { retainedHeaders: [wrong as string] }),
      /retainedHeaders takes field names, not/,
    );
  }
  assert.throws(
    () => wrap(() => new Response(), { retainedHeaders: "link" as unknown as string[] }),
    /retainedHeaders is a list of field names, not "link"/,
  );
  const legal = [
    "content-location",
    "Content-Security-Policy",
    "content-security-policy-report-only",
    "link",
    "etag",
  ];
  assert.ok(wrap(() => new Response(), { retainedHeaders: legal }));
});

test("fields of several lines stay several lines, whatever a response goes through", async () => {
  const headers = new Headers({ "content-type": "text/plain", ...dependsOn({ _id: "a", _rev: "1-a" }) });
  for (const cookie of ["a=1; Path=/", "b=2; Expires=Sun, 06 Nov 1994 08:49:37 GMT", "c=3"]) {
    headers.append("set-cookie", cookie);
  }
  for (const link of ["</a.css>; rel=preload", "</b.css>; rel=preload"]) headers.append("link", link);
  const frozen = () => {
    const response = new Response("page", { headers });
    const refuse = () => assert.fail("immutable");
    Object.defineProperties(response.headers, { set: { value: refuse }, delete: { value: refuse } });
    return response;
  };
  const responses: (() => Response)[] = [
    () => new Response("page", { headers }),
    () => new Response(null, { status: 204, headers }),
    frozen,
  ];
  for (const make of responses) {
    for (const options of [{}, { hashBody: true }, { cacheStatus: "Site" }, { auditRate: 1 }]) {
      for (const method of ["GET", "HEAD", "PUT", "OPTIONS"]) {
        const site = wrap(make, options);
        const answer = await site.ask(request({}, { method }));
        assert.deepEqual(
          answer.headers.getSetCookie(),
          headers.getSetCookie(),
          `${method} ${JSON.stringify(options)}`,
        );
        assert.equal(answer.headers.get("link"), headers.get("link"));
        assert.equal(answer.headers.has(DEPENDS_ON), false);
      }
    }
  }
});

test("304: a field of several lines is repeated with all of them", async () => {
  const headers = new Headers({ ...PUBLIC, ...dependsOn({ _id: "a", _rev: "1-a" }) });
  for (const link of ["</a.css>; rel=preload", "</b.css>; rel=preload"]) headers.append("link", link);
  const site = wrap(() => new Response("page", { headers }), { retainedHeaders: ["link"] });
  const full = await site.ask(request());
  for (const clear of [false, true]) {
    if (clear) site.registry.clear();
    const answer = await site.ask(request({ "if-none-match": full.headers.get("etag")! }));
    assert.deepEqual([answer.status, answer.headers.get("link")], [304, full.headers.get("link")]);
  }
});

test("304: a nonce is not replayed, the copy has its own (CSP §2.3.1)", async () => {
  const policy = "content-security-policy";
  const site = wrap(
    () => new Response("page", { headers: { etag: '"a"', [policy]: "script-src 'Nonce-b'" } }),
    {
      retainedHeaders: [policy],
    },
  );
  const answer = await site.ask(request({ "if-none-match": '"a"' }));
  assert.deepEqual([answer.status, answer.headers.get(policy)], [304, null]);
});

test("304: a new object each time; what one is changed to, no other shows", async () => {
  const site = wrap(({ url }) =>
    new Response("page", { headers: { ...PUBLIC, etag: `"${new URL(url).search}"`, ...dependsOn("a") } })
  );
  const a = { url: "http://localhost/?a" };
  const b = { url: "http://localhost/?b" };
  await site.ask(request({}, a));
  await site.ask(request({}, b));
  const hit = (at: { url: string }) => {
    const tag = `"${new URL(at.url).search}"`;
    const answer = site.raw(request({ "if-none-match": tag }, at)) as Response;
    assert.deepEqual([answer.status, record(answer)], [304, { ...PUBLIC, etag: tag }]);
    return answer;
  };
  const first = hit(a);
  first.headers.set("etag", '"spoilt"');
  first.headers.set("cache-control", "no-store");
  first.headers.append("set-cookie", "a=1");
  const second = hit(b);
  assert.notEqual(hit(a), first);
  assert.deepEqual(record(second), { ...PUBLIC, etag: '"?b"' }, "after another of the same fields was built");
  assert.equal(site.runs, 2);
});

test("304 in place of an answer: the unused body is cancelled, and so is that of a 412", async () => {
  for (const [sent, status] of [[{ "if-none-match": '"a"' }, 304], [{ "if-match": '"b"' }, 412]] as const) {
    let cancelled = 0;
    const body = new ReadableStream({ cancel: () => void cancelled++ });
    const site = wrap(() => new Response(body, { headers: { etag: '"a"' } }));
    assert.equal((await site.ask(request(sent as HeadersInit))).status, status);
    assert.equal(cancelled, 1);
  }
});

test("304 in place of an answer: a body that fails to cancel, or is being read, is nobody's error", async () => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", listener);
  const fails = new ReadableStream({ cancel: () => Promise.reject(new Error("broken")) });
  const read = new Response("page", { headers: { etag: '"a"' } });
  read.body!.getReader();
  for (const response of [new Response(fails, { headers: { etag: '"a"' } }), read]) {
    const site = wrap(() => response);
    assert.equal((await site.ask(request({ "if-none-match": '"a"' }))).status, 304);
  }
  // Rejections are reported once the microtasks are done, before the next but one task at the latest.
  for (let task = 0; task < 3; task++) await new Promise((next) => setTimeout(next, 0));
  process.off("unhandledRejection", listener);
  assert.deepEqual(unhandled, []);
});

for (const declared of [true, false]) {
  test(`412 ${declared ? "from the registry" : "in place of an answer"}: CORS stays, freshness goes`, async () => {
    const cors = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "same-site" };
    const headers = {
      ...PUBLIC,
      ...cors,
      etag: '"a"',
      "set-cookie2": "x",
      ...(declared ? dependsOn("a") : {}),
    };
    const site = wrap(() => new Response("page", { headers }));
    await site.ask(request());
    const expected = {
      ...cors,
      "cache-control": "no-store",
      "content-type": "application/problem+json",
      vary: "Accept",
    };
    const failed = await site.ask(request({ "if-match": '"b"' }));
    assert.deepEqual([failed.status, record(failed)], [412, expected]);
    assert.equal(JSON.parse(await failed.text()).title, "Precondition Failed");
    const head = await site.ask(request({ "if-match": '"b"' }, { method: "HEAD" }));
    assert.deepEqual([head.status, head.body, record(head)], [412, null, expected]);
    assert.equal(site.runs, declared ? 1 : 3);
  });
}

/** Every way to an answer, with both declarations on it. */
const PATHS: readonly (readonly [string, string, Record<string, string>, number, Record<string, string>])[] =
  [
    ["a 200", "GET", {}, 200, {}],
    ["a refused 200", "GET", {}, 200, { "cache-control": "no-store" }],
    ["a 200 for credentials", "GET", { cookie: "a=1" }, 200, { "cache-control": "no-cache" }],
    ["a 304", "GET", { "if-none-match": '"a"' }, 200, {}],
    ["a 412", "GET", { "if-match": '"b"' }, 200, {}],
    ["a 204", "GET", {}, 204, {}],
    ["a 206", "GET", { range: "bytes=0-1" }, 206, {}],
    ["a 302", "GET", {}, 302, {}],
    ["a 404", "GET", {}, 404, {}],
    ["a 500", "GET", {}, 500, {}],
    ["HEAD", "HEAD", {}, 200, {}],
    ["HEAD, 404", "HEAD", {}, 404, {}],
    ["PUT", "PUT", {}, 200, {}],
    ["PUT, 303", "PUT", {}, 303, {}],
    ["PUT, 409", "PUT", {}, 409, {}],
    ["DELETE, 500", "DELETE", {}, 500, {}],
  ];
const DECLARATIONS: readonly Record<string, string>[] = [
  { ...dependsOn({ _id: "secret", _rev: "1-a" }), ...invalidates("secret") },
  dependsOn("secret"),
  invalidates("secret"),
  mangled(dependsOn("secret")),
  mangled(invalidates("secret")),
];

/** A declaration of this process that cannot be read. */
function mangled(declaration: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(declaration).map(([name, value]) => [name, `${value} %`]));
}

for (const [name, method, sent, status, fields] of PATHS) {
  test(`declarations do not reach the client: ${name}`, async () => {
    for (const declaration of DECLARATIONS) {
      const headers = { ...PUBLIC, etag: '"a"', ...fields, ...declaration };
      const site = wrap(() => new Response(null, { status, headers }));
      for (let time = 0; time < 2; time++) {
        const answer = await site.ask(request(sent, { method }));
        assert.ok(!JSON.stringify([...answer.headers]).includes("stillfresh"), JSON.stringify(declaration));
      }
      assert.equal(site.registry.open.size, 0);
    }
  });
}

test("withFields: the same object where fields can be changed, and where there is nothing to change", () => {
  const mutable = new Response("page", { headers: dependsOn("a") });
  assert.equal(withFields(mutable, { etag: '"b"' }), mutable);
  assert.deepEqual([mutable.headers.get("etag"), mutable.headers.has(DEPENDS_ON)], ['"b"', false]);
  const redirect = Response.redirect("http://localhost/");
  assert.equal(withFields(redirect), redirect);
  const error = Response.error();
  assert.equal(withFields(error), error);
});

test("withEtag: a fetched response works, whose fields are immutable on some runtimes", async () => {
  const upstream = await serve(() =>
    new Response("far away", { headers: { ...PUBLIC, ...dependsOn("far") } })
  );
  const site = wrap(() => fetch(upstream.url));
  const front = await serve((request) => site.ask(request));
  try {
    const first = await send(front.url);
    assert.deepEqual([first.status, first.body, first.headers[DEPENDS_ON]], [200, "far away", undefined]);
    const second = await send(front.url, { headers: { "if-none-match": first.headers["etag"]! } });
    assert.deepEqual([second.status, second.body, site.runs], [304, "", 1]);
    site.registry.invalidate("far");
    const third = await send(front.url, { headers: { "if-none-match": first.headers["etag"]! } });
    assert.deepEqual([third.status, third.body, site.runs], [200, "far away", 2]);
  } finally {
    await front.close();
    await upstream.close();
  }
});
