/** The inspector's answers: who gets them, what they show, what they hide, and that nothing is kept while no page is open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, guard, withEtag, type WithEtagOptions } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { inspector, type InspectorOptions } from "../../src/inspector/inspector.ts";
import type { Found, SearchBy } from "../../src/inspector/entries.ts";
import { DecisionLog } from "../../src/inspector/decisions.ts";
import { Events, type Told } from "../../src/inspector/events.ts";
import { showing } from "../../src/inspector/hidden.ts";
import { metrics } from "../../src/metrics/metrics.ts";
import { contentSecurityPolicy } from "../../src/inspector/page.ts";
import { sections } from "../../src/inspector/sections.ts";
import {
  type LookupRefusal,
  type Outcome,
  type Reason,
  reasonFamilies,
  type ReasonFamily,
  type RegistrationRefusal,
  requestEnds,
} from "../../src/registry/reason.ts";
import { causes } from "../../src/why/causes.ts";
import { pageModule } from "../../scripts/inspector.ts";
import { Random } from "../simulation/random.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { keep } from "../support/registrations.ts";

const here = "http://localhost/_stillfresh";

function open(address = here, headers: Record<string, string> = {}): Request {
  return new Request(address, { headers });
}

/** A site whose pages depend on what their path names, and its inspector. */
function siteOf(
  options: Partial<InspectorOptions> = {},
  more: WithEtagOptions<Request> = {},
  registry = new EtagRegistry({ manual: true }),
) {
  const site = withEtag((request: Request) => {
    const { pathname } = new URL(request.url);
    const group = pathname.split("/").at(-1)!;
    const headers = { "cache-control": "public, no-cache", ...dependsOn(group, "all") };
    return new Response("page", { headers });
  }, { registry, ...more });
  return { registry, site, inspect: inspector({ registry, ...options }) };
}

async function found(
  inspect: ReturnType<typeof inspector>,
  by: SearchBy,
  text: string,
): Promise<Found> {
  const response = await inspect(open(`${here}?${new URLSearchParams({ by, text })}`));
  assert.equal(response.status, 200);
  return await response.json();
}

/** Reads events until one will do. */
async function told(response: Response, wanted: (told: Told) => boolean): Promise<Told> {
  const reader = response.body!.getReader();
  const decoder = new TextDecoder();
  for (let text = "";;) {
    const { value, done } = await reader.read();
    assert.equal(done, false, "the stream has ended");
    text += decoder.decode(value, { stream: true });
    const events = text.split("\n\n");
    text = events.pop()!;
    const event = events.map((event) => JSON.parse(event.slice("data: ".length)) as Told).find(wanted);
    if (event === undefined) continue;
    await reader.cancel();
    return event;
  }
}

const strangers: readonly (readonly [what: string, request: Request, connection?: unknown])[] = [
  ["another host", open("https://site.example/_stillfresh")],
  ["a name of another site for this machine", open("http://127.0.0.1.attacker.example/_stillfresh")],
  ["a proxy, by X-Forwarded-For", open(here, { "x-forwarded-for": "192.0.2.1" })],
  ["a proxy, by Forwarded", open(here, { "forwarded": "for=192.0.2.1" })],
  ["a proxy, by Via", open(here, { "via": "1.1 cache" })],
  ["a proxy, by X-Forwarded-Port", open(here, { "x-forwarded-port": "443" })],
  ["a proxy, by X-Envoy-External-Address", open(here, { "x-envoy-external-address": "192.0.2.1" })],
  ["a proxy, by CDN-Loop", open(here, { "cdn-loop": "cache" })],
  ["a proxy, by Connection: close", open(here, { "connection": "close" })],
  ["another Host", open(here, { "host": "site.example" })],
  ["a Host of several", open(here, { "host": "localhost, site.example" })],
  ["a Host with a user", open(here, { "host": "a@localhost" })],
  ["a Host that is empty", open(here, { "host": "" })],
  ["a socket of a file, on Deno", open(), { remoteAddr: { transport: "unix", path: "/run/site" } }],
  ["a socket of a file, on Bun", open(), { requestIP: () => null }],
  ["a socket of a file, on Node", open(), { incoming: { socket: { remoteAddress: undefined } } }],
  ["another machine, by Node's own request", open(), { socket: { remoteAddress: "192.0.2.1" } }],
  ["another machine, on Deno", open(), { remoteAddr: { hostname: "192.0.2.1" } }],
  ["another machine, on Bun", open(), { requestIP: () => ({ address: "2001:db8::1" }) }],
  ["another machine, on Node", open(), { incoming: { socket: { remoteAddress: "::ffff:192.0.2.1" } } }],
  ["another machine, by srvx", Object.assign(open(), { ip: "192.0.2.1" })],
];

for (const [what, request, connection] of strangers) {
  test(`inspector: without authorize, ${what} is refused`, async () => {
    const { inspect } = siteOf();
    const response = await inspect(request, connection);
    assert.equal(response.status, 403);
    assert.match(await response.text(), /authorize/);
  });
}

const locals: readonly (readonly [what: string, request: Request, connection?: unknown])[] = [
  ["localhost", open()],
  ["localhost, by Host", open(here, { "host": "localhost:8000" })],
  ["::1, by Host", open("http://[::1]:8000/", { "host": "[::1]:8000" })],
  ["127.0.0.1", open("http://127.0.0.1:8000/_stillfresh"), { remoteAddr: { hostname: "127.0.0.1" } }],
  ["::1", open("http://[::1]:8000/_stillfresh"), { requestIP: () => ({ address: "::1" }) }],
  ["an IPv4 address in IPv6", open(), { incoming: { socket: { remoteAddress: "::ffff:127.0.0.1" } } }],
];

for (const [what, request, connection] of locals) {
  test(`inspector: without authorize, ${what} is answered, and the page warns`, async () => {
    const { inspect } = siteOf();
    const response = await inspect(request, connection);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /No access check protects this page/);
  });
}

const verdicts: readonly (readonly [given: unknown, status: number])[] = [
  [true, 200],
  [false, 403],
  [undefined, 403],
  ["yes", 403],
  [Promise.resolve(true), 200],
  [Promise.resolve(false), 403],
];

for (const [given, status] of verdicts) {
  const what = given instanceof Promise ? `a promise of ${await given}` : String(given);
  test(`inspector: authorize that gives ${what} leads to ${status} for every part`, async () => {
    const { inspect } = siteOf({ authorize: () => given as boolean });
    for (const query of ["", "?by=url&text=", "?events"]) {
      const response = await inspect(open(`https://site.example/ops/inspect${query}`));
      assert.equal(response.status, status, query);
      if (query === "" && status === 200) assert.doesNotMatch(await response.text(), /No access check/);
      else await response.body?.cancel();
    }
  });
}

test("inspector: authorize may give the response", async () => {
  const { inspect } = siteOf({ authorize: () => Response.redirect("https://site.example/login") });
  assert.equal((await inspect(open())).status, 302);
});

test("inspector: what is no function, and no registry, is refused at once", () => {
  const registry = new EtagRegistry();
  assert.throws(() => inspector({ registry, authorize: true as never }), /authorize is a function.*not true/);
  for (const given of [undefined, registry, { registry: undefined }, { registry: { site: registry } }]) {
    assert.throws(() => inspector(given as never), /inspector\(\) takes \{ registry \}, one EtagRegistry/);
  }
  for (const name of ["showValues", "readOnly"]) {
    assert.throws(
      () => inspector({ registry, [name]: "no" }),
      new RegExp(`${name} is true or false, not no`),
    );
  }
  const context = { req: { raw: open() } };
  assert.throws(() => siteOf().inspect(context as never), /takes a Request first.*c\.req\.raw/);
});

/** Requests to change something, and what comes of them. */
const changes: readonly (readonly [
  what: string,
  headers: Record<string, string>,
  body: string,
  status: number,
])[] = [
  ["its own page", { "sec-fetch-site": "same-origin" }, '{"void":"two"}', 204],
  ["its own page, by Origin", { "origin": "http://localhost" }, '{"void":"two"}', 204],
  ["its own page behind TLS", { "origin": "https://localhost", "host": "localhost" }, '{"void":"two"}', 204],
  ["another site", { "sec-fetch-site": "cross-site", "origin": "http://localhost" }, '{"void":"two"}', 403],
  ["another port of this machine", { "sec-fetch-site": "same-site" }, '{"void":"two"}', 403],
  ["an address bar", { "sec-fetch-site": "none" }, '{"void":"two"}', 403],
  ["another site, by Origin", { "origin": "http://localhost:81" }, '{"void":"two"}', 403],
  ["a page without an origin", { "origin": "null" }, '{"void":"two"}', 403],
  ["no browser", {}, '{"void":"two"}', 403],
  ["a form", { "sec-fetch-site": "same-origin", "content-type": "text/plain" }, '{"void":"two"}', 415],
  ["its own page, without JSON", { "sec-fetch-site": "same-origin" }, "void", 400],
  ["its own page, without a name", { "sec-fetch-site": "same-origin" }, '{"void":""}', 400],
];

for (const [what, headers, body, status] of changes) {
  test(`inspector: a change that comes from ${what} is answered ${status}`, async () => {
    const { site, inspect } = siteOf({ readOnly: false });
    for (const name of ["one", "two"]) await site(open(`http://localhost/${name}`));
    const init = { method: "POST", body, headers: { "content-type": "application/json", ...headers } };
    const response = await inspect(new Request(here, init));
    assert.equal(response.status, status);
    const { entries } = await found(inspect, "url", "");
    assert.deepEqual(entries.map(({ state }) => state), [status === 204 ? "void" : "valid", "valid"]);
  });
}

test("inspector: everything can be voided, and nothing where authorize says no or it is read-only", async () => {
  const own = { "content-type": "application/json", "sec-fetch-site": "same-origin" };
  const clear = () => new Request(here, { method: "POST", body: '{"clear":true}', headers: own });
  const { registry, site, inspect } = siteOf({ readOnly: false, authorize: () => true });
  await site(open("http://localhost/one"));
  const refused = inspector({ registry, readOnly: false, authorize: () => false });
  assert.equal((await refused(clear())).status, 403);
  assert.equal((await inspector({ registry })(clear())).status, 405);
  assert.equal(registry.size, 1);
  assert.equal((await inspect(clear())).status, 204);
  assert.equal(registry.size, 0);
  assert.equal((await inspect(new Request(here, { method: "PUT" }))).headers.get("allow"), "GET, HEAD, POST");
  assert.match(await (await inspect(open())).text(), /id="clear"/);
});

for (const query of ["?events", "?by=url&text="]) {
  test(`inspector: a page of another site gets nothing of ${query}, and its own page does`, async () => {
    const { inspect } = siteOf();
    for (const [site, status] of [["cross-site", 403], ["same-site", 403], ["same-origin", 200]] as const) {
      const response = await inspect(open(`${here}${query}`, { "sec-fetch-site": site }));
      await response.body?.cancel();
      assert.equal(response.status, status, site);
    }
  });
}

test("inspector: an address that cannot be read is refused, and throws nothing", async () => {
  for (const authorize of [undefined, () => true]) {
    const { inspect } = siteOf(authorize === undefined ? {} : { authorize });
    // As Bun has it where Host is missing.
    const request = Object.create(open(), { url: { value: "/_stillfresh" } });
    assert.equal((await inspect(request)).status, 400);
  }
});

test("inspector: it only reads", async () => {
  const { inspect } = siteOf();
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    const response = await inspect(new Request(here, { method }));
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
  }
  const head = await inspect(new Request(here, { method: "HEAD" }));
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

test("inspector: the page holds all that it needs, under a policy of hashes", async () => {
  const { inspect } = siteOf();
  const response = await inspect(open());
  const text = await response.text();
  assert.doesNotMatch(text, /(?:src|href)="(?!#|data:,")/, "nothing comes from elsewhere");
  assert.doesNotMatch(text, /\son[a-z]+=|\sstyle=/, "nothing that the policy forbids");
  for (
    const [kind, pattern] of [["style", /<style>([^]*)<\/style>/], ["script", /<script>([^]*)<\/script>/]]
  ) {
    const [, content] = (pattern as RegExp).exec(text)!;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content));
    const hash = btoa(String.fromCharCode(...new Uint8Array(digest)));
    assert.ok(contentSecurityPolicy.includes(`${kind}-src 'sha256-${hash}'`), String(kind));
  }
  assert.equal(response.headers.get("content-security-policy"), contentSecurityPolicy);
  assert.doesNotMatch(contentSecurityPolicy, /unsafe|\*/);
  assert.equal(response.headers.get("cache-control"), "no-store");
});

test("inspector: the page is what its sources give", async () => {
  const { readFileSync } = await import("node:fs");
  const written = readFileSync(new URL("../../src/inspector/page.ts", import.meta.url), "utf8");
  assert.equal(written, pageModule(), "deno task inspector --write");
});

test("inspector: a search finds by URL, by group, and what depends on a group", async () => {
  const { site, inspect, registry } = siteOf();
  for (const name of ["one", "two", "twofold"]) await site(open(`http://localhost/posts/${name}`));
  const names = async (by: SearchBy, text: string) =>
    (await found(inspect, by, text)).entries.map(({ resource }) => resource.split("/").at(-1));
  assert.deepEqual(await names("url", ""), ["twofold", "two", "one"]);
  assert.deepEqual(await names("url", "POSTS/two"), ["twofold", "two"]);
  assert.deepEqual(await names("group", "fold"), ["twofold"]);
  assert.deepEqual(await names("dependents", "two"), ["two"]);
  assert.deepEqual(await names("dependents", "all"), ["twofold", "two", "one"]);
  registry.invalidate("two");
  const { entries: [entry] } = await found(inspect, "dependents", "two");
  assert.deepEqual([entry!.state, entry!.changed, entry!.groups], ["void", ["two"], ["two", "all"]]);
  assert.deepEqual(entry!.fields, [["cache-control", "public, no-cache"]]);
});

test("inspector: a search gives at most 100 entries, the newest, and counts all", async () => {
  const { registry, inspect } = siteOf();
  for (let page = 1; page <= 250; page++) keep(registry, `http://localhost/posts/${page}`, ["all"]);
  const { entries, total, lookedAt } = await found(inspect, "url", "/posts/");
  assert.deepEqual([entries.length, total, lookedAt], [100, 250, 250]);
  assert.match(entries[0]!.resource, /\/250$/);
  assert.match(entries[99]!.resource, /\/151$/);
});

test("inspector: a search lets other work have its turn, and outlives a clear()", async () => {
  const { registry, inspect } = siteOf();
  for (let page = 0; page < 8_000; page++) keep(registry, `http://localhost/posts/${page}`, ["all"]);
  let turns = 0;
  const others = setInterval(() => turns++);
  const searching = found(inspect, "group", "al");
  // A search that has begun ends with what has not left.
  setTimeout(() => registry.clear());
  const { entries, total, lookedAt } = await searching;
  clearInterval(others);
  assert.ok(turns > 0, "nothing had its turn");
  assert.ok(total === lookedAt && lookedAt < 8_000, `${lookedAt} were looked at`);
  assert.deepEqual(entries, []);
});

test("inspector: secrets of clients are hidden, and cannot be searched for", async () => {
  const { site, inspect, registry } = siteOf({}, {
    caller: ({ headers }) => headers.get("x-user") ?? undefined,
  });
  const varied = withEtag(
    ({ headers }: Request) =>
      new Response("", {
        headers: {
          ...dependsOn("all"),
          ...{ "vary": "cookie, origin", "cache-control": "public", "link": "</reset?token=SECRET6>" },
          "access-control-allow-origin": headers.get("origin") ?? "*",
          "content-location": "https://user:SECRET7@site.example/varied;id=SECRET8?key=SECRET5#SECRET9",
        },
      }),
    { registry, retainedHeaders: ["link"] },
  );
  await site(open("http://localhost/reset?token=SECRET1&SECRET2", { "x-user": "SECRET3" }));
  await varied(
    open("http://localhost/varied", { "cookie": "SECRET4", "origin": "https://SECRET10.example" }),
  );
  // A session is commonly the caller, and a guard as well.
  await withEtag(() => new Response("", { headers: dependsOn("note", guard("SECRET11")) }), {
    registry,
    caller: () => "SECRET11",
    key: () => "https://user:SECRET12@site.example/b#SECRET13",
  })(open("http://localhost/b"));
  const { entries } = await found(inspect, "url", "");
  assert.doesNotMatch(JSON.stringify(entries), /SECRET/);
  const reset = entries.find(({ resource }) => resource.includes("reset"))!;
  assert.equal(reset.resource, "http://localhost/reset?token=…&…");
  assert.match(reset.caller!, /^caller [\w-]{4}$/);
  const other = entries.find(({ resource }) => resource.includes("varied"))!;
  assert.deepEqual(other.variant, ["cookie: …", "origin: …"]);
  assert.deepEqual(Object.fromEntries(other.fields), {
    "access-control-allow-origin": "…",
    "cache-control": "public",
    "content-location": "https://…@site.example/varied;id=…?key=…#…",
    "link": "…",
    "vary": "cookie, origin",
  });
  assert.deepEqual(entries[0]!.groups, ["note"]);
  for (const text of ["SECRET1", "token=S"]) assert.equal((await found(inspect, "url", text)).total, 0);
  for (const by of ["group", "dependents"] as const) {
    assert.equal((await found(inspect, by, "SECRET11")).total, 0, by);
  }

  const shown = JSON.stringify(await found(inspector({ registry, showValues: true }), "url", ""));
  for (let secret = 1; secret <= 13; secret++) {
    assert.ok(shown.includes(`SECRET${secret}`), `SECRET${secret}`);
  }
});

test("inspector: decisions are told in sentences with their sections, and without secrets", async () => {
  const { site, inspect, registry } = siteOf();
  const events = await inspect(open(`${here}?events`));
  assert.equal(events.headers.get("content-type"), "text/event-stream");
  const first = await site(open("http://localhost/a?token=SECRET", { "cookie": "SECRET" }));
  const etag = first.headers.get("etag")!;
  await site(open("http://localhost/a?token=SECRET", { "if-none-match": etag }));
  await withEtag(() => new Response("", { headers: { ...dependsOn("all"), "cache-control": "no-store" } }), {
    registry,
  })(open("http://localhost/b"));
  const { decisions, state } = await told(events, ({ decisions }) => decisions.length >= 3);
  assert.doesNotMatch(JSON.stringify({ decisions, state }), /SECRET/);
  assert.deepEqual(
    decisions.map(({ reason, refusal, stored, sections }) => ({ reason, refusal, stored, sections })),
    [
      { reason: "unconditional", refusal: undefined, stored: true, sections: ["RFC 9110 §13.1"] },
      { reason: "hit", refusal: undefined, stored: false, sections: ["RFC 9111 §4.3.2"] },
      {
        reason: "unconditional",
        refusal: "no-store",
        stored: false,
        sections: ["RFC 9110 §13.1", "RFC 9111 §5.2.2.5"],
      },
    ].map((decision) => JSON.parse(JSON.stringify(decision))).map((decision) => ({
      refusal: undefined,
      ...decision,
    })),
  );
  assert.equal(
    decisions[1]!.text,
    "GET /a?token=…: answered 304 from the registry; the handler did not run (hit).",
  );
  assert.match(
    decisions[2]!.text,
    /^GET \/b: the handler ran and gave 200: .*\(no-store\)\. Send Cache-Control: no-cache/,
  );
  assert.equal(state.counters["hit"], 1);
});

test("inspector: each reason of a decision is told in its own sentence", async () => {
  const { registry, inspect } = siteOf();
  const events = await inspect(open(`${here}?events`));
  const request = open("http://localhost/a");
  const reasons = (family: ReasonFamily) =>
    (Object.keys(reasonFamilies) as Reason[]).filter((reason) => reasonFamilies[reason] === family);
  const { tell } = coreOf(registry).observers;
  for (const reason of [...reasons("outcome"), ...reasons("lookup")] as (Outcome | LookupRefusal)[]) {
    const end = reasons("outcome").includes(reason) ? reason as Outcome : "handler-threw";
    tell!({ request, end, reason, handlerStatus: undefined, stored: false, refusal: undefined });
  }
  for (const refusal of reasons("registration") as RegistrationRefusal[]) {
    const made = { end: "handled", reason: "unconditional", handlerStatus: 200, stored: false } as const;
    tell!({ request, ...made, refusal });
  }
  const { decisions } = await told(events, ({ decisions }) => decisions.length > 0);
  assert.equal(decisions.length, Object.keys(sections).length);
  for (const { reason, refusal, text } of decisions) {
    const shown = (refusal ?? reason) as Reason;
    assert.ok(text.includes(`${causes[shown].meaning} (${shown})`), text);
  }
});

test("inspector: every end of a request is among the decisions, with what the client got", async () => {
  const registry = new EtagRegistry({ manual: true });
  const inspect = inspector({ registry });
  const events = await inspect(open(`${here}?events`));
  const site = withEtag((request: Request): Response => {
    if (request.url.endsWith("/throws")) throw new Error("it does");
    return new Response("", { headers: { etag: '"own"' } });
  }, {
    registry,
    requirePrecondition: true,
    key: ({ url }) => url.endsWith("/left-out") ? undefined : url,
    current: ({ url }) => {
      if (url.endsWith("/unknown")) throw new Error("it is not");
      return undefined;
    },
  });
  const asked: readonly (readonly [path: string, init: RequestInit, end: Outcome])[] = [
    ["/handled", {}, "handled"],
    ["/late", { headers: { "if-none-match": '"own"' } }, "not-modified"],
    ["/other", { headers: { "if-match": '"other"' } }, "precondition-failed-late"],
    ["/throws", {}, "handler-threw"],
    ["/left-out", {}, "passed-on"],
    ["/options", { method: "OPTIONS" }, "passed-on"],
    ["/put", { method: "PUT" }, "precondition-required"],
    ["/unknown", { method: "PUT", headers: { "if-match": '"a"' } }, "current-threw"],
    ["/post", { method: "POST" }, "handled"],
  ];
  for (const [path, init] of asked) {
    await Promise.resolve().then(() => site(new Request(`http://localhost${path}`, init))).catch(() => {});
  }
  const { decisions, state } = await told(events, ({ decisions }) => decisions.length > 0);
  assert.deepEqual(decisions.map(({ path, end }) => [path, end]), asked.map(([path, , end]) => [path, end]));
  for (const { end, path, text } of decisions) {
    if (end !== "handled") {
      assert.ok(text.includes(`${causes[end as Outcome].meaning} (${end})`), `${path}: ${text}`);
    }
  }
  const ends = requestEnds.reduce((sum, end) => sum + state.counters[end]!, 0);
  assert.equal(ends, asked.length);
});

test("inspector: the age of a variant is its own, and is known while a page is open", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ manual: true, now: clock.now, monotonic: clock.monotonic });
  const inspect = inspector({ registry });
  const site = withEtag(
    () => new Response("", { headers: { ...dependsOn("all"), vary: "accept-language" } }),
    {
      registry,
    },
  );
  const ask = (language: string) => site(open("http://localhost/a", { "accept-language": language }));
  await ask("fr");
  const { body } = await inspect(open(`${here}?events`));
  const first = clock.now();
  await ask("de");
  clock.advance(30_000);
  await ask("en");
  const { entries } = await found(inspect, "url", "");
  assert.deepEqual(
    entries.map(({ variant, since }) => [variant[0], since]),
    [
      ["accept-language: en", first + 30_000],
      ["accept-language: de", first],
      ["accept-language: fr", undefined],
    ].map(([variant, since]) => [variant, since]),
  );
  await body!.cancel();
});

test("inspector: long addresses of visitors are not kept, nor sent, in full", async () => {
  const { site, inspect } = siteOf();
  const events = await inspect(open(`${here}?events`));
  for (let page = 0; page < 40; page++) await site(open(`http://localhost/${page}${"x".repeat(60_000)}`));
  const { decisions } = await told(events, ({ decisions }) => decisions.length > 0);
  assert.equal(decisions.length, 40);
  assert.ok(JSON.stringify(decisions).length < 200_000);
  assert.ok(JSON.stringify(await found(inspect, "url", "")).length < 200_000);
});

test("inspector: a search whose client is gone makes room for another", async () => {
  const { registry, inspect } = siteOf();
  for (let page = 0; page < 20_000; page++) keep(registry, `http://localhost/${page}`, ["all"]);
  const search = (method = "GET") => inspect(new Request(`${here}?by=group&text=none`, { method }));
  const searches = await Promise.all(Array.from({ length: 4 }, () => search()));
  assert.equal((await search()).status, 503);
  assert.equal((await search("HEAD")).status, 200);
  await Promise.all(searches.map(({ body }) => body!.cancel()));
  let again = await search();
  // Each of them ends when its next slice would begin.
  for (const end = performance.now() + 5_000; again.status === 503 && performance.now() < end;) {
    await new Promise((resolve) => setTimeout(resolve));
    again = await search();
  }
  assert.equal((await again.json() as Found).lookedAt, 20_000);
});

test("inspector: what is no Request breaks no stream", async () => {
  const registry = new EtagRegistry({ manual: true });
  const inspect = inspector({ registry });
  const site = withEtag(() => new Response("", { headers: dependsOn("all") }), { registry, key: () => "a" });
  const events = await inspect(open(`${here}?events`));
  await site({ method: "GET", headers: new Headers() } as Request);
  await site(open("http://localhost/a"));
  const { decisions } = await told(events, ({ decisions }) => decisions.length > 0);
  assert.deepEqual(decisions.map(({ number, path }) => [number, path]), [[1, "/a"]]);
});

test("Events: a stream ends after five minutes, so that authorize is asked again", async () => {
  const core = coreOf(new EtagRegistry());
  const events = new Events(core, new DecisionLog(core), showing(false));
  const reader = (events.stream() as ReadableStream<Uint8Array>).getReader();
  let told = 0;
  for (; told < 1_000; told++) {
    events.tell();
    if ((await reader.read()).done) break;
  }
  assert.ok(told > 500 && told <= 610, `${told} events of half a second`);
  assert.equal(events.size, 0);
});

test("Events: a page that reads nothing is let go of, and the others are told", async () => {
  const core = coreOf(new EtagRegistry());
  const events = new Events(core, new DecisionLog(core), showing(false));
  const [asleep, awake] = [events.stream(), events.stream()] as ReadableStream<Uint8Array>[];
  const reader = awake!.getReader();
  for (let told = 0; told < 50; told++) {
    assert.equal((await reader.read()).done, false);
    events.tell();
  }
  assert.equal(events.size, 1);
  const left = await new Response(asleep).text();
  assert.ok(left.split("\n\n").length < 30, "what waits for it is bounded");
  events.close();
});

test("inspector: every reason of a decision has a section, or is a rule of the library", () => {
  const decided = Object.entries(reasonFamilies).filter(([, family]) =>
    family === "outcome" || family === "lookup" || family === "registration"
  ).map(([reason]) => reason);
  assert.deepEqual(Object.keys(sections).sort(), decided.sort());
  for (const section of Object.values(sections)) {
    if (section !== undefined) assert.match(section, /^RFC \d{4} §\d+(?:\.\d+)*$/);
  }
});

test("inspector: nothing is observed before a page is open, nor a minute after the last was closed", async () => {
  const clock = new SettableClock();
  const { site, inspect, registry } = siteOf(
    {},
    {},
    new EtagRegistry({ manual: true, now: clock.now, monotonic: clock.monotonic }),
  );
  const { observers } = coreOf(registry);
  await inspect(open());
  assert.equal(observers.tell, undefined);
  const events = await inspect(open(`${here}?events`));
  assert.equal(inspect.pages, 1);
  assert.notEqual(observers.tell, undefined);
  await events.body!.cancel();
  assert.equal(inspect.pages, 0);
  clock.advance(60_000);
  await site(open("http://localhost/a"));
  assert.notEqual(observers.tell, undefined, "for a minute more");
  clock.advance(1);
  await site(open("http://localhost/a"));
  assert.equal(observers.tell, undefined);
});

test("inspector: thousands of hits do not push out what is rare, and what is kept is bounded", async () => {
  const { site, inspect } = siteOf();
  const etag = (await site(open("http://localhost/a"))).headers.get("etag")!;
  const events = await inspect(open(`${here}?events`));
  for (let hit = 0; hit < 5_000; hit++) site(open("http://localhost/a", { "if-none-match": etag }));
  await site(open("http://localhost/rare"));
  const { decisions, untold } = await told(events, ({ decisions }) => decisions.length > 0);
  assert.equal(decisions.at(-1)!.path, "/rare");
  assert.ok(decisions.length <= 300);
  assert.ok(untold >= 4_000, `${untold} were not told`);
});

test("inspector: close ends the streams, and a browser is told not to come again", async () => {
  const { inspect } = siteOf();
  const events = await inspect(open(`${here}?events`));
  inspect.close();
  assert.match(await events.text(), /^data: /);
  assert.equal((await inspect(open(`${here}?events`))).status, 204);
});

test("inspector: more than twenty pages are refused", async () => {
  const { inspect } = siteOf();
  const events = await Promise.all(Array.from({ length: 21 }, () => inspect(open(`${here}?events`))));
  assert.deepEqual(events.map(({ status }) => status), [...Array(20).fill(200), 503]);
  inspect.close();
});

test("inspector: what is wrong with a feed is told, and what to do", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ now: clock.now, monotonic: clock.monotonic });
  const inspect = inspector({ registry });
  const state = async () => (await told(await inspect(open(`${here}?events`)), () => true)).state;
  const unfollowed = await state();
  assert.equal(unfollowed.state, "unfollowed");
  assert.match(unfollowed.trouble!.advice.join(), /Call follow\(registry/);

  const feed = new PushedFeed();
  const follower = follow(registry, feed, { name: "blog", maxLag: 1_000, onError: () => {} });
  assert.deepEqual((await state()).feeds.map(({ name, state }) => [name, state]), [["blog", "starting"]]);
  feed.reader.push({
    changes: [],
    state: "live",
    contact: clock.instant,
    position: { since: "5-x", source: "blog" },
  });
  await settled();
  const live = await state();
  assert.deepEqual([live.state, live.trouble, live.feeds[0]!.position], ["live", undefined, "5-x"]);
  clock.advance(1_001);
  assert.match(
    (await state()).trouble!.advice[0]!,
    /has not been heard of for longer than its maxLag of 1000 ms/,
  );
  feed.reader.push({
    changes: [],
    state: "lost",
    contact: undefined,
    position: { since: "5-x", source: "blog" },
  });
  await settled();
  const lost = await state();
  assert.deepEqual([lost.feeds[0]!.state, lost.feeds[0]!.losses], ["lost", 1]);
  assert.match(lost.trouble!.advice[0]!, /has lost its contact/);
  feed.reader.fail(new Error("password SECRET is wrong"));
  await settled();
  const ended = await state();
  assert.match(ended.trouble!.advice[0]!, /has failed for good \(Error\)/);
  assert.doesNotMatch(JSON.stringify(ended), /SECRET/);
  await follower.close();
});

/** A site with a feed, of which the test says how it is, and what an open page is told of it. */
function siteWithFeed(look?: () => undefined) {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ version: "1", now: clock.now, monotonic: clock.monotonic });
  const feed = Object.assign(new PushedFeed(), look === undefined ? {} : { look });
  const follower = follow(registry, feed, { name: "blog", onError: () => {} });
  const push = async (more: object = {}) => {
    const position = { since: "1", source: "a" };
    feed.reader.push({ changes: [], state: "live", contact: clock.instant, position, ...more });
    await settled();
  };
  const inspect = inspector({ registry });
  const state = async () => (await told(await inspect(open(`${here}?events`)), () => true)).state;
  return { clock, registry, feed, follower, push, state };
}

test("inspector: a feed that tries in vain is starting: no contact is lost, and what it has met is told", async () => {
  const { clock, follower, push, state } = siteWithFeed();
  const fault = Object.assign(new Error("password SECRET"), { code: "ECONNREFUSED" });
  for (let attempt = 0; attempt < 12; attempt++) await push({ state: "lost", contact: undefined, fault });
  const { trouble, feeds: [feed], state: all } = await state();
  assert.deepEqual([all, feed!.state, feed!.losses, feed!.lag], ["suspended", "starting", 0, undefined]);
  assert.deepEqual([feed!.fault, feed!.faultAt], ["Error ECONNREFUSED; 12 attempts in a row", clock.wall]);
  assert.equal(
    trouble!.what,
    "Every request runs its handler: a feed has had no contact with its source yet.",
  );
  assert.equal(trouble!.advice.length, 1, "the most general advice stands where nothing better is known");
  assert.match(
    trouble!.advice[0]!,
    /no contact yet \(Error ECONNREFUSED; 12 attempts in a row\).*check its address/,
  );
  await follower.close();
});

test("inspector: a feed that has ended is no lost contact", async () => {
  const { follower, push, state } = siteWithFeed();
  await push();
  await follower.close();
  const { trouble } = await state();
  assert.equal(trouble!.what, "Every request runs its handler: a feed has ended.");
  assert.deepEqual(trouble!.advice, [
    'The feed "blog" was closed: follow it under this name, or call registry.retire("blog").',
  ]);
});

test("inspector: a feed that cannot be asked before an answer is no live one, until it can be asked again", async () => {
  let isLocked = true;
  const { registry, follower, push, state } = siteWithFeed(() => {
    if (isLocked) throw new Error("password SECRET");
    return undefined;
  });
  await push();
  const site = withEtag(() => new Response("", { headers: dependsOn("all") }), { registry });
  const ask = () => site(new Request("http://localhost/a", { headers: { "if-none-match": '"a"' } }));
  assert.equal((await state()).state, "live");
  await ask();
  const { state: all, trouble, feeds: [feed], counters } = await state();
  assert.deepEqual([counters["suspended"], all, feed!.state, feed!.fault], [1, "suspended", "lost", "Error"]);
  assert.match(trouble!.advice.join(), /could not be asked before an answer \(Error\)/);
  assert.match(metrics({ registry }).text(), /^stillfresh_live 0$/m);
  isLocked = false;
  await ask();
  assert.deepEqual([(await state()).state, (await state()).feeds[0]!.state], ["live", "live"]);
  assert.match(metrics({ registry }).text(), /^stillfresh_live 1$/m);
  await follower.close();
});

test("inspector: after the last feed was retired, the advice is to follow one", async () => {
  const { registry, follower, state } = siteWithFeed();
  await follower.close();
  registry.retire("blog");
  const { state: all, feeds, trouble } = await state();
  assert.deepEqual([all, feeds], ["suspended", []]);
  assert.match(trouble!.what, /the last feed was retired/);
  assert.match(trouble!.advice.join(), /^Call follow\(registry/);
});

test("inspector: a feed that a snapshot has brought is waited for, and was not closed", async () => {
  const { registry, follower, push } = siteWithFeed();
  await push();
  const restored = await EtagRegistry.restore(registry.snapshot(), { version: "1" });
  await follower.close();
  const inspect = inspector({ registry: restored });
  const { feeds: [feed], trouble } = (await told(await inspect(open(`${here}?events`)), () => true)).state;
  assert.deepEqual([feed!.name, feed!.state, feed!.lag, feed!.maxLag], ["blog", "starting", undefined, 0]);
  assert.match(trouble!.advice.join(), /"blog" comes from a snapshot, and is not followed yet/);
});

test("inspector: looking changes nothing of what is answered, kept and evicted", async () => {
  const random = new Random(7);
  const sides = [false, true].map((isLookedAt) => {
    const registry = new EtagRegistry({ manual: true, maxEntries: 20 });
    const site = withEtag(({ url, headers }: Request) => {
      const fields = {
        "etag": '"v"',
        "vary": "accept-language",
        "x-for": headers.get("accept-language") ?? "",
      };
      return new Response(url, { headers: { ...fields, ...dependsOn(new URL(url).pathname, "all") } });
    }, {
      registry,
      cacheStatus: "Stillfresh",
      caller: ({ headers }) => headers.get("x-user") ?? undefined,
    });
    return { registry, site, inspect: isLookedAt ? inspector({ registry }) : undefined };
  });
  const streams = sides.map(({ inspect }) => inspect?.(open(`${here}?events`)));
  for (let step = 0; step < 1_500; step++) {
    const path = `/${random.integer(1, 40)}`;
    const headers: Record<string, string> = {
      "accept-language": random.pick(["de", "en"]),
      ...random.chance(0.3) ? { "x-user": random.pick(["a", "b"]) } : {},
      ...random.chance(0.6) ? { "if-none-match": '"v"' } : {},
    };
    const deed = random.next();
    const answers = await Promise.all(sides.map(async ({ registry, site, inspect }) => {
      if (deed < 0.05) registry.invalidate(path);
      else if (deed < 0.07) registry.delete(`http://localhost${path}`);
      const response = await site(open(`http://localhost${path}`, headers));
      if (inspect !== undefined && step % 10 === 0) await found(inspect, "group", path);
      return [response.status, response.headers.get("cache-status"), registry.size, registry.stats];
    }));
    assert.deepEqual(answers[0], answers[1], `step ${step}`);
  }
  const { hit, evicted } = sides[0]!.registry.stats;
  assert.ok(hit > 50 && evicted > 200, `${hit} hits, ${evicted} evicted`);
  await (await streams[1])!.body!.cancel();
});
