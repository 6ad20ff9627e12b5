/**
 * A site over a real MariaDB whose connections are killed, whose server crashes, and whose writers do all that writers do:
 * each 304 of the registry is compared with what had been acknowledged by the contact.
 */
import { dependsOn, EtagRegistry, follow, type Follower, row, withEtag } from "../../mod.ts";
import type { ChangesFeed } from "../../src/changes/change.ts";
import { changes, migration, type PolledFeedEvent, type Query } from "../../src/mysql/changes.ts";
import { Ledger } from "../chaos/ledger.ts";
import { JudgedReader } from "../support/judged_reader.ts";
import { Random } from "../simulation/random.ts";
import { fetchClient, type Pool } from "./client.ts";
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
  /** Two-phase commits that were finished by another connection than had prepared them. */
  readonly adopted: number;
  /** How often each event was told, resets by their reason. */
  readonly events: Readonly<Record<string, number>>;
}

const posts = 60;
const writers = 8;
const clients = 6;
/** Readings of a client in a row. */
const READS = 8;
const database = "ledger";
/** The prepared transaction that is left until a feed has had time to begin. */
const ABANDONED = "abandoned";

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Site {
  readonly follower: Follower;
  readonly reader: JudgedReader;
  readonly #random: Random;

  constructor(pool: Pool, feed: ChangesFeed, ledger: Ledger, random: Random, maxLag: number) {
    this.#random = random;
    const registry = new EtagRegistry({ version: "ledger" });
    this.follower = follow(registry, feed, { maxLag, onError: () => {} });
    const fetch = withEtag(async (request: Request) => {
      try {
        const id = new URL(request.url).pathname.slice(1);
        const [[post]] = await pool.query("select id, value from posts where id = ?", [
          id,
        ]);
        return Response.json(String(post!["value"]), {
          headers: { "cache-control": "public, no-cache", ...dependsOn(row("posts", post!)) },
        });
      } catch {
        return new Response("", { status: 503, headers: { "cache-control": "no-store" } });
      }
    }, { registry, cacheStatus: "Stillfresh" });
    this.reader = new JudgedReader({ fetch, follower: this.follower }, ledger);
  }

  async read(without: ReadonlySet<number>): Promise<void> {
    const id = this.#random.integer(1, posts);
    if (!without.has(id)) await this.reader.read(String(id));
  }
}

/** Runs it. */
export async function ledgerRun(server: Server, { seed, seconds, weakening }: Plan): Promise<Outcome> {
  const mysql = await fetchClient();
  const random = new Random(seed);
  const address = { host: "127.0.0.1", port: server.port, user: "root" };
  const first = await mysql.createConnection(address);
  await first.query(`drop database if exists ${database}`);
  await first.query(`create database ${database}`);
  await first.end();
  const pool = (session?: string) => {
    const made = mysql.createPool({ ...address, database, connectionLimit: 12 });
    made.on("connection", (connection) => {
      connection.on("error", () => {});
      if (session !== undefined) connection.query(session, () => {});
    });
    return made;
  };
  // The one that ends prepared transactions must not wait behind a statement that waits for them.
  const [admin, ending, writing, reading, looking] = [
    pool(),
    pool(),
    pool(),
    pool(),
    pool(weakening?.session),
  ];
  const ask = async (text: string) => (await admin.query(text))[0];
  await ask("create table posts (id int primary key, value bigint not null) engine = InnoDB");
  await ask(`insert into posts values ${Array.from({ length: posts }, (_, n) => `(${n + 1}, 0)`).join()}`);
  const { up } = migration({ posts: ["id"] });
  for (const statement of up) await ask(statement);
  // What a crash undoes is what comes now.
  await ask("set global innodb_flush_log_at_trx_commit = 1");
  await ask(`insert into posts values (${posts + 1}, 0)`);
  await ask("set global innodb_flush_log_at_trx_commit = 0");
  const updateTrigger = up.find((statement) => statement.includes("after update on"))!;
  const ledger = new Ledger();
  for (let id = 1; id <= posts; id++) ledger.found(String(id), "0");
  const events: Record<string, number> = {};
  const onEvent = (event: PolledFeedEvent) => {
    const name = event.type === "reset" ? `reset ${event.reason}` : event.type;
    events[name] = (events[name] ?? 0) + 1;
  };
  const open = (poll: number, keep: number, maxLag: number) => {
    let sent = performance.now();
    const plain: Query = (text, parameters) => looking.query(text, parameters);
    const weak = weakening?.query?.(plain) ?? plain;
    const query: Query = (text, parameters) => {
      sent = performance.now();
      return weak(text, parameters);
    };
    const feed = changes(query, { tables: ["posts"], poll, keep, maxLag, onEvent });
    const read = weakening?.feed?.(feed, () => sent) ?? feed;
    return new Site(reading, read, ledger, new Random(random.seed()), maxLag);
  };
  // The second one is slower than what is pruned.
  const sites = [open(20, 1_000, 2_000), open(5_000, 1_000, 20_000)];
  let [written, kills, crashes, bypasses, adopted] = [0, 0, 0, 0, 0];
  const end = performance.now() + seconds * 1_000;
  /** A weakened feed has been found by its first wrong 304. */
  const goesOn = () =>
    performance.now() < end &&
    !(weakening !== undefined && sites.some(({ reader }) => reader.wrong.length > 0));
  /** Whether an act was interrupted by a fault that was made on purpose. */
  const spared = <T>(act: () => Promise<T>): Promise<T | undefined> => act().catch(() => undefined);
  const busy = new Set<number>();
  /** Rows of which it is not known yet which version a crash has brought back. */
  const shaken = new Set<number>();
  /** Crashes that have begun. */
  let epoch = 0;

  /** What the rows hold once no transaction holds them, read between two crashes. */
  async function settled(ids: readonly number[]): Promise<Map<number, string>> {
    for (;;) {
      const began = epoch;
      const found = await spared(() =>
        ask(`select id, value from posts where id in (${ids.join()}) for update nowait`)
      );
      if (found !== undefined && epoch === began && found.length === ids.length) {
        return new Map(found.map(({ id, value }) => [Number(id), String(value)]));
      }
      await wait(20);
    }
  }

  /** What was written last into each row, whether or not it was committed. */
  const last = new Map<number, string>();

  /** Makes a write of each of the rows, which is over when their content is known again. */
  async function write(ids: readonly number[], act: () => Promise<unknown>): Promise<void> {
    const began = epoch;
    for (const id of ids) busy.add(id);
    const done = spared(act).then(() => settled(ids));
    await Promise.all(ids.map(async (id) => {
      const isUndone = async () => (await done, epoch !== began && last.has(id));
      // It may have been committed and read, and then undone: two versions.
      await ledger.write(
        String(id),
        false,
        async () => await isUndone() ? last.get(id)! : (await done).get(id)!,
      );
      if (await isUndone()) await ledger.write(String(id), false, async () => (await done).get(id)!);
    }));
    for (const id of ids) {
      busy.delete(id);
      shaken.delete(id);
    }
  }

  async function transaction(ids: readonly number[], deed: number): Promise<void> {
    const connection = await writing.getConnection();
    const change = (id: number) =>
      connection.query("update posts set value = ? where id = ?", [++written, id]);
    const name = `'x${seed}-${written}-${ids[0]}'`;
    const isPrepared = deed > 0.8 && deed <= 0.9;
    try {
      await connection.query(isPrepared ? `xa start ${name}` : "begin");
      for (const id of ids) {
        if (!isPrepared && random.chance(0.3)) await connection.query("savepoint a");
        last.set(id, String(written + 1));
        await change(id);
        if (!isPrepared && random.chance(0.1)) {
          await connection.query("savepoint b");
          await change(id);
          await connection.query("rollback to b");
        }
      }
      await wait(deed < 0.05 ? 800 + random.next() * 3_200 : random.next() * 20);
      if (isPrepared) {
        await connection.query(`xa end ${name}`);
        await connection.query(`xa prepare ${name}`);
        await wait(random.next() * 300);
        // The other half is left to another connection.
        if (deed < 0.85) throw new Error("gone");
        await connection.query(`xa commit ${name}`);
      } else await connection.query(deed > 0.9 ? "rollback" : "commit");
      connection.release();
    } catch (error) {
      connection.destroy();
      throw error;
    }
  }

  /** Ends prepared transactions that were left: they hold the rows, and the table against changes of its shape. */
  async function endPrepared(): Promise<void> {
    const prepared = new Map<string, number>();
    while (goesOn() || busy.size > 0) {
      await wait(100);
      await spared(async () => {
        const [recovered] = await ending.query("xa recover");
        for (const { data } of recovered) {
          const name = String(data);
          if (name === ABANDONED && isAbandoned) continue;
          const since = prepared.get(name) ?? performance.now();
          prepared.set(name, since);
          if (performance.now() - since < 400) continue;
          await ending.query(`xa commit '${name}'`);
          adopted++;
        }
      });
    }
  }

  async function writer(): Promise<void> {
    while (goesOn()) {
      const free = Array.from({ length: posts }, (_, n) => n + 1).filter((id) => !busy.has(id));
      const count = free.length === 0 ? 0 : random.integer(1, 3);
      // Some rows change seldom: what is missed of them is not made good by the next change.
      const ids = [
        ...new Set(Array.from({ length: count }, () => free[Math.floor(free.length * random.next() ** 4)]!)),
      ];
      if (ids.length === 0) {
        await wait(10);
        continue;
      }
      const deed = random.next();
      await write(ids, () => transaction(ids, deed));
      await wait(random.next() * 30);
    }
  }

  const anIdle = () => Array.from({ length: posts }, (_, n) => n + 1).findLast((id) => !busy.has(id));

  /** Whether that one is left for now; a crash may bring it back later. */
  let isAbandoned = false;

  /** Prepares a write, and leaves it to another connection: its own, which held the table, is gone. */
  async function abandon(id: number): Promise<void> {
    const connection = await writing.getConnection();
    try {
      last.set(id, String(written + 1));
      await connection.query(`xa start '${ABANDONED}'`);
      await connection.query("update posts set value = ? where id = ?", [++written, id]);
      await connection.query(`xa end '${ABANDONED}'`);
      await connection.query(`xa prepare '${ABANDONED}'`);
    } finally {
      connection.destroy();
    }
  }

  /** Writes past the triggers, which the owner of a table can drop; one of them is committed when they are there again. */
  async function bypass(): Promise<void> {
    const id = anIdle();
    if (id === undefined) return;
    let abandoned: Promise<void> | undefined;
    isAbandoned = true;
    await write([id], async () => {
      /** Does not wait for long, because all others wait behind it. */
      const define = async (statement: string) => {
        const connection = await admin.getConnection();
        try {
          await connection.query("set lock_wait_timeout = 5");
          await connection.query(statement);
        } finally {
          connection.destroy();
        }
      };
      try {
        await define("drop trigger stillfresh_1_update");
        const other = anIdle();
        if (other !== undefined) {
          await new Promise<void>((resolve) => {
            abandoned = write([other], () => abandon(other).finally(resolve));
          });
        }
        last.set(id, String(written + 1));
        await ask(`update posts set value = ${++written} where id = ${id}`);
        bypasses++;
      } finally {
        const again = updateTrigger.replace("create trigger", "create or replace trigger");
        while (await spared(() => define(again).then(() => true)) === undefined) await wait(50);
      }
    });
    // Time for a feed to begin.
    await wait(500 + random.next() * 1_000);
    isAbandoned = false;
    await abandoned;
  }

  /** A session that says which number its next row gets. */
  async function forced(): Promise<void> {
    const id = anIdle();
    if (id === undefined) return;
    await write([id], async () => {
      const connection = await writing.getConnection();
      try {
        await connection.query("set insert_id = 1");
        last.set(id, String(written + 1));
        await connection.query(`update posts set value = ${++written} where id = ${id}`);
      } finally {
        connection.destroy();
      }
    });
  }

  /** Commits that were acknowledged and not written yet are undone. */
  async function crash(): Promise<void> {
    epoch++;
    for (let id = 1; id <= posts; id++) shaken.add(id);
    const idle = Array.from({ length: posts }, (_, n) => n + 1).filter((id) => !busy.has(id));
    await write(idle, () => server.crash());
    crashes++;
  }

  async function kill(): Promise<void> {
    const found = await ask(
      "select id from information_schema.processlist where id <> connection_id() and command <> 'Daemon' order by rand() limit 2",
    );
    for (const { id } of found) {
      await ask(`kill ${id}`);
      kills++;
    }
  }

  async function trouble(): Promise<void> {
    for (let n = 1; goesOn(); n++) {
      await wait(300 + random.next() * 400);
      const [name, reset] = n % 10 === 0
        ? ["crash", crash] as const
        : n % 10 === 4
        ? ["forced", forced] as const
        : n % 5 === 2
        ? ["bypass", bypass] as const
        : [];
      if (name !== undefined && (weakening?.resets ?? [name]).includes(name)) await reset();
      else await spared(kill);
    }
  }

  async function client(site: Site): Promise<void> {
    while (goesOn()) {
      for (let n = 0; n < READS; n++) await site.read(shaken);
      await wait(1);
    }
  }

  await Promise.all([
    ...Array.from({ length: weakening?.writers ?? writers }, writer),
    trouble(),
    endPrepared(),
    ...sites.flatMap((site) => Array.from({ length: clients }, () => client(site))),
  ]);
  await Promise.all(sites.map(({ follower }) => follower.close()));
  await Promise.all([admin, ending, writing, reading, looking].map((made) => spared(() => made.end())));
  return {
    hits: sites.reduce((sum, { reader }) => sum + reader.hits, 0),
    wrong: sites.flatMap(({ reader }) => reader.wrong),
    written,
    kills,
    crashes,
    bypasses,
    adopted,
    events,
  };
}
