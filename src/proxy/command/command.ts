/**
 * What the command does: it follows the database, serves the proxy, and ends in good order.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import { changes } from "../../couchdb/changes.ts";
import { coreOf } from "../../registry/core.ts";
import type { Decision } from "../../registry/decision.ts";
import { follow } from "../../registry/follow.ts";
import { EtagRegistry } from "../../registry/registry.ts";
import { metrics } from "../../metrics/metrics.ts";
import { hasPassed, requestFields } from "../fields.ts";
import { proxy } from "../proxy.ts";
import type { UpstreamFault } from "../upstream_fault.ts";
import { type CommandOptions, UsageError } from "./arguments.ts";
import type { Log } from "./log.ts";
import { nodeTransport } from "./node_transport.ts";
import { listen, type ListeningServer } from "./server.ts";
import { tunnel } from "./tunnel.ts";

/** A proxy that serves. */
export interface RunningProxy {
  readonly port: number;
  /** Of the metrics; undefined: there are none. */
  readonly metricsPort: number | undefined;
  readonly registry: EtagRegistry;
  /** Empties the registry: another build of the application has started. */
  reload(): void;
  /** Turns `ready` off, finishes what is under way, and ends. */
  stop(): Promise<void>;
}

/** Starts it; rejects where the address is taken. It serves before the feed is live: each request is passed on until then. */
export async function start(options: CommandOptions, log: Log): Promise<RunningProxy> {
  const { upstream, couchdb, hostname, name, groups, pass, callerCookie, maxLag } = options;
  const registry = new EtagRegistry();
  const transport = nodeTransport(upstream, options);
  const logsRequests = options.log === "requests";
  if (logsRequests) {
    coreOf(registry).observers.add((decision) => void (noted(decision.request).decision = decision));
  }

  const passes = (request: Request) =>
    pass.some((path) => request.url.startsWith(path, request.url.indexOf("/", 8)));
  const clientAddress = (_request: Request, incoming: IncomingMessage) => incoming.socket.remoteAddress;
  const handler = proxy<[IncomingMessage]>({
    ...{ upstream, registry, name, clientAddress, send: transport.send },
    trustForwarded: options.trustForwarded,
    onFault: (fault, request) => void (noted(request).fault = fault),
    ...pass.length === 0 ? {} : { passes },
    ...callerCookie === undefined ? {} : { caller: callerOf(callerCookie) },
  });

  const tell = (request: Request, status: number, isCut: boolean, ms?: number) => {
    const { decision, fault } = noted(request);
    if (!logsRequests && fault === undefined && !isCut) return;
    log.add({
      event: "request",
      method: request.method,
      path: pathOf(request.url),
      status,
      decision: decision?.reason,
      stored: decision?.stored,
      refusal: decision?.refusal,
      fault: fault?.error,
      cut: isCut || undefined,
      ms: ms === undefined ? undefined : Math.round(ms * 10) / 10,
    });
  };

  const server = await listen(handler, options, {
    onDone: (request, { status, isCut, ms }) => tell(request, status, isCut, ms),
    onUpgrade: (request, incoming, socket, head) => {
      const { pathname, search } = new URL(request.url);
      const headers = requestFields(request, {
        ...{ name, trustForwarded: options.trustForwarded, client: clientAddress(request, incoming) },
        evaluatesConditions: false,
      });
      if (hasPassed(request.headers, name)) {
        socket.end("HTTP/1.1 508 Loop Detected\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        return;
      }
      tunnel(socket, head, {
        ...{ origin: upstream, timeout: options.firstByteTimeout, target: pathname + search, headers },
        onAnswer: (status, fault) => {
          if (fault !== undefined) noted(request).fault = fault;
          tell(request, status, false);
        },
      });
    },
  });

  let scraped: ListeningServer | undefined;
  try {
    scraped = options.metrics === undefined ? undefined : await listenForScrapes(registry, options.metrics);
  } catch (error) {
    await server.close(0);
    transport.close();
    throw error;
  }

  let wasLive = false;
  let isEnding = false;
  const follower = follow(registry, changes(couchdb, { maxLag, onEvent: () => tellFeed() }), {
    maxLag,
    groups: ({ id }) => groups.filter(({ prefix }) => id.startsWith(prefix)).map(({ name }) => name),
    onError: (error) => log.add({ event: "feed-ended", error: (error as Error).message }),
  });
  const tellFeed = () => {
    if (isEnding || wasLive === registry.live) return;
    wasLive = registry.live;
    log.add({ event: "feed", live: wasLive });
  };
  follower.ready.then(tellFeed, () => {});
  const watch = setInterval(tellFeed, 1_000);
  log.add({
    ...{ event: "listening", address: hostname, port: server.port, upstream },
    database: new URL(couchdb).origin + couchdb.pathname,
  });

  let stopping: Promise<void> | undefined;
  const end = async () => {
    log.add({ event: "stopping" });
    handler.stop();
    await new Promise((resolve) => setTimeout(resolve, options.drain));
    await server.close(options.grace);
    await scraped?.close(0);
    isEnding = true;
    clearInterval(watch);
    await follower.close();
    transport.close();
    log.add({ event: "stopped", hits: registry.stats.hit });
    log.flush();
  };
  return {
    port: server.port,
    metricsPort: scraped?.port,
    registry,
    reload: () => {
      registry.clear();
      log.add({ event: "cleared" });
    },
    stop: () => stopping ??= end(),
  };
}

/**
 * Serves the metrics at an address of their own: what they say of the site is not for its visitors.
 *
 * @throws {UsageError} If the address is taken.
 */
async function listenForScrapes(
  registry: EtagRegistry,
  address: NonNullable<CommandOptions["metrics"]>,
): Promise<ListeningServer> {
  const scrape = metrics({ registry });
  const handler = (request: Request) =>
    new URL(request.url).pathname === "/metrics" ? scrape(request) : new Response(null, { status: 404 });
  return await listen(handler, address).catch((error) => {
    const { code } = error as { code?: string };
    if (code === undefined) throw error;
    throw new UsageError(`--metrics: cannot listen on ${address.hostname}:${address.port} (${code})`);
  });
}

/** What becomes of a request, on the object that the server made for it: a map of requests costs a hit more. */
function noted(request: Request): { decision?: Decision; fault?: UpstreamFault } {
  return request as { decision?: Decision; fault?: UpstreamFault };
}

/** A query may hold a secret. */
function pathOf(url: string): string {
  return url.slice(url.indexOf("/", 8)).replace(/\?[^]*$/, "");
}

/** The session of a request: the value of one cookie, unless something else may say who asks as well. */
export function callerOf(cookie: string): (request: Request) => string | undefined {
  return ({ headers }) => {
    const field = headers.get("cookie");
    if (field === null || headers.has("authorization")) return undefined;
    const values = field.split(";").map((pair) => pair.trim()).filter((pair) =>
      pair.startsWith(`${cookie}=`)
    );
    const value = values[0]?.slice(cookie.length + 1);
    // Two cookies of one name: which of them the application reads is not known.
    return values.length === 1 && value !== "" ? value : undefined;
  };
}
