import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { isModelled, rules } from "../model/rules.ts";
import { leftToModel, mutants } from "./all.ts";
import { anchorMutants } from "./anchor.ts";
import { checkMutants } from "./checks.ts";
import { contactMutants } from "./contact.ts";
import { furtherMutants } from "./further.ts";
import { memoryMutants } from "./memory.ts";
import { applied, type Mutant } from "./mutant.ts";
import { restartMutants } from "./restarts.ts";
import { snapshotMutants } from "./snapshots.ts";
import { tagMutants } from "./tags.ts";
import { wiringMutants } from "./wiring.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

/** What keeps a mutant from being applied; undefined: nothing. */
function problemOf({ name, edits }: Mutant): string | undefined {
  try {
    for (const edit of edits) applied(edit, read(`src/${edit.file}`));
    return undefined;
  } catch (error) {
    return `${name}: ${(error as Error).message}`;
  }
}

test("mutants: every edit applies to the sources as they are", () => {
  assert.ok(mutants.length >= 50, `${mutants.length}`);
  assert.deepEqual([...mutants, ...furtherMutants].flatMap((mutant) => problemOf(mutant) ?? []), []);
});

test("mutants: every edit changes something", () => {
  for (const { name, edits } of mutants) {
    for (const { search, replace } of edits) assert.notEqual(search, replace, name);
  }
});

test("mutants: what random runs do not meet is a rule of the model", () => {
  for (const name of leftToModel) {
    const rule = rules.find((each) => each.name === name);
    assert.ok(rule !== undefined && isModelled(rule), name);
  }
});

test("mutants: no name twice", () => {
  const names = mutants.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

/** The rows of the table of docs/consistency.md that stands under `<!-- mutants: topic -->`, cell by cell. */
function tableOf(topic: string): readonly (readonly string[])[] {
  const marker = `<!-- mutants: ${topic} -->\n\n`;
  const [, after = ""] = read("docs/consistency.md").split(marker);
  const [, , ...rows] = (after.split("\n\n")[0] ?? "").trim().split("\n");
  return rows.map((row) => row.split("|").slice(1, -1).map((cell) => cell.trim()));
}

const TOPICS: Readonly<Record<string, readonly Mutant[]>> = {
  memory: memoryMutants,
  contact: contactMutants,
  anchor: anchorMutants,
  tags: tagMutants,
  restarts: restartMutants,
  checks: checkMutants,
  wiring: wiringMutants,
  snapshots: snapshotMutants,
};

for (const [topic, ofTopic] of Object.entries(TOPICS)) {
  test(`mutants: docs/consistency.md has the mutants of ${topic}, their files, and what each took to find`, () => {
    const table = tableOf(topic);
    assert.deepEqual(table.map(([name]) => name), ofTopic.map(({ name }) => name));
    for (const [index, { edits }] of ofTopic.entries()) {
      const [name, file = "", steps = ""] = table[index] ?? [];
      assert.ok(edits.some((edit) => file === `\`src/${edit.file}\``), `${name}: ${file}`);
      assert.match(
        steps,
        leftToModel.has(name!) ? /^by the model$/ : /^\d{1,3}(,\d{3})*$/,
        name,
      );
    }
  });
}

test("mutants: each is of one topic, and docs/consistency.md has no other table", () => {
  assert.deepEqual([...mutants], Object.values(TOPICS).flat());
  const topics = [...read("docs/consistency.md").matchAll(/<!-- mutants: (\w+) -->/g)].map(([, topic]) =>
    topic
  );
  assert.deepEqual(topics, Object.keys(TOPICS));
});
