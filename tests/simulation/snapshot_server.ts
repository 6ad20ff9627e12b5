/**
 * A relational server behind `query`, as far as it matters to a feed: transactions that commit in another order than
 * they began, snapshots, crashes that undo commits and use their numbers again, rows that change past the triggers.
 *
 * It answers the statement of a look as PostgreSQL does, of which it reads the condition for rows; and from the SQL of
 * the migration it takes what the identity is made of.
 *
 * @module
 */
import { migration } from "../../src/postgres/migration.ts";
import type { Query } from "../../src/postgres/changes.ts";
import { MS } from "./clocks.ts";
import type { Database } from "./database.ts";
import type { SavedDocument } from "./document.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** The table, as the migration and the feed name it. */
export const TABLE = "rows";

/** A row of the change table, which is there once its transaction has committed. */
interface Logged {
  readonly xid: number;
  readonly key: string;
}

/** `pg_snapshot`, and what a statement finds that has it. */
interface Snapshot {
  readonly takenAt: number;
  readonly next: number;
  readonly running: readonly number[];
  readonly log: readonly Logged[];
  readonly floor: number;
}

/** What a crash goes back to. */
interface Flushed {
  readonly next: number;
  readonly log: readonly Logged[];
  readonly documents: ReadonlyMap<string, SavedDocument>;
}

/** What tells one history of a server from another. */
interface Identity {
  life: number;
  timeline: number;
  started: number;
}

/** Pieces of SQL by which a statement chooses rows, and what they mean. */
const CONDITIONS: Readonly<
  Record<string, (xid: number, since: { xmax: number; xip: readonly number[] }) => boolean>
> = {
  "where xid >= pg_snapshot_xmax(": (xid, { xmax }) => xid >= xmax,
  "where xid > pg_snapshot_xmax(": (xid, { xmax }) => xid > xmax,
  "from pg_snapshot_xip(": (xid, { xip }) => xip.includes(xid),
};

/** What the identity is made of, by a piece of SQL. */
const IDENTITY: Readonly<Record<string, keyof Identity>> = {
  "concat_ws('/', known": "life",
  "pg_walfile_name": "timeline",
  "pg_postmaster_start_time": "started",
};

const sql = migration({ [TABLE]: { key: ["id"] } }).up;
const identifying = Object.entries(IDENTITY).flatMap(([piece, part]) => sql.includes(piece) ? [part] : []);

export class SnapshotServer {
  readonly table: Database;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #next = 100;
  readonly #running = new Set<number>();
  #log: Logged[] = [];
  /** The transaction whose rows are written at this moment. */
  #writing: number | undefined;
  readonly #identity: Identity = { life: 1, timeline: 1, started: 1 };
  #shape = 1;
  #triggersEnabled = true;
  #floor = 0;
  #mark = 0;
  /** In ticks: until then it refuses connections, and until then it does not answer. */
  #downUntil = 0;
  #silentUntil = 0;
  /** Counts interruptions: an answer that was under way is lost. */
  #interruptions = 0;
  /** The client runs its statements in a transaction that has been open since. */
  #held: Snapshot | undefined;

  constructor(table: Database, scheduler: Scheduler, random: Random) {
    this.table = table;
    this.#scheduler = scheduler;
    this.#random = random;
    table.onRow = ({ id }) => this.#note(id);
  }

  /** A trigger, in the transaction that writes or in one of its own. */
  #note(key: string): void {
    if (this.#triggersEnabled) this.#log.push({ xid: this.#writing ?? this.#next++, key });
  }

  /** Runs a transaction for so many ticks; then it writes, or is rolled back. */
  transaction(ticks: number, write: (() => void) | undefined): void {
    const xid = this.#next++;
    this.#running.add(xid);
    const { life } = this.#identity;
    this.#scheduler.after(ticks, () => {
      // A crash has ended it; its number may be that of another by now.
      if (life !== this.#identity.life || !this.#running.delete(xid)) return;
      this.#writing = xid;
      write?.();
      this.#writing = undefined;
    });
  }

  readonly query: Query = (text, [since = "", asked = ""]) => {
    return new Promise((resolve, reject) => {
      const random = this.#random;
      this.#scheduler.after(random.integer(1, random.chance(0.9) ? 5 * MS : 900 * MS), () => {
        if (this.#scheduler.time < this.#silentUntil) return;
        const interruptions = this.#interruptions;
        if (this.#scheduler.time < this.#downUntil) {
          return this.#answer(() => reject(new Error("ECONNREFUSED")));
        }
        const rows = text.includes(".prune(")
          ? (this.prune(), [])
          : [{ looked: this.#look(text, since, asked) }];
        this.#answer(() => {
          if (interruptions === this.#interruptions) resolve(rows);
          else reject(new Error("ECONNRESET"));
        });
      });
    });
  };

  #answer(then: () => void): void {
    this.#scheduler.inProcess(this.#random.integer(1, this.#random.chance(0.9) ? 5 * MS : 900 * MS), then);
  }

  #look(text: string, since: string, asked: string): string {
    const { next, running, log, takenAt, floor } = this.#held ?? this.#snapshot();
    const most = /limit (\d+)\) r/.exec(text)![1]!;
    const conditions = Object.entries(CONDITIONS).flatMap(([piece, means]) =>
      text.includes(piece) ? [means] : []
    );
    if (conditions.length === 0) throw new Error("the statement chooses its rows in an unknown way");
    const known = parse(since);
    const isNew = ({ xid }: Logged) => known !== undefined && conditions.some((means) => means(xid, known));
    // Rows come in no order: where some have to be left out, those of one key may be.
    const order = this.#random.pick([1, -1]);
    const byKey = (a: Logged, b: Logged) => order * (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
    const found = log.filter(isNew).sort(byKey).slice(0, Number(most));
    const about = JSON.stringify({ table: TABLE, key: ["id"], groups: [] });
    const whole = {
      version: 1,
      identity: identifying.map((part) => this.#identity[part]).join("/"),
      shape: String(this.#shape),
      children: null,
      watched: [[TABLE, about, this.#triggersEnabled ? 2 : 0]],
    };
    return JSON.stringify({
      now: `${Math.min(next, ...running)}:${next}:${running.join(",")}`,
      asked,
      start: String(this.#identity.started),
      age: (this.#scheduler.time - takenAt) / MS,
      pruned: known !== undefined && known.xmin < floor,
      rows: found.length === 0 ? null : found.map(({ key }) => [TABLE, key, []]),
      ...(text.includes("'identity'") ? whole : {}),
    });
  }

  #snapshot(): Snapshot {
    return {
      takenAt: this.#scheduler.time,
      next: this.#next,
      running: [...this.#running],
      log: [...this.#log],
      floor: this.#floor,
    };
  }

  /** Takes out what no follower needs that has looked since it was called last. */
  prune(): boolean {
    this.#floor = this.#mark;
    this.#mark = Math.min(this.#next, ...this.#running);
    this.#log = this.#log.filter(({ xid }) => xid >= this.#floor);
    return true;
  }

  /** What is under way is lost, and nothing else. */
  cut(): boolean {
    this.#interruptions++;
    return true;
  }

  /** Does not answer for so many ticks. */
  silence(ticks: number): boolean {
    this.#silentUntil = this.#scheduler.time + ticks;
    return true;
  }

  /** The client keeps a transaction open for so many ticks, and runs every statement in it. */
  hold(ticks: number): boolean {
    const held = this.#held = this.#snapshot();
    this.#scheduler.after(ticks, () => {
      if (this.#held === held) this.#held = undefined;
    });
    return true;
  }

  /** Rows change while the triggers are disabled, or with the shape of the table. */
  bypass(ticks: number, write: () => void): boolean {
    if (!this.#triggersEnabled) return false;
    this.#triggersEnabled = false;
    this.#shape++;
    write();
    const enable = () => {
      this.#triggersEnabled = true;
      this.#shape++;
    };
    if (ticks === 0) {
      enable();
      return true;
    }
    for (let i = 0; i < 2; i++) this.#scheduler.after(this.#random.integer(1, ticks - 1), write);
    this.#scheduler.after(ticks, enable);
    return true;
  }

  /** It is stopped and started, and loses nothing. */
  restart(ticks: number): boolean {
    this.#identity.started++;
    this.#endAll(ticks);
    return true;
  }

  /**
   * From now on nothing is flushed; after so many ticks it crashes, what was not flushed is undone, and the numbers of the
   * transactions are used again.
   *
   * @param how What the crash shows beside the new life: a killed backend nothing, a restart its start, a failover both.
   */
  crash(how: "backend" | "server" | "failover", ticks: number, downTicks: number): boolean {
    const flushed = this.#flush();
    this.#scheduler.after(ticks, () => {
      this.#next = flushed.next;
      this.#log = [...flushed.log];
      for (const [id, document] of this.table.documents) {
        document.restore(flushed.documents.get(id), this.#scheduler.time, false);
      }
      this.#identity.life++;
      if (how !== "backend") this.#identity.started++;
      if (how === "failover") this.#identity.timeline++;
      this.#endAll(downTicks);
    });
    return true;
  }

  #flush(): Flushed {
    const documents = new Map(Array.from(this.table.documents, ([id, document]) => [id, document.save()]));
    return { next: this.#next, log: [...this.#log], documents };
  }

  #endAll(downTicks: number): void {
    this.#running.clear();
    this.#held = undefined;
    this.#interruptions++;
    this.#downUntil = this.#scheduler.time + downTicks;
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#downUntil = this.#silentUntil = 0;
    this.#held = undefined;
  }
}

function parse(snapshot: string): { xmin: number; xmax: number; xip: readonly number[] } | undefined {
  if (snapshot === "") return undefined;
  const [xmin, xmax, xip = ""] = snapshot.split(":");
  return { xmin: Number(xmin), xmax: Number(xmax), xip: xip === "" ? [] : xip.split(",").map(Number) };
}
