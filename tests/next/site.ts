/**
 * The example under test: its database, the gate before it, and a server of Next.
 *
 * @module
 */
import assert from "node:assert/strict";
import { setTimeout as wait } from "node:timers/promises";
import { startDatabase } from "../../examples/blog/database.ts";
import { FeedGate } from "./feed_gate.ts";
import type { NextProject, NextServer } from "./project.ts";

/** The page under test. */
const PATH = "/notes/milk";
/** After so many ms, what has not come is taken for something that never will. */
const PATIENCE = 120_000;

/** Asks until the answer is neither undefined nor false, and gives it. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const start = performance.now();
  while (performance.now() - start < PATIENCE) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    await wait(50);
  }
  throw new Error(`${what}: not within ${PATIENCE / 1000} s`);
}

/** An answer to a GET of the note. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  /** The name of the cache in `Cache-Status`, and what it says. */
  readonly cacheName: string;
  readonly cacheStatus: string;
}

/** The example, with one note in its database. */
export class Site {
  readonly gate: FeedGate;
  readonly server: NextServer;
  readonly #database: string;
  /** With connections of its own: Next waits for those that are open before it ends. */
  readonly #client: Deno.HttpClient = Deno.createHttpClient({});

  private constructor(database: string, gate: FeedGate, server: NextServer) {
    this.#database = database;
    this.gate = gate;
    this.server = server;
  }

  /** Calls `use` with the example as it is served, and ends everything when that is settled. */
  static async with(
    project: NextProject,
    command: "start" | "dev",
    use: (site: Site) => Promise<void>,
  ): Promise<void> {
    const database = await startDatabase();
    await fetch(`${database.url}/notes`, { method: "PUT" });
    const gate = new FeedGate(database.url);
    try {
      const server = await project.serve(command, { COUCHDB_URL: `${gate.url}/notes` });
      const site = new Site(database.url, gate, server);
      try {
        await site.edit("Remember the milk.");
        await use(site);
      } catch (error) {
        console.log(server.output);
        throw error;
      } finally {
        site.#client.close();
        await server.stop();
      }
    } finally {
      await gate.close();
      await database.close();
    }
  }

  /** Asks Next. */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.server.url}${path}`, { ...init, client: this.#client });
  }

  /** Asks for the note, on the condition that it is another than the one of this tag. */
  async ask(etag?: string): Promise<Answer> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const response = await this.fetch(PATH, { headers });
    const { status, headers: fields } = response;
    const [, cacheName = "", cacheStatus = ""] = /^(\w+); (.*)/.exec(fields.get("cache-status") ?? "") ?? [];
    return { status, headers: fields, body: await response.text(), cacheName, cacheStatus };
  }

  /** The tag of the note, as soon as the registry confirms it. */
  confirmedTag(): Promise<string> {
    return eventually("a tag that the registry confirms", async () => {
      const etag = (await this.ask()).headers.get("etag") ?? undefined;
      return (await this.ask(etag)).cacheStatus === "hit" && etag;
    });
  }

  /** Writes the note past Next. Returns when that was done, on the clock of `performance`. */
  async edit(text: string): Promise<number> {
    const url = `${this.#database}${PATH}`;
    const { _rev } = await (await fetch(url)).json() as { readonly _rev?: string };
    const written = await fetch(url, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ _rev, text }),
    });
    assert.equal(written.status, 201, await written.text());
    return performance.now();
  }

  /** Sends the form of the page to its server action, as a browser without scripts does. */
  async save(text: string): Promise<void> {
    const page = await (await this.fetch("/")).text();
    const form = new FormData();
    form.set(/\$ACTION_ID_[0-9a-f]+/.exec(page)![0], "");
    form.set("id", "milk");
    form.set("text", text);
    const headers = { origin: this.server.url };
    const response = await this.fetch("/", { method: "POST", body: form, headers });
    assert.equal(response.status, 200, await response.text());
  }

  /**
   * Asks with a tag that an edit has made untrue until it is not confirmed any more.
   *
   * A confirmation says how things were at the last contact with the database, never longer ago than `maxLag`. So one
   * that was asked for later than `maxLag` after the edit is wrong, however slow this machine is.
   */
  refusal(etag: string, editedAt: number, maxLag: number): Promise<Answer> {
    return eventually("an answer other than 304", async () => {
      const lag = performance.now() - editedAt;
      const answer = await this.ask(etag);
      assert.ok(
        answer.status !== 304 || lag <= maxLag,
        `confirmed ${lag.toFixed(0)} ms after the edit: ${answer.cacheStatus}`,
      );
      return answer.status !== 304 && answer;
    });
  }
}
