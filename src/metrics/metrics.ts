/**
 * Metrics for Prometheus and whatever reads its formats: how requests ended and why, what is kept, how each feed is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, withEtag } from "@stillfresh/etag";
 * import { metrics } from "@stillfresh/etag/metrics";
 *
 * const registry = new EtagRegistry({ manual: true });
 * const site = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry });
 * const scrape = metrics({ registry });
 *
 * const etag = (await site(new Request("http://localhost/"))).headers.get("etag")!;
 * await site(new Request("http://localhost/", { headers: { "if-none-match": etag } }));
 * assert.match(scrape.text(), /^stillfresh_requests_total\{outcome="hit"\} 1$/m);
 * ```
 *
 * @module
 */
import { refuseContext } from "../http/refuse_context.ts";
import { coreOf, isRegistry, type RegistryCore } from "../registry/core.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { formatFor } from "./accept.ts";
import { mediaTypes, type MetricsFormat, writeFamilies } from "./exposition.ts";
import { type MetricFamily, readFamilies } from "./families.ts";

export type { MetricsFormat } from "./exposition.ts";
export type { MetricFamily, MetricSample } from "./families.ts";

/** Of what metrics are given. */
export interface MetricsOptions {
  /** The registry, with all its feeds; or several by name, which becomes the label `registry`. */
  readonly registry: EtagRegistry | Readonly<Record<string, EtagRegistry>>;
}

/** A fetch handler that answers with the metrics as text. */
export interface MetricsHandler {
  /** Answers a GET or HEAD, in the format that `Accept` asks for; any other method gets 405. */
  (request: Request): Response;
  /** The text; default `"openmetrics"`. */
  text(format?: MetricsFormat): string;
  /** The same as data, for other systems of metrics: all families, those that have no sample yet too. */
  families(): MetricFamily[];
}

/**
 * Gives what registries and their feeds have counted, as text for Prometheus: a fetch handler to mount at `/metrics`,
 * behind the access check or on a port of its own. Nothing is counted for it that is not counted anyway. No URL, no
 * cookie and no id of a document appears: labels are reasons, and the names of registries and feeds.
 *
 * Each request that has ended counts once in `stillfresh_requests_total`, so its sum over all outcomes is the number of
 * requests, and the share of `hit` in it is exact.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { EtagRegistry, follow, ownFeed } from "@stillfresh/etag";
 * import { metrics } from "@stillfresh/etag/metrics";
 *
 * const registry = new EtagRegistry();
 * await using follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }), { name: "notes" });
 * await follower.ready;
 *
 * const scrape = metrics({ registry });
 * const response = scrape(new Request("http://localhost/metrics"));
 * assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
 * assert.match(await response.text(), /^stillfresh_feed_live\{feed="notes"\} 1$/m);
 * ```
 *
 * @param options The registry, or several by name.
 * @returns The handler; its `text()` gives the same without a request.
 * @throws {TypeError} If there is no registry, an empty name, or one registry twice.
 * @see https://prometheus.io/docs/specs/om/open_metrics_spec/
 */
export function metrics(options: MetricsOptions): MetricsHandler {
  const cores = coresOf(options?.registry, options);
  const families = () => readFamilies(cores);
  const text = (format: MetricsFormat = "openmetrics") => writeFamilies(families(), format);
  const handle = (request: Request): Response => {
    const { method, headers } = requireRequest(request);
    if (method !== "GET" && method !== "HEAD") {
      return new Response(null, { status: 405, headers: { "allow": "GET, HEAD" } });
    }
    const format = formatFor(headers.get("accept"));
    return new Response(method === "HEAD" ? null : text(format), {
      headers: { "content-type": mediaTypes[format], "cache-control": "no-store", "vary": "Accept" },
    });
  };
  return Object.assign(handle, { text, families });
}

/** @throws {TypeError} If this is a framework's context, in the place of the request in it. */
function requireRequest(value: Request): Request {
  if (typeof value?.method === "string" && typeof value.headers?.get === "function") return value;
  refuseContext("The handler of metrics() takes a Request", value, "Hono: (c) => scrape(c.req.raw)");
}

function coresOf(registry: MetricsOptions["registry"], options: unknown): ReadonlyMap<string, RegistryCore> {
  if (isRegistry(options)) throw new TypeError("metrics() takes { registry }, not an EtagRegistry by itself");
  if (isRegistry(registry)) return new Map([["", coreOf(registry as EtagRegistry)]]);
  if (typeof registry !== "object" || registry === null) {
    throw new TypeError(
      `metrics() takes { registry }, an EtagRegistry or several by name, not ${String(registry)}`,
    );
  }
  const named = Object.entries(registry);
  if (named.length === 0) throw new TypeError("metrics() takes a registry or several, and was given none");
  const cores = new Map(named.map(([name, one]) => [name, coreOf(one)]));
  if (cores.has("")) throw new TypeError('metrics() takes registries by a name that says something, not ""');
  // What it has counted would count twice in each sum.
  if (new Set(cores.values()).size < cores.size) {
    throw new TypeError("metrics() was given one registry twice");
  }
  return cores;
}
