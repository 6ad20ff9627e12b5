/** How far the demo says that it is while it begins. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { progressOf } from "../../examples/blog/progress.ts";
import { openSnapshot } from "../../examples/blog/snapshot.ts";

function told(isTTY: boolean, steps: readonly number[], total: number): string[] {
  const lines: string[] = [];
  const progress = progressOf("filling", "things", { isTTY, write: (text) => lines.push(text) });
  for (const done of steps) progress(done, total);
  return lines;
}

test("progressOf: on a terminal one line is written over, and ended at the end", () => {
  assert.deepEqual(told(true, [1, 2, 3_100], 3_100), [
    "\rfilling: 1 of 3100 things",
    "\rfilling: 2 of 3100 things",
    "\rfilling: 3100 of 3100 things\n",
  ]);
});

test("progressOf: elsewhere a line for each quarter that is reached", () => {
  const steps = Array.from({ length: 100 }, (_, at) => at + 1);
  assert.deepEqual(
    told(false, steps, 100),
    [25, 50, 75, 100].map((done) => `filling: ${done} of 100 things\n`),
  );
  assert.deepEqual(told(false, [9], 9), ["filling: 9 of 9 things\n"]);
});

test("openSnapshot: says after each piece how many of its bytes have been read", async () => {
  const folder = await mkdtemp(join(tmpdir(), "blog-"));
  try {
    const file = join(folder, "registry.snapshot");
    await writeFile(file, "x".repeat(200_000));
    const told: (readonly [number, number])[] = [];
    let length = 0;
    const pieces = await openSnapshot(file, (read, total) => told.push([read, total]));
    for await (const piece of pieces!) length += piece.length;
    assert.equal(length, 200_000);
    assert.deepEqual(told.at(-1), [200_000, 200_000]);
    assert.deepEqual(told, [...told].sort(([a], [b]) => a - b));
  } finally {
    await rm(folder, { recursive: true });
  }
});
