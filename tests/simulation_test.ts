import assert from "node:assert/strict";
import { test } from "node:test";
import { MS } from "./simulation/clocks.ts";
import { emptyTally, soakSeed } from "./simulation/soak.ts";
import { failedSeeds } from "./simulation/seeds.ts";
import { report } from "./simulation/shrink.ts";
import { type Action, plan } from "./simulation/plan.ts";
import { run, runSeed } from "./simulation/simulation.ts";
import { steadyState } from "./simulation/steady_state.ts";

/** For slow machines; it takes seconds. */
const patient = { timeout: 120_000 };

/** Runs of a fresh seed: some ten seconds' worth. */
const FRESH = 15;

test("simulation: no wrong 304 in a fresh slice", patient, async () => {
  const first = Math.floor(Math.random() * 2 ** 31);
  console.log(`simulation: seeds ${first} to ${first + FRESH - 1}`);
  const tally = emptyTally();
  for (let seed = first; seed < first + FRESH; seed++) {
    await soakSeed(tally, seed);
    if (tally.failures.length > 0) assert.fail(await report(seed));
  }
  assert.ok(tally.hits > tally.steps / 10, `${tally.hits} answers of the registry in ${tally.steps} steps`);
});

for (const [seed, what] of failedSeeds) {
  test(`simulation: seed ${seed}: ${what}`, patient, async () => {
    const { violation } = await runSeed(seed);
    if (violation !== undefined) assert.fail(await report(seed));
  });
}

test("simulation: the same seed is the same run", patient, async () => {
  const traces: string[][] = [[], []];
  for (const trace of traces) await runSeed(7, (line) => trace.push(line.replaceAll(/"[^"]*"/g, "tag")));
  assert.ok(traces[0]!.length > 1_000);
  assert.deepEqual(traces[0], traces[1]);
});

test("simulation: maxLag after the last contact is the last moment of an answer", patient, async () => {
  const { config } = plan(1);
  const calm = { ...config, databases: 1, replicas: 1, maxLag: 5_000, pages: 1, fromStart: false };
  let answered = 0;
  let suspended = 0;
  for (let seed = 1; seed <= 20; seed++) {
    const request = (index: number): Action => ({ name: "request", gap: 400 * MS, seed: seed * 100 + index });
    const requests = Array.from({ length: 12 }, (_, index) => request(index));
    const boundary: Action = { name: "boundary of maxLag", gap: MS, seed };
    const actions = [...requests, boundary, { ...request(12), gap: 6_000 * MS }];
    const trace: string[] = [];
    const outcome = await run({ seed, config: calm, actions }, (line) => trace.push(line));
    assert.equal(outcome.violation, undefined);
    const after = trace.slice(trace.findIndex((line) => line.endsWith("boundary of maxLag")));
    const [, then, later] = after.filter((line) => / ms (GET|HEAD|304)/.test(line));
    if (then?.endsWith("from the registry")) answered++;
    assert.ok(!later?.endsWith("from the registry"), later);
    if (later?.endsWith("runs the handler")) suspended++;
  }
  assert.ok(answered > 0, "nothing was answered at the boundary");
  assert.ok(suspended > 0, "nothing was asked after it");
});

for (const replicas of [1, 3]) {
  test(
    `simulation: in steady state at least 98 % are answered, with ${replicas} replicas`,
    patient,
    async () => {
      for (const seed of [1, 2, 3]) {
        const { answered, unchanged } = await steadyState(seed, replicas);
        assert.ok(unchanged > 5_000);
        assert.ok(answered / unchanged >= 0.98, `seed ${seed}: ${answered} of ${unchanged}`);
      }
    },
  );
}
