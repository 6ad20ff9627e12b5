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
import type { Server } from "./server.ts";
import type { Weakening } from "./weakened.ts";

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
  readonly crashes: number;
  readonly bypasses: number;
  /** How often each event was told, resets by their reason. */
  readonly events: Readonly<Record<string, number>>;
}

const posts = 60;
const writers = 8;
const clients = 6;
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
export async function ledgerRun(server: Server, { seed, seconds, weakening }: Plan): Promise<Outcome> {
  const random = new Random(seed);
  const connection = { host: "127.0.0.1", port: server.port, user: "postgres", database: "postgres" };
  const pool = () => {
    const made = new pg.Pool({ ...connection, max: 12 });
    made.on("error", () => {});
    made.on("connect", (client: pg.Client) => client.on("error", () => {}));
    return made;
  };
  const [admin, writing, reading] = [pool(), pool(), pool()];
  await admin.query("drop schema if exists stillfresh cascade; drop table if exists posts");
  await admin.query("create table posts (id int primary key, value bigint not null)");
  await admin.query(`insert into posts select n, 0 from generate_series(1, ${posts}) n`);
  await admin.query(migration({ posts: ["id"] }).up);
  const ledger = new Ledger();
  for (let id = 1; id <= posts; id++) ledger.found(String(id), "0");
  const events: Record<string, number> = {};
  const onEvent = (event: PolledFeedEvent) => {
    const name = event.type === "reset" ? `reset ${event.reason}` : event.type;
    events[name] = (events[name] ?? 0) + 1;
  };
  const open = (poll: number, keep: number, maxLag: number) => {
    let sent = performance.now();
    const plain: Query = (text, parameters) => reading.query(text, parameters);
    const weak = weakening?.query?.(plain) ?? plain;
    const query: Query = (text, parameters) => {
      sent = performance.now();
      return weak(text, parameters);
    };
    const feed = changes(query, { tables: ["posts"], poll, keep, maxLag, onEvent });
    return new Site(
      reading,
      weakening?.feed?.(feed, () => sent) ?? feed,
      ledger,
      new Random(random.seed()),
      maxLag,
    );
  };
  // The second one is slower than what is pruned.
  const sites = [open(20, 1_000, 2_000), open(3_000, 1_000, 12_000)];
  let [written, kills, crashes, bypasses] = [0, 0, 0, 0];
  const end = performance.now() + seconds * 1_000;
  /** A weakened feed has been found by its first wrong 304. */
  const goesOn = () =>
    performance.now() < end &&
    !(weakening !== undefined && sites.some(({ reader }) => reader.wrong.length > 0));
  /** Whether an act was interrupted by a fault that was made on purpose. */
  const spared = (act: () => Promise<unknown>) => act().catch(() => undefined);
  const busy = new Set<number>();

  async function valueOf(id: number): Promise<string> {
    for (;;) {
      const found = await spared(() => admin.query("select value from posts where id = $1", [id])) as
        | { rows: { value: string }[] }
        | undefined;
      if (found !== undefined) return found.rows[0]!.value;
      await wait(20);
    }
  }

  async function transaction(ids: readonly number[], deed: number): Promise<void> {
    const client = await writing.connect();
    const change = async (id: number) =>
      await client.query("update posts set value = $1 where id = $2", [++written, id]);
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
      const name = `p${seed}-${written}-${ids[0]}`;
      if (deed > 0.9) await client.query("rollback");
      else if (deed > 0.8) {
        await client.query(`prepare transaction '${name}'`);
        await wait(random.next() * 300);
        await client.query(`commit prepared '${name}'`);
      } else await client.query("commit");
      client.release();
    } catch (error) {
      client.release(true);
      throw error;
    }
  }

  /** What is left of a two-phase commit that was interrupted holds the rows. */
  const finishPrepared = () =>
    spared(async () => {
      const { rows } = await admin.query(
        "select gid from pg_prepared_xacts where prepared < clock_timestamp() - interval '2 seconds'",
      );
      for (const { gid } of rows) await admin.query(`commit prepared '${gid}'`);
    });

  async function writer(): Promise<void> {
    while (goesOn()) {
      const free = Array.from({ length: posts }, (_, n) => n + 1).filter((id) => !busy.has(id));
      const ids = Array.from(
        { length: free.length === 0 ? 0 : random.integer(1, 3) },
        () => random.pick(free),
      )
        .filter((id, n, all) => all.indexOf(id) === n);
      if (ids.length === 0) {
        await wait(10);
        continue;
      }
      for (const id of ids) busy.add(id);
      const done = spared(() => transaction(ids, random.next()));
      await Promise.all(ids.map((id) =>
        ledger.write(String(id), false, async () => {
          await done;
          // A prepared one may be left that still holds the row.
          for (;;) {
            const held = await spared(() =>
              admin.query("select from posts where id = $1 for update nowait", [id])
            );
            if (held !== undefined) return await valueOf(id);
            await finishPrepared();
            await wait(50);
          }
        })
      ));
      for (const id of ids) busy.delete(id);
      await wait(random.next() * 30);
    }
  }

  /** A write past the triggers; the owner of a table can always do that. */
  async function bypass(): Promise<void> {
    const id = Array.from({ length: posts }, (_, n) => n + 1).find((id) => !busy.has(id));
    if (id === undefined) return;
    busy.add(id);
    await ledger.write(String(id), false, async () => {
      const done = await spared(() =>
        admin.query(
          `begin; set local lock_timeout = '4s'; alter table posts disable trigger all; update posts set value = ${++written} where id = ${id};
           alter table posts enable always trigger stillfresh_insert; alter table posts enable always trigger stillfresh_update; commit`,
        )
      );
      if (done !== undefined) bypasses++;
      return await valueOf(id);
    });
    busy.delete(id);
  }

  /** Commits that were acknowledged and not written yet are undone. */
  async function crash(): Promise<void> {
    const idle = Array.from({ length: posts }, (_, n) => n + 1).filter((id) => !busy.has(id));
    for (const id of idle) busy.add(id);
    const crashed = server.crash();
    await Promise.all(idle.map((id) =>
      ledger.write(String(id), false, async () => {
        await crashed;
        return await valueOf(id);
      })
    ));
    for (const id of idle) busy.delete(id);
    crashes++;
  }

  async function trouble(): Promise<void> {
    for (let n = 1; goesOn(); n++) {
      await wait(300 + random.next() * 400);
      if (n % 8 === 0) {
        await crash();
      } else if (n % 4 === 2) await bypass();
      else {
        const killed = await spared(() =>
          admin.query(
            "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() order by random() limit 2",
          )
        );
        if (killed !== undefined) kills += 2;
      }
    }
  }

  async function client(site: Site): Promise<void> {
    while (goesOn()) {
      for (let n = 0; n < READS; n++) await site.read();
      await wait(1);
    }
  }
  await Promise.all([
    ...Array.from({ length: writers }, writer),
    trouble(),
    ...sites.flatMap((site) => Array.from({ length: clients }, () => client(site))),
  ]);
  await Promise.all(sites.map(({ follower }) => follower.close()));
  await Promise.all([admin.end(), writing.end(), reading.end()]);
  const hits = sites.reduce((sum, site) => sum + site.reader.hits, 0);
  return {
    hits,
    wrong: sites.flatMap(({ reader }) => reader.wrong),
    written,
    kills,
    crashes,
    bypasses,
    events,
  };
}
