/** Writes and faults at random: whatever happens, the reader ends up with every document's latest revision. */
import assert from "node:assert/strict";
import fc from "../support/fast_check.ts";
import { test } from "node:test";
import type { Harness } from "../support/feed_harness.ts";
import { type Batch, has, live, until, withDatabase } from "../support/feed_harness.ts";
import { type Asked, type Fault, json } from "../support/scripted_couchdb.ts";

type Step = (harness: Harness) => void | Promise<void>;

const document = fc.nat(7).map((n) => `doc-${n}`);
const kind = fc.constantFrom<Asked["kind"]>("information", "page", "newest", "continuous", "longpoll");

const faults: Record<string, Fault> = {
  unavailable: (_, response) => json(response, 503, "{}"),
  gone: (_, response) => void response.destroy(),
  html: (_, response) => json(response, 200, "<html>\n", { "content-type": "text/html" }),
  halfRow: (_, response) => json(response, 200, `{"seq":"1-g1AAAA","id":"doc-1","chan`),
  refused: (_, response) => json(response, 500, `{"error":"timeout","reason":"late"}`),
};

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: document.map((id) => ({ database }: Harness) => void database.put(id)) },
  { weight: 2, arbitrary: document.map((id) => ({ database }: Harness) => void database.put(id, true)) },
  { weight: 3, arbitrary: document.map((id) => ({ database }: Harness) => void database.putSilently(id)) },
  {
    weight: 4,
    arbitrary: fc.tuple(kind, fc.constantFrom(...Object.values(faults)), document).map(
      ([kind, fault, id]) => ({ database }: Harness) =>
        database.fail(kind, (asked, response) => {
          database.putSilently(id);
          return fault(asked, response);
        }),
    ),
  },
  { weight: 2, arbitrary: fc.constant(({ database }: Harness) => database.cut()) },
  { weight: 2, arbitrary: fc.boolean().map((clean) => ({ database }: Harness) => database.end(clean)) },
  {
    weight: 1,
    arbitrary: fc.constant(({ database }: Harness) => {
      database.send(`{"seq":"1-g1AAAA","id":"do`);
      return database.cut();
    }),
  },
  { weight: 3, arbitrary: fc.constant(({ time }: Harness) => time.advance(12_500)) },
  { weight: 1, arbitrary: fc.constant(({ database }: Harness) => database.purge("doc-0")) },
  {
    weight: 1,
    arbitrary: document.map((id) => ({ database }: Harness) => {
      database.recreate();
      database.put(id);
    }),
  },
  { weight: 4, arbitrary: fc.constant(() => new Promise<void>((resolve) => setTimeout(resolve, 2))) },
);

/** What a consumer that empties its copy at a reset knows. */
function copyOf(batches: readonly Batch[]): Map<string, string> {
  const copy = new Map<string, string>();
  for (const { reset, changes } of batches) {
    if (reset !== undefined && reset !== "purged") copy.clear();
    for (const { id, rev } of changes) copy.set(id, rev);
  }
  return copy;
}

const probed = ({ state, changes }: Batch): boolean => state === "live" && changes.length === 0;

/** Of a filtered feed, the odd documents are hidden. */
const shown = (id: string): boolean => !/[1357]$/.test(id);

for (
  const [since, selection] of [
    [0, {}],
    ["now", {}],
    [0, { filter: "app/mine" }],
    ["now", { filter: "app/mine", timeout: 10_000 }],
    ["now", { feed: "longpoll" }],
  ] as const
) {
  test(`changes: since ${since} ${JSON.stringify(selection)}, no change is lost under random writes and faults`, () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        (steps, batchSize) =>
          withDatabase(async (harness) => {
            const { database, open } = harness;
            for (let n = 0; n < 8; n++) database.put(`doc-${n}`);
            const before = database.latest();
            database.matches = shown;
            const batches = open({ since, batchSize, ...selection }).batches();
            const seen = since === 0 ? [] : await until(batches, live);
            const reading = until(batches, has("end"));
            for (const step of steps) await step(harness);
            // A stalled feed is found out by the next probe.
            const ending = setInterval(() => {
              database.put("end");
              harness.time.advance(12_500);
            }, 20);
            seen.push(...await reading);
            // A fault writes too, perhaps after the last page of the probe that is under way.
            database.heal();
            seen.push(...await until(batches, probed), ...await until(batches, probed));
            clearInterval(ending);
            const copy = copyOf(seen);
            for (const [id, rev] of database.latest()) {
              if ("filter" in selection && !shown(id)) {
                assert.equal(copy.get(id), undefined, id);
              } else if (id !== "end" && (since === 0 || before.get(id) !== rev)) {
                assert.equal(copy.get(id), rev, id);
              }
            }
          }),
      ),
      { numRuns: 25 },
    ));
}
