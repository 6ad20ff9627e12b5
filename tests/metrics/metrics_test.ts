/** The text of the metrics, the families that it has, and which format a client gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, EtagRegistry, follow, type Reason, reasonFamilies, withEtag } from "../../mod.ts";
import { feedResets } from "../../src/registry/feed_counters.ts";
import { metrics } from "../../src/metrics/metrics.ts";
import { SettableClock } from "../support/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";

const address = "http://site.example/metrics";

function get(accept?: string): Request {
  return new Request(address, { headers: accept === undefined ? {} : { accept } });
}

/** Samples of one family, with the values that they have. */
function samples(text: string, name: string): string[] {
  return text.split("\n").filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
}

test("metrics: each reason is one sample of one family, by its own name", () => {
  const labelled = metrics({ registry: new EtagRegistry() }).families().flatMap(({ name, samples }) =>
    samples.filter(({ suffix, labels }) =>
      suffix === "_total" && name !== "stillfresh_saved_bytes" && "feed" in labels === false
    )
      .map(({ labels }) => labels["reason"] ?? labels["outcome"])
      .filter((reason) => reason !== undefined)
  );
  assert.deepEqual(labelled.sort(), Object.keys(reasonFamilies).sort());
});

test("metrics: each family of reasons has the name of its family", () => {
  const prefixes = { lookup: "lookup_refusals", registration: "registration_refusals" } as const;
  const families = metrics({ registry: new EtagRegistry() }).families();
  for (const [reason, family] of Object.entries(reasonFamilies)) {
    if (family === "outcome") continue;
    const name = `stillfresh_${prefixes[family as keyof typeof prefixes] ?? `${family}s`}`;
    const found = families.find((one) => one.name === name);
    assert.ok(found?.samples.some(({ labels }) => labels["reason"] === reason), `${reason} in ${name}`);
  }
});

test("metrics: what a reason counts is what stats has", () => {
  const registry = new EtagRegistry({ manual: true });
  registry.clear();
  const counts: Record<string, number> = {};
  for (const { samples } of metrics({ registry }).families()) {
    for (const { labels, value } of samples) {
      const reason = labels["reason"] ?? labels["outcome"];
      if (reason !== undefined && reason in reasonFamilies) counts[reason] = value;
    }
  }
  // Beside its requests, an outcome has the bytes that it saved.
  assert.deepEqual(counts, { ...registry.stats });
});

test("metrics: OpenMetrics has its names, units and end", () => {
  const text = metrics({ registry: new EtagRegistry() }).text();
  assert.ok(text.endsWith("\n# EOF\n"));
  assert.match(
    text,
    /^# TYPE stillfresh_requests counter\n# HELP stillfresh_requests [^\n]+\nstillfresh_requests_total\{/,
  );
  assert.match(text, /\n# TYPE stillfresh_bytes gauge\n# UNIT stillfresh_bytes bytes\n/);
  assert.match(
    text,
    /\n# TYPE stillfresh_handler_seconds histogram\n# UNIT stillfresh_handler_seconds seconds\n/,
  );
  assert.match(text, /\nstillfresh_handler_seconds_bucket\{le="1\.0"\} 0\n/);
});

test("metrics: the older format names a counter with its suffix, and has neither unit nor end", () => {
  const text = metrics({ registry: new EtagRegistry() }).text("prometheus");
  assert.match(text, /^# TYPE stillfresh_requests_total counter\n# HELP stillfresh_requests_total /);
  assert.doesNotMatch(text, /# (?:UNIT|EOF)/);
});

test("metrics: no family is there twice, and each line of a family stands with its family", () => {
  const registry = new EtagRegistry();
  const lines = metrics({ registry }).text().split("\n").slice(0, -2);
  const types = lines.filter((line) => line.startsWith("# TYPE ")).map((line) => line.split(" ")[2]!);
  assert.equal(new Set(types).size, types.length);
  let family = "";
  for (const line of lines) {
    if (line.startsWith("# TYPE ")) family = line.split(" ")[2]!;
    else assert.ok(line.replace(/^# (?:UNIT|HELP) /, "").startsWith(family), line);
  }
});

const ACCEPTED: readonly (readonly [accept: string | undefined, format: "openmetrics" | "prometheus"])[] = [
  [undefined, "prometheus"],
  ["", "prometheus"],
  ["*/*", "prometheus"],
  ["text/html, */*;q=0.8", "prometheus"],
  ["application/openmetrics-text", "openmetrics"],
  ["APPLICATION/OpenMetrics-Text; Version=1.0.0", "openmetrics"],
  ['application/openmetrics-text;version="1.0.0"', "openmetrics"],
  ["application/openmetrics-text;version=2.0.0, */*", "prometheus"],
  ["application/openmetrics-text;version=2.0.0, application/*;q=0.9, text/plain;q=0.1", "openmetrics"],
  ["application/openmetrics-text, text/plain", "prometheus"],
  ["application/openmetrics-text;version=1.0.0, text/plain;q=0.9", "openmetrics"],
  ["application/openmetrics-text;q=0, */*", "prometheus"],
  ["application/openmetrics-text, */*", "openmetrics"],
  ["application/openmetrics-text;q=2, text/plain;q=0.1", "prometheus"],
  [
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;" +
    "q=0.5,text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    "openmetrics",
  ],
  ["text/plain;version=0.0.4;q=0.6,*/*;q=0.5", "prometheus"],
  [";;;,,=,q=1;q=;version", "prometheus"],
  ["image/png", "prometheus"],
];

for (const [accept, format] of ACCEPTED) {
  test(`metrics: Accept: ${accept ?? "(none)"}`, async () => {
    const scrape = metrics({ registry: new EtagRegistry() });
    const response = scrape(get(accept));
    const type = format === "openmetrics"
      ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
      : "text/plain; version=0.0.4; charset=utf-8";
    assert.equal(response.headers.get("content-type"), type);
    assert.equal(response.headers.get("vary"), "Accept");
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.equal(await response.text(), scrape.text(format));
  });
}

test("metrics: a HEAD has no content, another method gets 405", async () => {
  const scrape = metrics({ registry: new EtagRegistry() });
  const head = scrape(new Request(address, { method: "HEAD" }));
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  const post = scrape(new Request(address, { method: "POST" }));
  assert.deepEqual([post.status, post.headers.get("allow")], [405, "GET, HEAD"]);
});

test("metrics: several registries are told apart by a label, which is escaped, and add up", async () => {
  const registries = { 'a"\\\n': new EtagRegistry({ manual: true }), b: new EtagRegistry({ manual: true }) };
  for (const [visits, registry] of Object.values(registries).entries()) {
    // Two wrappers of one registry count together.
    for (let visit = 0; visit <= visits; visit++) {
      await withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry })(get());
    }
  }
  assert.deepEqual(samples(metrics({ registry: registries }).text(), "stillfresh_entries_added_total"), [
    'stillfresh_entries_added_total{registry="a\\"\\\\\\n"} 1',
    'stillfresh_entries_added_total{registry="b"} 2',
  ]);
});

test("metrics: a feed that is followed again goes on counting, a retired one is gone", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ now: clock.now, monotonic: clock.monotonic });
  const scrape = metrics({ registry });
  const feed = new PushedFeed();
  const push = async (id: string) => {
    const contact = clock.instant;
    feed.reader.push({ changes: [{ id }], position: { since: id, source: "s" }, state: "live", contact });
    await settled();
  };
  for (let times = 1; times <= 2; times++) {
    const follower = follow(registry, feed, { name: "notes" });
    await push("one");
    assert.deepEqual(samples(scrape.text(), "stillfresh_feed_changes_total"), [
      `stillfresh_feed_changes_total{feed="notes"} ${times}`,
    ]);
    await follower.close();
  }
  clock.advance(1_500);
  assert.deepEqual(samples(scrape.text(), "stillfresh_feed_lag_seconds"), [
    'stillfresh_feed_lag_seconds{feed="notes"} 1.5',
  ]);
  assert.deepEqual(samples(scrape.text(), "stillfresh_feed_followed"), [
    'stillfresh_feed_followed{feed="notes"} 0',
  ]);
  registry.retire("notes");
  assert.deepEqual(samples(scrape.text(), "stillfresh_feed_changes_total"), []);
});

test("metrics: before its first contact the lag of a feed is endless", async () => {
  const registry = new EtagRegistry();
  const follower = follow(registry, new PushedFeed());
  assert.deepEqual(samples(metrics({ registry }).text(), "stillfresh_feed_lag_seconds"), [
    'stillfresh_feed_lag_seconds{feed="changes"} +Inf',
  ]);
  await follower.close();
});

test("metrics: a reason of a reset that is none of the list counts as other", async () => {
  const registry = new EtagRegistry();
  const feed = new PushedFeed();
  const follower = follow(registry, feed);
  for (const reset of ["toString", "secret-of-the-source"]) {
    feed.reader.push({
      changes: [],
      position: undefined,
      state: "lost",
      contact: undefined,
      reset: reset as "purged",
    });
  }
  await settled();
  const resets = samples(metrics({ registry }).text(), "stillfresh_feed_resets_total");
  assert.equal(resets.length, Object.keys(feedResets).length);
  assert.deepEqual(resets.filter((line) => !line.endsWith(" 0")), [
    'stillfresh_feed_resets_total{feed="changes",reason="other"} 2',
  ]);
  await follower.close();
});

test("metrics: a handler that has not answered yet is running, and is counted when it ends", async () => {
  const clock = new SettableClock();
  const registry = new EtagRegistry({ manual: true, now: clock.now, monotonic: clock.monotonic });
  const scrape = metrics({ registry });
  let answer!: (response: Response) => void;
  const site = withEtag(() => new Promise<Response>((resolve) => answer = resolve), { registry });
  const pending = site(get());
  const running = () => samples(scrape.text(), "stillfresh_handlers_running");
  assert.deepEqual(running(), ["stillfresh_handlers_running 1"]);
  clock.advance(30);
  answer(new Response("page"));
  await pending;
  assert.deepEqual(running(), ["stillfresh_handlers_running 0"]);
  const buckets = samples(scrape.text(), "stillfresh_handler_seconds_bucket").map((line) =>
    Number(line.split(" ")[1])
  );
  assert.deepEqual(buckets, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(samples(scrape.text(), "stillfresh_handler_seconds_sum"), [
    "stillfresh_handler_seconds_sum 0.03",
  ]);
});

const BODIES:
  readonly (readonly [what: string, headers: Record<string, string>, hashBody: boolean, saved: number])[] = [
    ["of a stated length", { "content-length": "4000", ...dependsOn("post-1") }, false, 4_000],
    ["of no stated length", { ...dependsOn("post-1") }, false, 0],
    ["of a length that is none", { "content-length": "-4", ...dependsOn("post-1") }, false, 0],
    ["that was read for its hash", { ...dependsOn("post-1") }, true, 4_000],
  ];

for (const [what, headers, hashBody, saved] of BODIES) {
  test(`metrics: a hit saves the bytes of a response ${what}, and for a HEAD none`, async () => {
    const registry = new EtagRegistry({ manual: true });
    const site = withEtag(() => new Response("x".repeat(4_000), { headers }), { registry, hashBody });
    const etag = (await site(get())).headers.get("etag")!;
    for (const method of ["GET", "HEAD", "GET"]) {
      const { status } = await site(new Request(address, { method, headers: { "if-none-match": etag } }));
      assert.equal(status, 304);
    }
    assert.equal(registry.stats.hit, 3);
    const name = "stillfresh_saved_bytes_total";
    assert.equal(samples(metrics({ registry }).text(), name)[0], `${name}{outcome="hit"} ${2 * saved}`);
  });
}

test("metrics: with a bound, what came is what is there and what left", async () => {
  const registry = new EtagRegistry({ manual: true, maxEntries: 30, maxVariants: 2 });
  const site = withEtag((request: Request) => {
    const vary = request.headers.get("x-vary") ?? "";
    return new Response("page", { headers: { ...dependsOn("post-1"), ...vary === "" ? {} : { vary } } });
  }, { registry });
  for (let visit = 0; visit < 300; visit++) {
    const page = visit % 3 === 0 ? visit % 4 : visit % 41;
    const name = `x-${visit % 5}`;
    const headers: Record<string, string> = page < 4 ? { "x-vary": name, [name]: `${visit}` } : {};
    await site(new Request(`http://site.example/${page}`, { headers }));
    if (visit % 50 === 0) registry.invalidate("post-1");
    if (visit === 170) registry.clear();
  }
  const { stats } = registry;
  const departed = (Object.keys(stats) as Reason[]).filter((reason) => reasonFamilies[reason] === "departure")
    .reduce((sum, reason) => sum + stats[reason], 0);
  for (const reason of ["evicted", "vary-grew", "outdated", "replaced"] as const) {
    assert.ok(stats[reason] > 0, reason);
  }
  const value = (name: string) => Number(samples(metrics({ registry }).text(), name)[0]!.split(" ")[1]);
  assert.equal(
    value("stillfresh_entries_added_total"),
    registry.size + departed + value("stillfresh_entries_voided_total"),
  );
});

test("metrics: what a snapshot brings has come, and what it did not bring has not left", async () => {
  const first = new EtagRegistry({ version: "build-7" });
  const feed = new PushedFeed();
  const follower = follow(first, feed);
  feed.reader.push({
    ...{ changes: [], position: { since: 1, source: "s" }, state: "live" },
    contact: { wall: Date.now(), monotonic: performance.now() },
  });
  await settled();
  const site = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry: first });
  for (let page = 0; page < 5; page++) await site(new Request(`http://site.example/${page}`));
  const restored = await EtagRegistry.restore(first.snapshot(), { version: "build-7", maxEntries: 3 });
  await follower.close();
  assert.equal(restored.size, 3);
  const text = metrics({ registry: restored }).text();
  assert.deepEqual(samples(text, "stillfresh_entries_added_total"), ["stillfresh_entries_added_total 3"]);
  assert.deepEqual(samples(text, "stillfresh_departures_total").filter((line) => !line.endsWith(" 0")), []);
});

test("metrics: nothing that a client or a document says is in the text", async () => {
  const registry = new EtagRegistry({ manual: true });
  const secret = "s3cr3t";
  const site = withEtag((request: Request) => {
    if (request.url.endsWith("throw")) throw new Error(secret);
    return new Response(secret, { headers: { ...dependsOn(secret), "x-secret": secret } });
  }, { registry, caller: () => secret, current: () => ({ _id: secret, _rev: "1-a" }) });
  for (const method of ["GET", "HEAD", "PUT", "OPTIONS", "QUERY"]) {
    for (const path of [secret, `${secret}/throw`]) {
      const headers = {
        cookie: secret,
        "if-none-match": `"${secret}"`,
        "if-match": `"${secret}"`,
        host: secret,
      };
      const request = new Request(`http://site.example/${path}?${secret}`, { method, headers });
      await Promise.resolve().then(() => site(request)).catch(() => {});
    }
  }
  assert.equal(metrics({ registry: { site: registry } }).text().includes(secret), false);
});

/** What is given in the place of a request. */
const NO_REQUESTS: readonly (readonly [what: string, given: unknown])[] = [
  ["nothing", undefined],
  ["Hono's context", { req: { raw: new Request("http://localhost/metrics") } }],
  ["Node's request", { method: "GET", headers: { accept: "*/*" } }],
];

for (const [what, given] of NO_REQUESTS) {
  test(`metrics: ${what} is no Request, and the answer says what is`, () => {
    const scrape = metrics({ registry: new EtagRegistry() });
    assert.throws(() => scrape(given as Request), /takes a Request, not \[object .*c\.req\.raw/);
  });
}

const MISTAKES: readonly (readonly [what: string, given: unknown, message: RegExp])[] = [
  ["no options", undefined, /takes \{ registry \}.*undefined/],
  ["null in the place of options", null, /takes \{ registry \}.*undefined/],
  ["a registry in the place of options", new EtagRegistry(), /takes \{ registry \}, not an EtagRegistry/],
  ["nothing", {}, /takes \{ registry \}.*undefined/],
  ["null", { registry: null }, /takes \{ registry \}.*null/],
  ["no registry", { registry: {} }, /was given none/],
  ["what is no registry", { registry: { a: {} } }, /Expected an EtagRegistry/],
  ["an empty name", { registry: { "": new EtagRegistry() } }, /name that says something/],
];

for (const [what, given, message] of MISTAKES) {
  test(`metrics: ${what} is refused`, () => {
    assert.throws(() => metrics(given as Parameters<typeof metrics>[0]), message);
  });
}

test("metrics: one registry under two names is refused", () => {
  const registry = new EtagRegistry();
  assert.throws(() => metrics({ registry: { a: registry, b: registry } }), /one registry twice/);
});

test("metrics: an own feed that ended for good is followed no more", async () => {
  const registry = new EtagRegistry();
  const feed = new PushedFeed();
  const follower = follow(registry, feed, { onError: () => {} });
  feed.reader.fail(new Error("ended on purpose"));
  await settled();
  const text = metrics({ registry }).text();
  assert.deepEqual(samples(text, "stillfresh_feed_followed"), ['stillfresh_feed_followed{feed="changes"} 0']);
  assert.deepEqual(samples(text, "stillfresh_live"), ["stillfresh_live 0"]);
  await follower.close();
});
