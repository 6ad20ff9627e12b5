import assert from "node:assert/strict";
import { test } from "node:test";
import { TestCounter, withProgress } from "../../scripts/progress.ts";

/** An output on which time passes when the test says so. */
function setUp(isTerminal: boolean, columns = 80) {
  const written: string[] = [];
  let now = 1_000;
  let timer: { readonly ms: number; readonly callback: () => void; next: number } | undefined;
  const output = {
    isTerminal,
    columns,
    now: () => now,
    write: (text: string) => void written.push(text),
    every: (ms: number, callback: () => void) => {
      timer = { ms, callback, next: now + ms };
      return () => timer = undefined;
    },
  };
  const pass = (ms: number): void => {
    const until = now + ms;
    while (timer !== undefined && timer.next <= until) {
      now = timer.next;
      timer.next += timer.ms;
      timer.callback();
    }
    now = until;
  };
  return { output, written, pass };
}

test("withProgress: a line every 20 s, none for what is over before, none after the end", async () => {
  const { output, written, pass } = setUp(false);
  let tests = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const result = withProgress("Deno", () => promise, () => `${tests} tests`, output);
  pass(19_999);
  assert.deepEqual(written, []);
  tests = 7;
  pass(1);
  pass(20_000);
  assert.deepEqual(written, ["  … Deno: 7 tests, 20 s\n", "  … Deno: 7 tests, 40 s\n"]);
  resolve("done");
  assert.equal(await result, "done");
  pass(60_000);
  assert.equal(written.length, 2);
});

test("withProgress: without a status there is the time", async () => {
  const { output, written, pass } = setUp(false);
  const { promise, resolve } = Promise.withResolvers<void>();
  const result = withProgress("type check", () => promise, undefined, output);
  pass(20_000);
  resolve();
  await result;
  assert.deepEqual(written, ["  … type check: 20 s\n"]);
});

test("withProgress: on a terminal one line is written over, fits, and leaves nothing, after a failure too", async () => {
  const { output, written, pass } = setUp(true, 20);
  const { promise, reject } = Promise.withResolvers<void>();
  const result = withProgress("Bun", () => promise, () => "12 of 2345 tests, and more", output);
  pass(1_000);
  reject(new Error("no Bun"));
  await assert.rejects(result, /no Bun/);
  const clear = "\r\x1b[K";
  assert.deepEqual(written, [`${clear}Bun: 12 of 2345 tes`, `${clear}Bun: 12 of 2345 tes`, clear]);
});

/** What each runner prints about the same five tests, and how many files it names. */
const PRINTED = {
  Deno: [
    1,
    `running 5 tests from ./tests/x_test.ts
x: one ... ok (1ms)
x: two ...
------- output -------
a line of the test's own
----- output end -----
x: two ... ok (12ms)
x: bad ... FAILED (2ms)
x: skipped ... ignored (0ms)
x: last ... ok (1s)
`,
  ],
  Bun: [
    1,
    `bun test v1.4.5 (a7733435c)

tests/x_test.ts:
(pass) x: one [0.75ms]
a line of the test's own
(pass) x: two [0.68ms]
(fail) x: bad [0.39ms]
(skip) x: skipped
(pass) x: last
`,
  ],
  Node: [
    0,
    `✔ x: one (0.6ms)
a line of the test's own
✔ x: two (0.6ms)
✖ x: bad (0.6ms)
﹣ x: skipped (0.2ms) # no CouchDB
✔ x: last (1021ms)
ℹ tests 5
`,
  ],
} as const;

for (const [runtime, [files, text]] of Object.entries(PRINTED)) {
  test(`TestCounter: counts what ${runtime} prints, in pieces of any size`, () => {
    for (const size of [1, 7, text.length]) {
      const counter = new TestCounter();
      for (let at = 0; at < text.length; at += size) counter.read(text.slice(at, at + size));
      assert.deepEqual([counter.tests, counter.files], [5, files], `${size}`);
    }
  });
}
