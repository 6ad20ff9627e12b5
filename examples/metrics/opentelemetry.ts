/**
 * What the registry counts as instruments of OpenTelemetry, and a span of each request that says why it was answered as
 * it was.
 *
 *     deno run -A examples/metrics/opentelemetry.ts     or     bun …, node … (24)
 *
 * It serves two notes at http://127.0.0.1:8000/milk and /tea, or on another `PORT`. The program only uses `@opentelemetry/api`. Where the numbers and spans go is for the SDK that it is started with:
 * `OTEL_DENO=true deno run …`, or `node --import @opentelemetry/auto-instrumentations-node/register …`. In a program of
 * your own, `../../mod.ts` is `@stillfresh/etag`.
 */
import process from "node:process";
import {
  type Attributes,
  type Meter,
  metrics as api,
  SpanKind,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";
import { type MetricFamily, metrics, type MetricsHandler } from "../../src/metrics/metrics.ts";
import { serve } from "../blog/serve.ts";

/**
 * Makes an observable instrument of each counter and gauge: they are read when the SDK asks, and not before. The time of
 * handlers is a histogram, which can only be recorded: the spans have it.
 */
export function observe(meter: Meter, counted: MetricsHandler): void {
  const readable = ({ type }: MetricFamily) => type !== "histogram";
  const instruments = new Map(
    counted.families().filter(readable).map(({ name, type, help: description, unit }) => {
      const options = { description, unit: unit === "seconds" ? "s" : unit === "bytes" ? "By" : "1" };
      return [
        name,
        type === "counter"
          ? meter.createObservableCounter(name, options)
          : meter.createObservableGauge(name, options),
      ] as const;
    }),
  );
  meter.addBatchObservableCallback((result) => {
    // A feed that was followed since has samples in its families, which had an instrument before.
    for (const { name, samples } of counted.families()) {
      const instrument = instruments.get(name);
      if (instrument === undefined) continue;
      for (const { value, labels } of samples) {
        if (value < Infinity) result.observe(instrument, value, labels);
      }
    }
  }, [...instruments.values()]);
}

/** A fetch handler each of whose requests is a span, which has the reasons of `Cache-Status` as attributes. */
export function traced(
  tracer: Tracer,
  handler: (request: Request) => Response | Promise<Response>,
): (request: Request) => Promise<Response> {
  return (request) =>
    tracer.startActiveSpan(request.method, { kind: SpanKind.SERVER }, async (span) => {
      span.setAttribute("http.request.method", request.method);
      try {
        const response = await handler(request);
        span.setAttribute("http.response.status_code", response.status);
        span.setAttributes(reasonsIn(response.headers.get("cache-status")));
        return response;
      } catch (error) {
        span.recordException(error as Error);
        throw error;
      } finally {
        span.end();
      }
    });
}

/** What `Cache-Status` says (RFC 9211): the member of this cache is the last one. */
function reasonsIn(field: string | null): Attributes {
  if (field === null) return {};
  const [, detail = "hit"] = /; detail="?([a-z0-9, -]+)"?$/.exec(field) ?? [];
  const [reason, refusal] = detail.split(", ");
  return {
    "stillfresh.reason": reason,
    ...refusal === undefined ? {} : { "stillfresh.refusal": refusal },
    "stillfresh.stored": field.includes("; stored"),
  };
}

const registry = new EtagRegistry({ manual: true });
const notes = new Map([
  ["milk", { _id: "milk", _rev: "1", text: "Remember the milk.\n" }],
  ["tea", { _id: "tea", _rev: "1", text: "And the tea.\n" }],
]);

const site = withEtag((request: Request) => {
  const note = notes.get(new URL(request.url).pathname.slice(1));
  if (note === undefined) return new Response("There is no such note.\n", { status: 404 });
  return new Response(note.text, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
}, { registry, cacheStatus: "Stillfresh" });

observe(api.getMeter("site"), metrics({ registry }));

/** The site, each of whose requests is a span. */
export const handler: (request: Request) => Promise<Response> = traced(trace.getTracer("site"), site);

if (import.meta.main) {
  const { port } = await serve(handler, {
    hostname: "127.0.0.1",
    port: Number(process.env["PORT"] ?? "8000"),
  });
  console.log(`Notes: http://127.0.0.1:${port}/milk and http://127.0.0.1:${port}/tea`);
}
