/**
 * A site over a real PostgreSQL whose connections are killed, whose server crashes, and whose writers do all that writers
 * do: each 304 of the registry is compared with what had been acknowledged by the contact.
 */
import pg from "pg";
import { dependsOn, EtagRegistry, follow, type Follower, row, withEtag } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { changes, migration, type PolledFeedEvent, type Query } from "../../src/postgres/changes.ts";
import { Ledger } from "../chaos/ledger.ts";
import { JudgedReader } from "../support/judged_reader.ts";
import { Random } from "../simulation/random.ts";
import { connection } from "./connection.ts";
import type { Server } from "./server.ts";
import type { Weakening } from "./weakened.ts";

/** How commits that were acknowledged are undone. */
export const undoing = ["crash", "kill -9", "failover"] as const;

/** One of them. */
export type Undoing = (typeof undoing)[number];

/** How often each of them happened, and how many rows had an acknowledged commit undone by it. */
export type Undone = Readonly<Record<Undoing, { times: number; rows: number }>>;

/** How long, and with what. */
export interface Plan {
  readonly seed: number;
  readonly seconds: number;
  readonly weakening: Weakening | undefined;
}

/** What came of it. */
export interface Outcome {
  readonly hits: number;
  readonly wrong: readonly string[];
  readonly written: number;
  readonly kills: number;
  readonly bypasses: number;
  /** Two-phase commits that were prepared before commits were undone, and ended after. */
  readonly held: number;
  readonly undone: Undone;
  /** How often each event was told, resets by their reason. */
  readonly events: Readonly<Record<string, number>>;
}

const posts = 60;
const writers = 8;
const clients = 6;
/** ms: the most between the two phases of a commit, and how long there is none before commits are undone. */
const QUIET = 300;
/** Readings of a client in a row. */
const READS = 8;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Site {
  readonly registry: EtagRegistry = new EtagRegistry({ version: "ledger" });
  readonly follower: Follower;
  readonly reader: JudgedReader;
  readonly #random: Random;

  constructor(pool: pg.Pool, feed: ChangesFeed, ledger: Ledger, random: Random, maxLag: number) {
    this.#random = random;
    this.follower = follow(this.registry, feed, { maxLag, onError: () => {} });
    const fetch = withEtag(async (request: Request) => {
      try {
        const id = new URL(request.url).pathname.slice(1);
        const { rows: [post] } = await pool.query("select id, value from posts where id = $1", [id]);
        return Response.json(String(post.value), {
          headers: { "cache-control": "public, no-cache", ...dependsOn(row("posts", post)) },
        });
      } catch {
        return new Response("", { status: 503, headers: { "cache-control": "no-store" } });
      }
    }, { registry: this.registry, cacheStatus: "Stillfresh" });
    this.reader = new JudgedReader({ fetch, follower: this.follower }, ledger);
  }

  async read(): Promise<void> {
    await this.reader.read(String(this.#random.integer(1, posts)));
  }
}

/** Runs it. */
export function ledgerRun(server: Server, plan: Plan): Promise<Outcome> {
  return new LedgerRun(server, plan).run();
}

/** Undefined instead of an error: the act was interrupted by a fault that was made on purpose. */
function spared<T>(act: () => Promise<T>): Promise<T | undefined> {
  return act().catch(() => undefined);
}

class LedgerRun {
  readonly #server: Server;
  readonly #plan: Plan;
  readonly #random: Random;
  readonly #ledger: Ledger = new Ledger();
  readonly #events: Record<string, number> = {};
  readonly #undone: Undone = {
    "crash": { times: 0, rows: 0 },
    "kill -9": { times: 0, rows: 0 },
    "failover": { times: 0, rows: 0 },
  };
  readonly #admin: pg.Pool;
  readonly #writing: pg.Pool;
  readonly #reading: pg.Pool;
  /** Rows that are being written. */
  readonly #busy: Set<number> = new Set();
  #sites: readonly Site[] = [];
  /** Resolves once no commit that can be read is being undone. */
  #steady: Promise<unknown> = Promise.resolve();
  /** Whether no two-phase commit may begin. */
  #isQuiet = false;
  #written = 0;
  #kills = 0;
  #bypasses = 0;
  #held = 0;
  #end = Infinity;

  constructor(server: Server, plan: Plan) {
    this.#server = server;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
    [this.#admin, this.#writing, this.#reading] = [this.#pool(), this.#pool(), this.#pool()];
  }

  async run(): Promise<Outcome> {
    const { seconds } = this.#plan;
    await this.#server.replicate();
    await this.#prepare();
    // The second one is slower than what is pruned; that is a reset, which may cover what another rule has to find.
    const keep = this.#plan.weakening?.undoing === undefined ? 1_000 : 0;
    this.#sites = [this.#open(20, keep, 2_000), this.#open(3_000, keep, 12_000)];
    this.#end = performance.now() + seconds * 1_000;
    await Promise.all([
      ...Array.from({ length: writers }, () => this.#write()),
      this.#trouble(),
      ...this.#sites.flatMap((site) => Array.from({ length: clients }, () => this.#read(site))),
    ]);
    await this.#server.replicate();
    await Promise.all(this.#sites.map(({ follower }) => follower.close()));
    await Promise.all([this.#admin.end(), this.#writing.end(), this.#reading.end()]);
    return {
      hits: this.#sites.reduce((sum, site) => sum + site.reader.hits, 0),
      wrong: this.#sites.flatMap(({ reader }) => reader.wrong),
      written: this.#written,
      kills: this.#kills,
      bypasses: this.#bypasses,
      held: this.#held,
      undone: this.#undone,
      events: this.#events,
    };
  }

  /** Connections to the server that is the primary when they are made. */
  #pool(): pg.Pool {
    const server = this.#server;
    return new pg.Pool({
      max: 12,
      Client: function () {
        return connection(server.port);
      },
    }).on("error", () => {});
  }

  /** Statements on a connection of their own, which an interrupted transaction would make useless. */
  async #alone(text: string): Promise<void> {
    const client = await this.#connect();
    await client.query(text).finally(() => client.end());
  }

  async #ask<T>(text: string, ...parameters: readonly unknown[]): Promise<readonly T[]> {
    const { rows } = await this.#admin.query(text, parameters);
    return rows;
  }

  async #prepare(): Promise<void> {
    for (
      const statement of [
        "drop schema if exists stillfresh cascade; drop table if exists posts",
        "create table posts (id int primary key, value bigint not null)",
        `insert into posts select n, 0 from generate_series(1, ${posts}) n`,
        migration({ posts: ["id"] }).up,
      ]
    ) await this.#admin.query(statement);
    await this.#replicated();
    for (let id = 1; id <= posts; id++) this.#ledger.found(String(id), "0");
  }

  /** A replica that has not even the table is of no use. */
  async #replicated(): Promise<void> {
    await this.#alone(
      "set synchronous_commit = on; create table if not exists written (); drop table written",
    );
    const behind = "select from pg_stat_replication where replay_lsn >= pg_current_wal_flush_lsn()";
    while ((await this.#ask(behind)).length === 0) await wait(20);
  }

  #open(poll: number, keep: number, maxLag: number): Site {
    const { weakening } = this.#plan;
    const onEvent = (event: PolledFeedEvent) => {
      const name = event.type === "reset" ? `reset ${event.reason}` : event.type;
      this.#events[name] = (this.#events[name] ?? 0) + 1;
    };
    let sent = performance.now();
    const plain: Query = (text, parameters) => this.#reading.query(text, parameters);
    const weak = weakening?.query?.(plain) ?? plain;
    const query: Query = (text, parameters) => {
      sent = performance.now();
      return weak(text, parameters);
    };
    const feed = changes(query, { tables: ["posts"], poll, keep, maxLag, onEvent });
    const seen = weakening?.feed?.(feed, () => sent) ?? feed;
    return new Site(this.#reading, seen, this.#ledger, new Random(this.#random.seed()), maxLag);
  }

  /** A weakened feed has been found by its first wrong 304. */
  #goesOn(): boolean {
    if (performance.now() >= this.#end) return false;
    return this.#plan.weakening === undefined || this.#sites.every(({ reader }) => reader.wrong.length === 0);
  }

  async #read(site: Site): Promise<void> {
    while (this.#goesOn()) {
      for (let n = 0; n < READS; n++) await site.read();
      await wait(1);
    }
  }

  async #write(): Promise<void> {
    const random = this.#random;
    while (this.#goesOn()) {
      const free = this.#idle();
      const ids = new Set(
        Array.from({ length: free.length === 0 ? 0 : random.integer(1, 3) }, () => random.pick(free)),
      );
      if (ids.size === 0) await wait(10);
      else await this.#change([...ids], () => this.#transaction([...ids], random.next()));
      await wait(random.next() * 30);
    }
  }

  #idle(): number[] {
    return Array.from({ length: posts }, (_, n) => n + 1).filter((id) => !this.#busy.has(id));
  }

  /** Notes as one write of each row what an act does, whatever becomes of it. */
  async #change(ids: readonly number[], act: () => Promise<unknown>): Promise<void> {
    for (const id of ids) this.#busy.add(id);
    const values = spared(act).then(() => this.#values(ids));
    await Promise.all(
      ids.map((id) => this.#ledger.write(String(id), false, async () => (await values).get(id)!)),
    );
    for (const id of ids) this.#busy.delete(id);
  }

  /** What is in rows that no transaction holds, once commits that are being undone are gone. */
  async #values(ids: readonly number[]): Promise<Map<number, string>> {
    for (;;) {
      const steady = this.#steady;
      await steady;
      const found = await spared(() =>
        this.#ask<{ id: number; value: string }>(
          "select id, value from posts where id = any($1) for update nowait",
          ids,
        )
      );
      if (found !== undefined && steady === this.#steady) {
        return new Map(found.map(({ id, value }) => [id, value]));
      }
      await this.#endPrepared();
      await wait(20);
    }
  }

  async #transaction(ids: readonly number[], deed: number): Promise<void> {
    const random = this.#random;
    const client = await this.#writing.connect();
    const change = async (id: number) =>
      await client.query("update posts set value = $1 where id = $2", [++this.#written, id]);
    try {
      await client.query("begin");
      for (const id of ids) {
        if (random.chance(0.3)) await client.query("savepoint a");
        await change(id);
        if (random.chance(0.1)) {
          await client.query("savepoint b").then(() => change(id)).then(() => client.query("rollback to b"));
        }
      }
      if (deed < 0.05) await wait(random.next() * 3_000);
      else await wait(random.next() * 20);
      const name = `p${this.#written}-${ids[0]}`;
      if (deed > 0.9) await client.query("rollback");
      else if (deed > 0.8 && !this.#isQuiet) {
        await client.query(`prepare transaction '${name}'`);
        await wait(random.next() * QUIET);
        await client.query(`commit prepared '${name}'`);
      } else await client.query("commit");
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** What is left of a two-phase commit that was interrupted holds its rows. */
  #endPrepared(): Promise<void | undefined> {
    return spared(async () => {
      const prepared = await this.#ask<{ gid: string }>(
        "select gid from pg_prepared_xacts where prepared < clock_timestamp() - interval '2 seconds' and gid like 'p%'",
      );
      for (const { gid } of prepared) await this.#admin.query(`commit prepared '${gid}'`);
    });
  }

  async #trouble(): Promise<void> {
    const kinds = this.#plan.weakening?.undoing ?? undoing;
    // Where it is this that has to find something, there is nothing else.
    const period = kinds.length === 1 ? 1 : 6;
    for (let n = 1; this.#goesOn(); n++) {
      await wait(300 + this.#random.next() * 400);
      if (n % period === 0) await this.#undo(kinds[(n / period) % kinds.length]!);
      else if (n % period === 2) await this.#bypass();
      else await this.#kill();
    }
  }

  async #kill(): Promise<void> {
    const killed = await spared(() =>
      this.#ask(
        "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 2",
      )
    );
    this.#kills += killed?.length ?? 0;
  }

  /** A write past the triggers; the owner of a table can always do that. */
  async #bypass(): Promise<void> {
    const [id] = this.#idle();
    if (id === undefined) return;
    await this.#change([id], async () => {
      await this.#alone(
        `begin; set local lock_timeout = '4s'; alter table posts disable trigger all; update posts set value = ${++this
          .#written} where id = ${id};
         alter table posts enable always trigger stillfresh_insert; alter table posts enable always trigger stillfresh_update; commit`,
      );
      this.#bypasses++;
    });
  }

  /** Commits that were acknowledged and seen are undone, while a two-phase commit is open that outlives it. */
  async #undo(kind: Undoing): Promise<void> {
    await this.#server.replicate();
    if (kind === "failover") await this.#server.cutReplica();
    const [first] = this.#idle();
    const held = first === undefined ? undefined : this.#hold(first);
    await held?.prepared;
    // What is prepared is written to the disk, and with it every commit before.
    this.#isQuiet = true;
    await wait(QUIET);
    const idle = this.#idle();
    const before = new Map(idle.map((id) => [id, this.#ledger.state(String(id))]));
    const undone = this.#faults[kind]();
    this.#steady = undone;
    const changed = this.#change(idle, () => undone);
    this.#ledger.revert();
    await changed;
    const rows = idle.filter((id) => this.#ledger.state(String(id)) !== before.get(id)).length;
    this.#undone[kind].times++;
    this.#undone[kind].rows += rows;
    this.#isQuiet = false;
    held?.end();
    await held?.ended;
    // The next failover needs one; what goes wrong with it is found there.
    this.#server.replicate().catch(() => {});
  }

  readonly #faults: Readonly<Record<Undoing, () => Promise<void>>> = {
    "crash": () => this.#server.crash(),
    "kill -9": () => this.#killHard(),
    "failover": () => this.#server.failOver(),
  };

  /** PostgreSQL begins anew when a backend is killed like this; it is over when a connection can be made again. */
  async #killHard(): Promise<void> {
    const [victim, witness] = [await this.#connect(), await this.#connect()];
    const gone = new Promise((resolve) => witness.once("end", resolve));
    const { rows: [{ pid }] } = await victim.query("select pg_backend_pid() as pid");
    Deno.kill(pid, "SIGKILL");
    await gone;
    await (await this.#connect()).end();
  }

  /** A connection that no pool knows, so that nothing else is done on it. */
  async #connect(): Promise<pg.Client> {
    for (;;) {
      const client = connection(this.#server.port);
      if (await spared(() => client.connect().then(() => true))) return client;
      await wait(20);
    }
  }

  /** Prepares a transaction, and commits it when it is told to; a failover may have lost it. */
  #hold(
    id: number,
  ): { readonly prepared: Promise<unknown>; end(): void; readonly ended: Promise<void> } {
    const name = `held-${++this.#written}`;
    const { promise: told, resolve: end } = Promise.withResolvers<void>();
    const prepared = spared(() =>
      this.#alone(
        `begin; update posts set value = ${this.#written} where id = ${id}; prepare transaction '${name}'`,
      )
    );
    const ended = this.#change([id], async () => {
      await prepared;
      await told;
      await wait(this.#random.next() * 800);
      for (;;) {
        const done = await this.#admin.query(`commit prepared '${name}'`).then(
          () => "committed",
          ({ code }: { readonly code?: string }) => code,
        );
        if (done === "committed") this.#held++;
        // It is not there (42704).
        if (done === "committed" || done === "42704") return;
        await wait(20);
      }
    });
    return { prepared, end, ended };
  }
}
