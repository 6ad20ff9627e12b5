/** The OpenTelemetry example, with the SDK and exporters in memory. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { handler, observe, traced } from "../../examples/metrics/opentelemetry.ts";
import { metrics } from "../../src/metrics/metrics.ts";
import { PushedFeed } from "../support/feed.ts";

test("the OpenTelemetry example: instruments have what the metrics have, also of a feed that came later", async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 30 });
  const provider = new MeterProvider({ readers: [reader] });
  const registry = new EtagRegistry({ manual: true });
  const scrape = metrics({ registry });
  observe(provider.getMeter("test"), scrape);

  const site = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry });
  const etag = (await site(new Request("http://localhost/"))).headers.get("etag")!;
  await site(new Request("http://localhost/", { headers: { "if-none-match": etag } }));
  const follower = follow(registry, new PushedFeed(), { name: "notes" });
  await provider.forceFlush();

  const exported = exporter.getMetrics().flatMap(({ scopeMetrics }) =>
    scopeMetrics.flatMap(({ metrics }) => metrics)
  );
  const shown = Object.fromEntries(
    exported.flatMap(({ descriptor: { name }, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => [`${name} ${JSON.stringify(attributes)}`, value])
    ),
  );
  const wanted = Object.fromEntries(
    scrape.families().filter(({ type }) => type !== "histogram")
      .flatMap(({ name, samples }) =>
        samples.filter(({ value }) => value < Infinity)
          .map(({ labels, value }) => [`${name} ${JSON.stringify(labels)}`, value])
      ),
  );
  assert.deepEqual(shown, wanted);
  assert.equal(shown['stillfresh_feed_followed {"feed":"notes"}'], 1);
  assert.equal(shown['stillfresh_requests {"outcome":"hit"}'], 1);
  assert.equal(
    exported.find(({ descriptor }) => descriptor.name === "stillfresh_bytes")?.descriptor.unit,
    "By",
  );
  await follower.close();
  await provider.shutdown();
});

test("the OpenTelemetry example: a span of each request has its reason, and no URL", async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const site = withEtag((request: Request) => {
    if (request.url.endsWith("/throw")) throw new Error("thrown on purpose");
    const isKept = request.url.endsWith("/kept");
    return new Response("page", {
      headers: { ...dependsOn("post-1"), ...isKept ? {} : { "cache-control": "no-store" } },
    });
  }, { manual: true, cacheStatus: "Stillfresh" });
  const handler = traced(provider.getTracer("test"), site);

  const ask = (path: string, headers = {}) =>
    handler(new Request(`http://localhost/${path}?secret`, { headers }));
  const kept = (headers = {}) => handler(new Request("http://localhost/kept", { headers }));
  const etag = (await kept()).headers.get("etag")!;
  await kept({ "if-none-match": etag });
  await ask("never", { "if-none-match": etag });
  await assert.rejects(handler(new Request("http://localhost/throw")), /on purpose/);

  const spans = exporter.getFinishedSpans();
  assert.deepEqual(
    spans.map(({ attributes }) => [
      attributes["http.response.status_code"],
      attributes["stillfresh.reason"],
      attributes["stillfresh.refusal"],
      attributes["stillfresh.stored"],
    ]),
    [
      [200, "unconditional", undefined, true],
      [304, "hit", undefined, false],
      [200, "miss", "no-store", false],
      [undefined, undefined, undefined, undefined],
    ],
  );
  assert.equal(spans[3]!.events[0]?.name, "exception");
  assert.equal(
    JSON.stringify(spans.map(({ name, attributes }) => [name, attributes])).includes("secret"),
    false,
  );
});

test("the OpenTelemetry example: it serves without an SDK", async () => {
  const first = await handler(new Request("http://localhost/milk"));
  const headers = { "if-none-match": first.headers.get("etag")! };
  assert.equal((await handler(new Request("http://localhost/milk", { headers }))).status, 304);
});
