/** Three processes of the demo behind one nginx, over one database, and clients that ask through it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sampleAuthors, samplePosts } from "../../examples/blog/sample.ts";
import { seed } from "../../examples/blog/seed.ts";
import { type Copy, readCopy } from "../chaos/copy.ts";
import { Ledger } from "../chaos/ledger.ts";
import { Writers } from "../chaos/writers.ts";
import { target, type TestDatabase } from "../examples/database_support.ts";
import { Random } from "../simulation/random.ts";
import { startNginx } from "../support/nginx.ts";
import { freePort } from "../support/server_program.ts";
import { Instance } from "./instance.ts";

const posts = 40;
const authors = 8;

/** An answer that came through nginx. */
export interface Answer {
  readonly response: Response;
  readonly text: string;
  /** The port of whoever answered. */
  readonly upstream: number;
}

/** All of it. */
export class Site {
  readonly instances: readonly Instance[];
  readonly ledger: Ledger = new Ledger();
  readonly writers: Writers;
  readonly #origin: string;
  readonly #database: TestDatabase;
  /** When each instance, by port, was last known to be in touch with the database. */
  readonly #contacts: Map<number, number> = new Map();

  constructor(origin: string, database: TestDatabase, instances: readonly Instance[], random: Random) {
    this.instances = instances;
    this.#origin = origin;
    this.#database = database;
    const through = (request: Request) => {
      const { pathname } = new URL(request.url);
      return fetch(new Request(`http://127.0.0.1:${instances[0]!.port}${pathname}`, request));
    };
    const documents = [...samplePosts(posts, authors), ...sampleAuthors(authors)];
    this.writers = new Writers(database, through, this.ledger, random, documents);
  }

  /** The addresses of all posts, newest first, and of their lists. */
  get paths(): readonly string[] {
    const ids = samplePosts(posts, authors).map(({ _id }) => _id).toReversed();
    return ["/", ...ids.slice(0, 8).flatMap((id) => [`/posts/${id}`, `/api/posts/${id}`])];
  }

  async ask(path: string, etag?: string): Promise<Answer> {
    const headers: Record<string, string> = etag === undefined ? {} : { "if-none-match": etag };
    const response = await fetch(`${this.#origin}${path}`, { headers });
    const text = await response.text();
    return { response, text, upstream: Number(response.headers.get("x-upstream")?.split(":").pop()) };
  }

  /** As many answers as there are instances, each from another. */
  async everywhere(path: string, etag?: string): Promise<Map<number, Answer>> {
    const answers = new Map<number, Answer>();
    for (let tries = 0; answers.size < this.instances.length; tries++) {
      if (tries > 30) throw new Error(`only ${[...answers.keys()]} answer`);
      const answer = await this.ask(path, etag);
      answers.set(answer.upstream, answer);
    }
    return answers;
  }

  copyOf(path: string, { response, text }: Answer): Copy {
    return readCopy(path, response.headers.get("etag")!, text, (post) => this.writers.authorOf(post));
  }

  /** What the database had acknowledged by now, an instance must have heard of. */
  contact(upstream: number): number {
    return this.#contacts.get(upstream) ?? -Infinity;
  }

  /** Asks all instances how long ago they were in touch. One that is away keeps what it said last. */
  async touch(): Promise<void> {
    await Promise.all(this.instances.map(async (instance) => {
      const asked = performance.now();
      try {
        const { live, lag } = await instance.stats();
        if (live) this.#contacts.set(instance.port, asked - lag);
      } catch {
        // Not there now.
      }
    }));
  }

  /** Resolves when all instances have heard of everything. */
  async settled(): Promise<void> {
    const { update_seq } = await (await this.#database.ask("")).json() as { readonly update_seq: unknown };
    for (const instance of this.instances) {
      for (const limit = performance.now() + 10_000;;) {
        const { live, since } = await instance.stats();
        if (live && changesIn(since) === changesIn(update_seq)) break;
        if (performance.now() > limit) {
          throw new Error(`${instance.port} is at ${since}, not at ${update_seq}`);
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    }
  }
}

/** CouchDB spells one position in many ways; the number in front is the sum over the shards. */
function changesIn(seq: unknown): string {
  return String(seq).split("-", 1)[0]!;
}

/** Starts everything, and ends it. */
export async function withSite(body: (site: Site) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "instances-"));
  const database = await target.open();
  const ports = [await freePort(), await freePort(), await freePort()];
  const instances = ports.map((port) => new Instance(port, database.url.href, join(folder, `${port}.json`)));
  try {
    await seed(database.url, { posts, authors });
    await Promise.all(instances.map((instance) => instance.start()));
    const nginx = await startNginx(ports);
    try {
      const site = new Site(nginx.origin, database, instances, new Random(20261122));
      const { rows } = await (await database.ask("/_all_docs")).json() as {
        readonly rows: readonly { readonly id: string; readonly value: { readonly rev: string } }[];
      };
      for (const { id, value } of rows) site.ledger.found(id, value.rev);
      await body(site);
    } finally {
      await nginx.close();
    }
  } finally {
    await Promise.all(instances.map((instance) => instance.stop("SIGTERM")));
    await database.close();
    await rm(folder, { recursive: true });
  }
}
