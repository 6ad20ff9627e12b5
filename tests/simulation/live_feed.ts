/** A continuous `_changes` connection: rows when they come, heartbeats while they do not, and what can go wrong. */
import { MS } from "./clocks.ts";
import type { Database, Row } from "./database.ts";
import type { Exchange } from "./exchange.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** Lines that may be sent again word for word. */
const SENT = 40;

export class LiveFeed {
  readonly exchange: Exchange;
  readonly database: Database;
  /** After the last row sent. */
  position: number[];
  /** What follows the database for it has been paused: bytes go on, rows do not. */
  stalled = false;
  /** Nothing comes before this time. */
  silentUntil = 0;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #heartbeat: number;
  #scheduled = false;
  /** What is left of rows that go out in two pieces, and whatever has to wait behind them. */
  #rest: string | undefined;
  /** The last lines, as they went out. */
  readonly #sent: { readonly id: string; readonly text: string }[] = [];

  /** @param heartbeat Milliseconds. */
  constructor(
    exchange: Exchange,
    database: Database,
    position: number[],
    heartbeat: number,
    scheduler: Scheduler,
    random: Random,
  ) {
    this.exchange = exchange;
    this.database = database;
    this.position = position;
    this.#heartbeat = heartbeat;
    this.#scheduler = scheduler;
    this.#random = random;
    exchange.head(200, "application/json");
    exchange.send("\n");
    this.#beat();
    this.wake();
  }

  /** Whole lines, behind what is under way. */
  send(text: string): void {
    if (this.#rest === undefined) this.exchange.send(text);
    else this.#rest += text;
  }

  #flush(): void {
    if (this.#rest !== undefined) this.exchange.send(this.#rest);
    this.#rest = undefined;
  }

  /** A last line, and the end. */
  end(line: string): void {
    this.#flush();
    this.exchange.send(line);
    this.exchange.end();
  }

  /** There may be rows to send. */
  wake(): void {
    if (this.#scheduled || !this.exchange.open) return;
    this.#scheduled = true;
    const delay = this.#random.chance(0.9)
      ? this.#random.integer(1, 30 * MS)
      : this.#random.integer(1, 900 * MS);
    this.#scheduler.after(Math.max(delay, this.silentUntil - this.#scheduler.time), () => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  /** What is due comes so many ticks later. */
  delay(ticks: number): void {
    this.silentUntil = this.#scheduler.time + ticks;
  }

  #beat(): void {
    this.#scheduler.after(this.#heartbeat * MS, () => {
      if (!this.exchange.open) return;
      if (this.#scheduler.time >= this.silentUntil) this.send("\n");
      this.#beat();
    });
  }

  #deliver(): void {
    if (!this.exchange.open || this.stalled || !this.database.exists) return;
    if (this.#scheduler.time < this.silentUntil) return this.wake();
    const rows = this.#next();
    if (rows.length === 0) return;
    const lines = rows.map((row) => ({ id: row.json.id, text: this.line(row) }));
    this.#sent.push(...lines);
    this.#sent.splice(0, this.#sent.length - SENT);
    const text = lines.map((line) => line.text).join("");
    if (this.#rest !== undefined || this.#random.chance(0.9)) return this.send(text);
    const middle = this.#random.integer(1, text.length);
    this.send(text.slice(0, middle));
    this.#rest = text.slice(middle);
    this.#scheduler.after(this.#random.integer(1, 20 * MS), () => this.#flush());
  }

  /** Some rows of each shard, in the order of the shard but in none among shards. */
  #next(): Row[] {
    const queues = this.database.rows(this.position);
    const rows: Row[] = [];
    for (;;) {
      const waiting = queues.filter((queue) => queue.length > 0);
      if (waiting.length === 0) return rows;
      if (rows.length > 0 && this.#random.chance(0.05)) {
        this.wake();
        return rows;
      }
      rows.push(this.#random.pick(waiting).shift()!);
    }
  }

  /** A row as it is sent; the position moves on with it. */
  line(row: Row): string {
    this.position = [...this.position];
    this.position[row.document.shard] = row.seq;
    return `${JSON.stringify({ seq: this.database.spell(this.position), ...row.json })}\n`;
  }

  /** The last rows once more. */
  repeat(rows: number): boolean {
    const before = this.position.map((seq) => Math.max(0, seq - rows));
    const known = this.database.rows(before).flat().filter(({ document, seq }) =>
      seq <= this.position[document.shard]!
    );
    if (known.length === 0 || !this.exchange.open || this.stalled) return false;
    const after = this.position;
    const text = known.map((row) => this.line(row)).join("");
    // What comes next carries on from where the feed really is.
    this.position = after;
    this.send(text);
    return true;
  }

  /** The last line that was overtaken by a newer one of its document, word for word: bytes of a former answer. */
  echo(): boolean {
    const newest = new Set<string>();
    const overtaken = this.#sent.findLast(({ id }) => newest.has(id) || (newest.add(id), false));
    if (overtaken === undefined || !this.exchange.open || this.stalled) return false;
    this.send(overtaken.text);
    return true;
  }

  /** All rows once more, as when a shard's file has been rebuilt. */
  rewind(): boolean {
    if (!this.exchange.open || this.position.every((seq) => seq === 0)) return false;
    this.position = this.position.map((seq) => this.#random.chance(0.7) ? 0 : seq);
    this.wake();
    return true;
  }

  /** Part of a row, and then nothing more. */
  cutMidRow(): void {
    const text = '{"seq":"1-1.x","id":"a-1","changes":[{"rev":"1-a"}]}\n';
    this.exchange.send(text.slice(0, this.#random.integer(1, text.length - 2)));
    this.exchange.fail(new TypeError("connection reset"));
  }
}
