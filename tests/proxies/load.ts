/**
 * Readers and edits of a site behind a cache: what reached the site, how often its handler ran, and whether an answer was
 * older than the freshness that its header gave the cache.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";
import http from "node:http";
import { dependsOn, EtagRegistry, follow, ownFeed, withEtag } from "../../mod.ts";
import { serve } from "../support/http.ts";
import type { ServerProgram } from "../support/server_program.ts";

/** What is asked, and how often. */
export interface Plan {
  readonly pages: number;
  readonly requests: number;
  readonly edits: number;
  /** Over which the requests are spread. */
  readonly seconds: number;
  readonly cacheControl: string;
  readonly seed: number;
}

/** What came of it. */
export interface Figures {
  readonly requests: number;
  /** Of the requests, those that reached the site. */
  readonly reached: number;
  /** Of those, the ones with an `If-None-Match`. */
  readonly conditional: number;
  /** 304s of the site. */
  readonly notModified: number;
  readonly handlerRuns: number;
  /** 304s that the clients got. */
  readonly confirmed: number;
  /** Answers that were older than the database when they were asked for. */
  readonly old: number;
  /** ms by which the oldest of them was. */
  readonly oldest: number;
  /** Answers that were older than the cache's rule allows, or wrong in another way. */
  readonly wrong: readonly string[];
}

/** ms that caches round a freshness up by: they count in whole seconds. */
const ROUNDING = 1_000;

/** The freshness, in ms, that a header gives to a shared cache (RFC 9111 §4.2.1). */
export function freshness(cacheControl: string): number {
  if (/no-cache|no-store|private/.test(cacheControl)) return 0;
  const seconds = /s-maxage=(\d+)/.exec(cacheControl) ?? /max-age=(\d+)/.exec(cacheControl);
  return Number(seconds?.[1] ?? 0) * 1_000;
}

/** Draws from 0 up to 1 (mulberry32). */
function random(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** A site of pages that can be edited, with counters. */
export class Site {
  readonly #versions = new Map<string, number>();
  /** When each version was replaced, by page. */
  readonly #replaced = new Map<string, number[]>();
  #report: (change: { id: string }) => void = () => {};
  readonly registry: EtagRegistry = new EtagRegistry();
  readonly #cacheControl: string;
  reached = 0;
  conditional = 0;
  notModified = 0;
  handlerRuns = 0;
  readonly fetch: (request: Request) => Promise<Response>;

  constructor(cacheControl: string) {
    this.#cacheControl = cacheControl;
    const handler = withEtag((request: Request) => this.#page(request), { registry: this.registry });
    this.fetch = async (request) => {
      // What waits for the cache to be up asks for another address.
      if (!new URL(request.url).pathname.startsWith("/page-")) return new Response("up");
      this.reached++;
      if (request.headers.has("if-none-match")) this.conditional++;
      const response = await handler(request);
      if (response.status === 304) this.notModified++;
      return response;
    };
  }

  async follow(): Promise<() => Promise<void>> {
    const feed = ownFeed(({ change }) => void (this.#report = change), { onlyWriter: true });
    const follower = follow(this.registry, feed);
    await follower.ready;
    return () => follower.close();
  }

  async #page(request: Request): Promise<Response> {
    this.handlerRuns++;
    const id = new URL(request.url).pathname.slice(1);
    const version = this.versionOf(id);
    // A handler takes its time, in which the page may be edited.
    await sleep(2);
    const text = `${id} ${version}\n${"A line of the page.\n".repeat(100)}`;
    return new Response(text, {
      headers: {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": this.#cacheControl,
        ...dependsOn({ _id: id, _rev: `${version}-abc` }),
      },
    });
  }

  versionOf(id: string): number {
    return this.#versions.get(id) ?? 1;
  }

  /** Resolves once the edit has been reported. */
  async edit(id: string): Promise<void> {
    this.#versions.set(id, this.versionOf(id) + 1);
    this.#report({ id });
    await sleep(0);
    const replaced = this.#replaced.get(id) ?? [];
    replaced.push(performance.now());
    this.#replaced.set(id, replaced);
  }

  /** ms by which a version was old at a moment; 0 or less: it was not. */
  ageOf(id: string, version: number, moment: number): number {
    const replaced = this.#replaced.get(id)?.[version - 1];
    return replaced === undefined ? -Infinity : moment - replaced;
  }
}

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  /** The first line of the page. */
  readonly line: string;
}

/** Over a connection of its own: one that the cache closes while it is used again would be a fault of the test. */
function ask(url: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    http.get(url, { headers, agent: false }, (incoming) => {
      const pieces: Uint8Array[] = [];
      incoming.on("data", (piece: Uint8Array) => pieces.push(piece));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const body = Buffer.concat(pieces);
        // A 304 may name the coding of the body that it has not.
        const isCoded = body.length > 0 && incoming.headers["content-encoding"] === "gzip";
        try {
          const [line = ""] = (isCoded ? gunzipSync(body) : body).toString().split("\n");
          resolve({ status: incoming.statusCode ?? 0, etag: incoming.headers.etag, line });
        } catch (error) {
          reject(error);
        }
      });
    }).on("error", reject);
  });
}

/** A cache in front of a site of its own, which readers and edits are let loose on. */
export class Load {
  readonly #site: Site;
  readonly #plan: Plan;
  readonly #cache: ServerProgram;
  readonly #closers: readonly (() => Promise<void>)[];
  /** What a client has, by page and coding: its tag, and the version that it stands for. */
  readonly #copies = new Map<string, { etag: string; version: number }>();
  readonly #wrong: string[] = [];
  #old = 0;
  #oldest = 0;
  #confirmed = 0;

  private constructor(
    site: Site,
    plan: Plan,
    cache: ServerProgram,
    closers: readonly (() => Promise<void>)[],
  ) {
    this.#site = site;
    this.#plan = plan;
    this.#cache = cache;
    this.#closers = closers;
  }

  /** @param start Starts the cache in front of the site at a port. */
  static async open(start: (port: number) => Promise<ServerProgram>, plan: Plan): Promise<Load> {
    const site = new Site(plan.cacheControl);
    const unfollow = await site.follow();
    const server = await serve(site.fetch);
    try {
      const cache = await start(Number(new URL(server.url).port));
      return new Load(site, plan, cache, [cache.close, server.close, unfollow]);
    } catch (error) {
      await server.close();
      await unfollow();
      throw error;
    }
  }

  /** Runs the plan, and closes all. */
  async run(): Promise<Figures> {
    const { pages, requests, edits, seconds, seed } = this.#plan;
    const draw = random(seed);
    try {
      const begin = performance.now();
      const reads: Promise<void>[] = [];
      let id = "";
      for (let i = 0; i < requests; i++) {
        const isEdit = (i + 1) % Math.floor(requests / edits) === 0;
        // The page that was read last, so that the cache has just kept it, and is asked for it again.
        const next = `page-${Math.floor(draw() * pages)}`;
        if (!isEdit) id = next;
        const [isGzip, isConditional] = [draw() < 0.5, draw() < 0.6];
        const wait = begin + (i / requests) * seconds * 1_000 - performance.now();
        if (wait > 0) await sleep(wait);
        if (isEdit) await this.#site.edit(id);
        reads.push(
          this.#read(id, isGzip, isConditional).catch((error) => void this.#wrong.push(`${id}: ${error}`)),
        );
      }
      await Promise.all(reads);
    } finally {
      await this.close();
    }
    const { reached, conditional, notModified, handlerRuns } = this.#site;
    const [confirmed, old, oldest, wrong] = [this.#confirmed, this.#old, this.#oldest, this.#wrong];
    return { requests, reached, conditional, notModified, handlerRuns, confirmed, old, oldest, wrong };
  }

  async close(): Promise<void> {
    for (const close of this.#closers) await close();
  }

  async #read(id: string, isGzip: boolean, isConditional: boolean): Promise<void> {
    const name = `${id}${isGzip ? ", gzip" : ""}`;
    const copy = isConditional ? this.#copies.get(name) : undefined;
    const asked = performance.now();
    const { status, etag, line } = await ask(`${this.#cache.origin}/${id}`, {
      ...isGzip ? { "accept-encoding": "gzip" } : {},
      ...copy === undefined ? {} : { "if-none-match": copy.etag },
    });
    let version = Number(line.split(" ")[1]);
    if (status === 304) {
      if (copy === undefined) return void this.#wrong.push(`${name}: a 304 that was not asked for`);
      this.#confirmed++;
      version = copy.version;
    } else if (status !== 200 || line !== `${id} ${version}` || etag === undefined) {
      return void this.#wrong.push(`${name}: ${status} ${line} ${etag}`);
    } else this.#copies.set(name, { etag, version });
    this.#judge(name, this.#site.ageOf(id, version, asked), status);
  }

  #judge(name: string, age: number, status: number): void {
    if (age <= 0) return;
    this.#old++;
    this.#oldest = Math.max(this.#oldest, age);
    const allowed = freshness(this.#plan.cacheControl);
    if (age <= (allowed === 0 ? 0 : allowed + ROUNDING)) return;
    this.#wrong.push(`${name}: ${age.toFixed(0)} ms old, status ${status}`);
  }
}

/** Opens all of them, one after the other, and runs them at once: they mostly wait. By name. */
export async function runAll(
  loads: Readonly<Record<string, () => Promise<Load>>>,
): Promise<Record<string, Figures>> {
  const opened: [string, Load][] = [];
  try {
    for (const [name, open] of Object.entries(loads)) opened.push([name, await open()]);
  } catch (error) {
    for (const [, load] of opened) await load.close();
    throw error;
  }
  const run = opened.map(async ([name, load]) => [name, await load.run()] as const);
  return Object.fromEntries(await Promise.all(run));
}
