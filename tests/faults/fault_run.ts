/**
 * One follower, one fault: does everything that was written arrive, and how soon?
 */
import { FaultyCouchdb } from "./faulty_couchdb.ts";
import type { Fault } from "./faults.ts";

/** What a fault is put to. */
export interface Follower {
  readonly name: string;
  /**
   * Follows the database at `url`.
   *
   * @param seen Told each change's document id; may throw, as a consumer does.
   * @param ended Told when the follower has given up.
   * @returns What stops it.
   */
  follow(
    url: string,
    since: 0 | "now",
    seen: (id: string) => void,
    ended: (error: unknown) => void,
  ): Promise<() => unknown> | (() => unknown);
}

export type Outcome = "ok" | "lost" | "stuck" | "ended";

export interface Verdict {
  readonly outcome: Outcome;
  /** What did not arrive. */
  readonly missing: readonly string[];
  /** Milliseconds from the fault until everything had arrived, at the server's pace. */
  readonly recovery: number;
  /** What the follower gave up with. */
  readonly error: unknown;
  /** Requests made from the fault on. */
  readonly requests: number;
}

export class ConsumerError extends Error {}

export interface Patience {
  /** Heartbeats and silences are this many times shorter. */
  readonly pace: number;
  /** Milliseconds after which a follower counts as stuck. */
  readonly limit: number;
  /** Milliseconds it has to bring what is missing, once what was written last has come. */
  readonly grace: number;
}

/** Written once a follower has been given up. */
const LATE = "late";
const OLD = ["old-1", "old-2", "old-3"];

/** Puts a follower to a fault. */
export async function faultRun(follower: Follower, fault: Fault, patience: Patience): Promise<Verdict> {
  const { pace } = patience;
  const database = await FaultyCouchdb.start(pace);
  database.put(...OLD);
  fault.prepare?.(database);
  const since = fault.since ?? 0;
  const witness = new Witness(fault.throwsAt);
  const stop = await follower.follow(`${database.origin}/db`, since, witness.seen, witness.ended);
  const overdue = new Promise<"late">((resolve) => setTimeout(() => resolve("late"), patience.limit).unref());
  const run = async (): Promise<void> => {
    if (fault.final) return await witness.end;
    if (since === 0) await witness.saw(OLD);
    await database.followed();
    witness.start(database.requests.length);
    await fault.strike?.(database);
    database.put("after");
    await witness.saw(["after"]);
    await Promise.race([witness.saw(fault.written), delay(patience.grace)]);
  };
  const end = await Promise.race([run(), witness.end, overdue]);
  if (end === "late") {
    // Does it still follow, past what it has missed?
    database.put(LATE);
    await Promise.race([witness.saw([LATE]), delay(patience.grace)]);
  }
  const verdict = witness.judge(fault, pace, database.requests.length);
  const stopped = await Promise.race([Promise.resolve(stop()).then(() => true), delay(patience.grace)]);
  database.close();
  return stopped ? verdict : { ...verdict, outcome: "stuck", error: "it does not stop" };
}

/** What a follower was seen to do. */
class Witness {
  readonly #ids = new Set<string>();
  #waiting: { readonly ids: readonly string[]; readonly come: () => void }[] = [];
  #throwsAt: string | undefined;
  #started = performance.now();
  #last = this.#started;
  #asked = 0;
  #error: { readonly value: unknown } | undefined;
  #end = (): void => {};
  readonly end: Promise<void> = new Promise((resolve) => this.#end = resolve);

  constructor(throwsAt: string | undefined) {
    this.#throwsAt = throwsAt;
  }

  readonly seen = (id: string): void => {
    if (id === this.#throwsAt) {
      this.#throwsAt = undefined;
      throw new ConsumerError("the consumer throws");
    }
    if (!this.#ids.has(id)) this.#last = performance.now();
    this.#ids.add(id);
    this.#waiting = this.#waiting.filter(({ ids, come }) => {
      const all = ids.every((id) => this.#ids.has(id));
      if (all) come();
      return !all;
    });
  };

  readonly ended = (error: unknown): void => {
    this.#error ??= { value: error };
    this.#end();
  };

  start(asked: number): void {
    this.#started = this.#last = performance.now();
    this.#asked = asked;
  }

  saw(ids: readonly string[]): Promise<void> {
    if (ids.every((id) => this.#ids.has(id))) return Promise.resolve();
    return new Promise((come) => this.#waiting.push({ ids, come }));
  }

  judge({ written, final }: Fault, pace: number, asked: number): Verdict {
    const missing = [...written, ...(final ? [] : ["after"])].filter((id) => !this.#ids.has(id));
    const recovery = (this.#last - this.#started) * pace;
    return {
      outcome: this.#outcome(missing, final === true),
      missing,
      recovery,
      error: this.#error?.value,
      requests: asked - this.#asked,
    };
  }

  #outcome(missing: readonly string[], final: boolean): Outcome {
    if (this.#error !== undefined) return final ? "ok" : "ended";
    if (final || (missing.includes("after") && !this.#ids.has(LATE))) return "stuck";
    return missing.length > 0 ? "lost" : "ok";
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
