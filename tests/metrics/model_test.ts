/** Ten thousand random requests, each of whose outcomes is known: every counter agrees, to the last one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Reason, reasonFamilies } from "../../mod.ts";
import { noPromtool, promtool } from "./promtool.ts";
import { randomRun } from "./random_run.ts";

const SEEDS = [20, 21];
const REQUESTS = 5_000;

/** What is measured, and not known beforehand. */
const MEASURED: ReadonlySet<string> = new Set([
  "stillfresh_bytes",
  "stillfresh_groups",
  "stillfresh_feed_apply_seconds_total",
]);

/** Reasons that no request of the run meets: they need a replica, a snapshot, a mistake of the handler, or a small bound. */
const UNMET: ReadonlySet<Reason> = new Set([
  ...["read-unknown", "host-echoed", "settling", "revision-differs", "unreported", "superseded"] as const,
  ...["refuted", "too-large", "evicted", "vary-grew", "membership-unknown", "overflow"] as const,
  ...["snapshot-refused", "audit-mismatch", "audit-unread", "audit-threw"] as const,
  ...["purge-field-too-large", "read-late"] as const,
]);

/** Samples by what is written before their value. */
function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1).replace("+Inf", "Infinity"))];
  }));
}

/** Without the rounding that depends on the order in which seconds were added. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

const texts: string[] = [];
const met = new Set<string>();

for (const seed of SEEDS) {
  test(`metrics: every counter agrees with ${REQUESTS} known requests, seed ${seed}`, async () => {
    await randomRun(seed, REQUESTS, ({ metrics, expected, requests }) => {
      texts.push(metrics.text("prometheus"));
      const samples = samplesOf(metrics.text());
      assert.deepEqual(samples, samplesOf(metrics.text("prometheus")));
      assert.deepEqual([...expected.keys()].filter((sample) => !samples.has(sample)), []);
      const known = [...samples].filter(([sample]) => !MEASURED.has(sample.replace(/\{[^]*/, "")));
      assert.deepEqual(
        Object.fromEntries(known.map(([sample, value]) => [sample, rounded(value)])),
        Object.fromEntries(known.map(([sample]) => [sample, rounded(expected.get(sample) ?? 0)])),
      );
      assert.equal(requests, REQUESTS);
      for (const [sample, value] of known) {
        const [, reason] = /(?:reason|outcome)="([a-z0-9-]+)"/.exec(sample) ?? [];
        if (reason !== undefined && value > 0) met.add(reason);
      }

      const sum = (name: string) =>
        known.reduce(
          (all, [sample, value]) => all + (sample.startsWith(`stillfresh_${name}`) ? value : 0),
          0,
        );
      const ended = (outcome: string) => samples.get(`stillfresh_requests_total{outcome="${outcome}"}`)!;
      assert.equal(sum("requests_total"), requests);
      assert.equal(
        sum("requests_total"),
        ended("hit") + ended("precondition-failed") + ended("precondition-required") +
          ended("current-threw") +
          ended("passed-on") + samples.get("stillfresh_handler_seconds_count")!,
      );
      assert.equal(
        samples.get("stillfresh_entries_added_total"),
        samples.get("stillfresh_entries")! + sum("departures_total") + sum("entries_voided_total"),
      );
    });
  });
}

test("metrics: the known requests meet each reason but those that are named here", () => {
  assert.deepEqual(new Set(Object.keys(reasonFamilies).filter((reason) => !met.has(reason))), UNMET);
});

test("promtool check metrics: the text of the known requests is clean", { skip: noPromtool }, async () => {
  assert.equal(texts.length, SEEDS.length);
  for (const text of texts) {
    assert.deepEqual(await promtool(["check", "metrics"], text), { code: 0, said: "" });
  }
});
