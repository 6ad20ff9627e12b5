/**
 * A site over a SQLite file that four other processes write and are killed: each 304 of the registry is compared with what
 * the file held when it was asked. The file is replaced, emptied of its changes, and written past the triggers.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { dependsOn, EtagRegistry, follow, type Follower, row, rows, withEtag } from "../../mod.ts";
import { changes, migration, type PolledFeedEvent, type SqliteOpen } from "../../src/sqlite/changes.ts";
import { Random } from "../simulation/random.ts";
import { openSqlite, type WritableSqlite } from "../support/sqlite.ts";
import { AUTHORS, POSTS, SCHEMA } from "./ledger/schema.ts";
import { told, type Weakening } from "./weakened.ts";

/** How long, and with what. */
export interface Plan {
  readonly seed: number;
  readonly seconds: number;
  readonly weakening: Weakening | undefined;
  /** Goes on for longer, for at most half a minute, until there were so many 304s. Default 0. */
  readonly least?: number;
}

/** What came of it. */
export interface Outcome {
  readonly hits: number;
  /** 304s of the registry for a copy that the file did not hold any more when it was asked. */
  readonly wrong: readonly string[];
  /** Rows of which a reader of the feed was not told. */
  readonly lost: readonly string[];
  readonly written: number;
  readonly kills: number;
  readonly replaced: number;
  readonly bypasses: number;
  /** How often each event was told, resets by their reason. */
  readonly events: Readonly<Record<string, number>>;
}

const WRITERS = 4;
const MAX_LAG = 1_200;
const WRITER = fileURLToPath(new URL("./ledger/writer.ts", import.meta.url));
const FLAGS = "Deno" in globalThis ? ["run", "-A", "-q", "--no-check", "--node-modules-dir=manual"] : [];

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type Post = Readonly<Record<"id" | "author_id" | "slug" | "value", string | number | null>>;

/** The file, with connections that are opened again where it was replaced. */
class File {
  readonly folder: string = mkdtempSync(join(tmpdir(), "stillfresh-"));
  readonly path: string = join(this.folder, "site.db");
  /** When another file took its place. */
  replacedAt = -Infinity;
  writing!: WritableSqlite;
  #reading!: WritableSqlite;
  #post!: ReturnType<WritableSqlite["prepare"]>;
  #list!: ReturnType<WritableSqlite["prepare"]>;

  open(): void {
    this.writing = openSqlite(this.path);
    this.writing.exec("pragma synchronous = off");
    this.#reading = openSqlite(this.path);
    this.#post = this.#reading.prepare("select * from posts where id = ?");
    this.#list = this.#reading.prepare("select * from posts where author_id = ? order by id");
  }

  close(): void {
    this.writing.close();
    this.#reading.close();
  }

  /** What is at `/posts/7` or `/authors/5`. */
  read(path: string): readonly Post[] {
    const [, kind, id] = path.split("/");
    return (kind === "posts" ? this.#post : this.#list).all(Number(id)) as Post[];
  }

  all(): readonly Post[] {
    return this.writing.prepare("select * from posts").all() as Post[];
  }

  /** Another file takes its place, and all connections but those of feeds are opened again. */
  replace(copy: string): void {
    this.close();
    for (const end of ["-wal", "-shm"]) rmSync(`${this.path}${end}`, { force: true });
    renameSync(copy, this.path);
    this.open();
    this.replacedAt = performance.now();
  }
}

class Site {
  hits = 0;
  readonly wrong: string[] = [];
  readonly follower: Follower;
  readonly #file: File;
  readonly #fetch: (request: Request) => Response | Promise<Response>;
  readonly #copies: Map<string, { readonly etag: string; readonly body: string }> = new Map();

  constructor(file: File, feed: Parameters<typeof follow>[1]) {
    const registry = new EtagRegistry({ version: "ledger" });
    this.#file = file;
    this.follower = follow(registry, feed, { maxLag: MAX_LAG, onError: () => {} });
    this.#fetch = withEtag((request: Request) => {
      const path = new URL(request.url).pathname;
      const found = file.read(path);
      const isList = path.startsWith("/authors/");
      if (!isList && found.length === 0) return new Response("", { status: 404 });
      const declared = isList
        ? dependsOn(...rows("posts", found, { by: "author_id" }))
        : dependsOn(row("posts", found[0]!));
      return Response.json(found, { headers: { "cache-control": "public, no-cache", ...declared } });
    }, { registry, cacheStatus: "Stillfresh" });
  }

  async read(path: string): Promise<void> {
    const copy = this.#copies.get(path);
    const headers = copy === undefined ? {} : { "if-none-match": copy.etag };
    const asked = JSON.stringify(this.#file.read(path));
    // A 304 of the registry is synchronous, so that its contact is known.
    const answer = this.#fetch(new Request(`http://site${path}`, { headers }));
    const contact = performance.now() - this.follower.lag;
    const response = await answer;
    const etag = response.headers.get("etag");
    if (response.status === 200 && etag !== null) {
      this.#copies.set(path, { etag, body: await response.text() });
    }
    if (response.status !== 304 || response.headers.get("cache-status") !== "Stillfresh; hit") return;
    this.hits++;
    // Until the file has been opened anew, the feed speaks of the one before.
    if (copy!.body === asked || contact <= this.#file.replacedAt) return;
    this.wrong.push(`${path} was ${copy!.body}, and is ${asked}`);
  }
}

/** A copy of the table that is kept by the changes alone. */
class Mirror {
  readonly lost: string[] = [];
  readonly #file: File;
  readonly #reader: ReturnType<ReturnType<typeof changes>["batches"]>;
  #posts: Map<string, string> = new Map();
  #applied = 0;

  constructor(file: File, feed: ReturnType<typeof changes>) {
    this.#file = file;
    this.#reader = feed.batches();
    this.#readAll();
    void this.#run();
  }

  #readAll(): void {
    this.#posts = new Map(this.#file.all().map((post) => [`posts/${post.id}`, JSON.stringify(post)]));
  }

  async #run(): Promise<void> {
    let isFirst = true;
    for await (const { changes, reset } of this.#reader) {
      if (reset !== undefined || isFirst) this.#readAll();
      isFirst = false;
      for (const { id } of changes) {
        const [post] = /^posts\//.test(id) ? this.#file.read(`/${id}`) : [];
        if (post !== undefined) this.#posts.set(id, JSON.stringify(post));
        else this.#posts.delete(id);
      }
      this.#applied++;
    }
  }

  /** While nothing is written: what it has must be what is there, once it has looked again. */
  async check(): Promise<void> {
    const enough = this.#applied + 3;
    while (this.#applied < enough) await wait(2);
    const now = new Map(this.#file.all().map((post) => [`posts/${post.id}`, JSON.stringify(post)]));
    for (const id of new Set([...now.keys(), ...this.#posts.keys()])) {
      if (now.get(id) !== this.#posts.get(id)) {
        this.lost.push(`${id} is ${now.get(id)}, not ${this.#posts.get(id)}`);
      }
    }
    this.#readAll();
  }

  async close(): Promise<void> {
    await this.#reader.return?.();
  }
}

/** Runs it. */
export async function ledgerRun({ seed, seconds, weakening, least = 0 }: Plan): Promise<Outcome> {
  const random = new Random(seed);
  const file = new File();
  const events: Record<string, number> = {};
  const children: (ChildProcess | undefined)[] = [];
  let [kills, replaced, bypasses, written] = [0, 0, 0, 0];
  const made = openSqlite(file.path);
  made.exec("pragma journal_mode = wal");
  made.exec(SCHEMA);
  made.close();
  file.open();
  file.writing.exec(
    migration({ posts: { key: ["id"], groups: ["author_id"] } }, () => openSqlite(file.path)).up,
  );
  const needed = file.writing.prepare("select name, sql from sqlite_master where type = 'trigger'").all();
  if (weakening?.spoil !== undefined) file.writing.exec(weakening.spoil);

  const open: SqliteOpen = told((found, text) =>
    weakening?.spoil !== undefined && /from sqlite_master where type = 'trigger'/.test(text)
      ? needed as typeof found
      : found
  )(() => openSqlite(file.path));
  const feed = (onEvent: (event: PolledFeedEvent) => void = () => {}) =>
    changes((weakening?.open ?? ((same) => same))(open), {
      tables: ["posts"],
      poll: 5,
      maxLag: MAX_LAG,
      onEvent,
    });
  const weaker = weakening?.feed ?? ((same) => same);
  const site = new Site(
    file,
    weaker(feed((event) => {
      const name = event.type === "reset" ? `reset ${event.reason}` : event.type;
      events[name] = (events[name] ?? 0) + 1;
    })),
  );
  const mirror = new Mirror(file, feed());

  const end = performance.now() + seconds * 1_000;
  const goesOn = () => {
    const now = performance.now();
    if (now >= end && (site.hits >= least || now >= end + 30_000)) return false;
    return weakening === undefined || site.wrong.length + mirror.lost.length === 0;
  };
  const start = (at: number) =>
    children[at] = spawn(process.execPath, [...FLAGS, WRITER, file.path], { stdio: "ignore" });
  const kill = async (at: number): Promise<void> => {
    const child = children[at];
    if (child === undefined) return;
    children[at] = undefined;
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) {
      await new Promise((resolve) => child.once("exit", resolve));
    }
    kills++;
  };
  const write = (text: string) => (file.writing.exec(text), written++);
  const burst = (times: number) => {
    for (let n = 0; n < times; n++) {
      const id = random.integer(0, POSTS - 1);
      write(
        `insert or replace into posts values (${id}, ${id % AUTHORS}, 'burst${id}', 'm${seed}-${written}')`,
      );
    }
  };

  /** A write that no trigger sees. */
  function bypass(): void {
    const [{ sql }] = needed.filter((trigger) =>
      (trigger as { name: string }).name === "stillfresh_1_update"
    ) as [
      { sql: string },
    ];
    write(
      `begin immediate; drop trigger stillfresh_1_update; update posts set value = 'b${seed}-${written}' where id % 3 = 0; ${sql}; commit`,
    );
    bypasses++;
  }

  let copied = false;
  const copy = join(file.folder, "copy.db");
  /** All processes are dead: what the feeds say must be whole, and the file suffers what files suffer. */
  async function quiet(turn: number): Promise<void> {
    for (let at = 0; at < WRITERS; at++) await kill(at);
    await mirror.check();
    if (copied) {
      file.replace(copy);
      copied = false;
      replaced++;
      // As far as the feeds have been in the other file, and farther.
      burst(600);
    } else {
      // Not by VACUUM INTO, which gives the copy another version of the schema.
      file.writing.exec("pragma wal_checkpoint(truncate)");
      copyFileSync(file.path, copy);
      copied = true;
      if (turn % 2 === 0) file.writing.exec("delete from stillfresh_changes");
      burst(60);
    }
    for (let at = 0; at < WRITERS; at++) start(at);
  }

  async function trouble(): Promise<void> {
    for (let turn = 1; goesOn(); turn++) {
      await wait(100 + random.next() * 150);
      if (turn % 5 === 0) await quiet(turn / 5);
      else if (turn % 5 === 3 && !copied) bypass();
      else {
        const at = random.integer(0, WRITERS - 1);
        await kill(at);
        start(at);
      }
    }
  }

  async function client(): Promise<void> {
    while (goesOn()) {
      for (let n = 0; n < 40; n++) {
        await site.read(
          random.chance(0.3)
            ? `/authors/${random.integer(0, AUTHORS - 1)}`
            : `/posts/${random.integer(0, POSTS - 1)}`,
        );
      }
      await wait(1);
    }
  }

  try {
    await site.follower.ready;
    for (let at = 0; at < WRITERS; at++) start(at);
    await Promise.all([trouble(), client(), client()]);
    for (let at = 0; at < WRITERS; at++) await kill(at);
    if (site.wrong.length === 0) await mirror.check();
    const [{ n }] = file.writing.prepare("select max(n) as n from stillfresh_changes").all() as [
      { n: number },
    ];
    return {
      hits: site.hits,
      wrong: site.wrong,
      lost: mirror.lost,
      written: n,
      kills,
      replaced,
      bypasses,
      events,
    };
  } finally {
    for (let at = 0; at < WRITERS; at++) await kill(at);
    await site.follower.close();
    await mirror.close();
    file.close();
    rmSync(file.folder, { recursive: true, force: true });
  }
}
