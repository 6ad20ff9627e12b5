/** Numbers that were seen and that may still appear: a model of transactions that take them in another order than they commit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Transaction, Undecided } from "../../src/mysql/undecided.ts";
import fc from "../support/fast_check.ts";

const one = (id: string, thread = id, started = "1"): Transaction => ({ id, thread, started });

test("Undecided: what is missing below the highest number is a gap, until it is seen", () => {
  const first = new Undecided(3, []).see([9, 5]);
  assert.deepEqual([first.top, first.gaps, first.decided], [9, [[4, 4], [6, 8]], 3]);
  const second = first.see([7, 12]);
  assert.deepEqual([second.top, second.gaps], [12, [[4, 4], [6, 6], [8, 8], [10, 11]]]);
  assert.deepEqual(second.see([4, 6, 8, 10, 11]).gaps, []);
  assert.deepEqual([first.top, first.gaps.length], [9, 2], "an earlier state stays as it was");
});

test("Undecided: a gap is void once each listed transaction has ended, and one more look was made", () => {
  const gap = new Undecided(0, []).see([3]);
  const waiting = gap.list([one("7"), one("8")]).see([]);
  assert.deepEqual(waiting.gaps, [[1, 2]]);
  const half = waiting.list([one("8"), one("9")]).see([2]);
  assert.deepEqual(half.gaps, [[1, 1]]);
  const ended = half.list([one("9")]);
  assert.deepEqual(ended.gaps, [[1, 1]], "what they committed has not been looked for");
  assert.deepEqual(ended.see([1]).gaps, []);
  assert.deepEqual(ended.see([6]).gaps, [[4, 5]], "a later gap waits for a later listing");
});

test("Undecided: nothing that runs voids the gaps with the next look", () => {
  assert.deepEqual(new Undecided(0, []).see([3]).list([]).see([4]).gaps, []);
});

/** A listed transaction, as which others it may go on, and whether it may. */
const same = [
  [one("0", "5"), one("9", "5"), true, "it has written since"],
  [one("9", "5"), one("9", "0"), true, "it was prepared, and its connection is gone"],
  [one("0", "5"), one("9", "0"), true, "both in between"],
  [one("9", "5"), one("10", "5", "2"), false, "the next one of the connection"],
  [one("0", "5"), one("0", "6"), false, "another connection"],
] as const;

for (const [before, after, holds, why] of same) {
  test(`Undecided: a transaction ${holds ? "goes on" : "has ended"}: ${why}`, () => {
    const { gaps } = new Undecided(0, []).see([3]).list([before]).list([after]).see([]);
    assert.equal(gaps.length, holds ? 1 : 0);
  });
}

test("Undecided: a transaction that is prepared for ever holds the gaps that it may fill, and no prepared one of before the next", () => {
  const old = one("4", "0");
  let state = new Undecided(0, []).see([3]).list([old]).see([]).list([old]).see([]);
  assert.equal(state.gaps.length, 1);
  state = state.list([]).see([]);
  assert.equal(state.gaps.length, 0);
});

test("Undecided: a position is its text, and any other text is none", () => {
  for (const state of [new Undecided(0, []), new Undecided(9, [[1, 1], [3, 7]])]) {
    const read = Undecided.parse(state.toString())!;
    assert.deepEqual([read.top, read.gaps], [state.top, state.gaps]);
  }
  for (
    const text of [
      "",
      "9:",
      "9:1",
      "1-2",
      "-5",
      "9:1-2,",
      "1:2-3;drop table posts",
      9,
      undefined,
      "9".repeat(20),
    ]
  ) {
    assert.equal(Undecided.parse(text), undefined, String(text));
  }
});

/** A server: transactions take numbers, end, are prepared and detached; a look and a listing see it as it is then. */
class Model {
  next = 1;
  readonly visible: number[] = [];
  readonly running: { id: number; thread: number; started: number; numbers: number[] }[] = [];
  #ids = 100;
  #time = 0;

  begin(thread: number): void {
    if (this.running.some((transaction) => transaction.thread === thread)) return;
    this.running.push({ id: 0, thread, started: ++this.#time, numbers: [] });
  }

  take(at: number): void {
    const transaction = this.running[at % this.running.length];
    // A prepared one takes none.
    if (transaction === undefined || transaction.thread === 0) return;
    transaction.numbers.push(this.next++);
  }

  /** The number has become a row. */
  write(at: number): void {
    const transaction = this.running[at % this.running.length];
    if (transaction !== undefined && transaction.numbers.length > 0) transaction.id ||= ++this.#ids;
  }

  detach(at: number): void {
    const transaction = this.running[at % this.running.length];
    if (transaction === undefined) return;
    transaction.id ||= ++this.#ids;
    transaction.thread = 0;
  }

  end(at: number, commits: boolean): void {
    const [transaction] = this.running.splice(at % Math.max(1, this.running.length), 1);
    if (commits) this.visible.push(...transaction?.numbers ?? []);
  }

  listing(): Transaction[] {
    return this.running.map(({ id, thread, started }) => ({
      id: `${id}`,
      thread: `${thread}`,
      started: `${started}`,
    }));
  }
}

const at = fc.nat({ max: 5 });
const act = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("begin" as const), at: fc.integer({ min: 1, max: 5 }) }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("take" as const, "write" as const), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("commit" as const, "roll back" as const), at }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("detach" as const), at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("look" as const, "list" as const), at }) },
);

/** What the follower has not been told at the end, and how many gaps are left when nothing runs. */
function run(
  acts: readonly { kind: string; at: number }[],
  forgets: boolean,
): { untold: number[]; left: number } {
  const model = new Model();
  let state = new Undecided(0, []);
  const told: number[] = [];
  const look = () => {
    const found = model.visible.filter((n) =>
      n > state.top || state.gaps.some(([from, to]) => n >= from && n <= to)
    );
    assert.deepEqual(found.filter((n) => told.includes(n)), [], "told once");
    told.push(...found);
    state = state.see(found);
    // All that is decided and visible has been told.
    assert.deepEqual(model.visible.filter((n) => n <= state.decided && !told.includes(n)), []);
  };
  const list = () => void (state = state.list(forgets ? [] : model.listing()));
  for (const { kind, at } of acts) {
    if (kind === "begin") model.begin(at);
    else if (kind === "take") model.take(at);
    else if (kind === "write") model.write(at);
    else if (kind === "detach") model.detach(at);
    else if (kind === "look") look();
    else if (kind === "list") {
      list();
      look();
    } else model.end(at, kind === "commit");
  }
  while (model.running.length > 0) model.end(0, true);
  for (let n = 0; n < 3; n++) {
    list();
    look();
  }
  return { untold: model.visible.filter((n) => !told.includes(n)), left: state.gaps.length };
}

test("Undecided: whatever the order of commits, each number is told once, and no gap is left when nothing runs", () => {
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => {
      assert.deepEqual(run(acts, false), { untold: [], left: 0 });
    }),
    { numRuns: 1_500 },
  );
});

test("Undecided: a listing that leaves out what runs loses numbers, so the model finds that", () => {
  const { failed } = fc.check(
    fc.property(fc.array(act, { maxLength: 60 }), (acts) => run(acts, true).untold.length === 0),
    { numRuns: 1_500 },
  );
  assert.equal(failed, true);
});
