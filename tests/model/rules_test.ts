import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { mutants } from "../mutants/all.ts";
import { furtherMutants } from "../mutants/further.ts";
import { configurations, EVENTS } from "./configurations.ts";
import { furtherRules, isModelled, rules, unneededRules } from "./rules.ts";

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

const model = ["consistency.pml", "own_feed.pml"].map((file) => read(`tests/model/${file}`)).join("\n");
const modelled = [...rules.filter(isModelled), ...furtherRules, ...unneededRules];

/** The first cells of the tables of docs/consistency.md that list mutants. */
function documentedRules(): string[] {
  const tables = read("docs/consistency.md").split(/<!-- mutants: \w+ -->\n\n/).slice(1);
  return tables.flatMap((text) => {
    const [, , ...rows] = text.split("\n\n")[0]!.trim().split("\n");
    return rows.map((row) => row.split("|")[1]!.trim());
  });
}

test("model: docs/consistency.md, the mutants and the model have the same rules", () => {
  const names = rules.map(({ name }) => name);
  assert.ok(names.length >= 70, `${names.length}`);
  assert.deepEqual(names, mutants.map(({ name }) => name));
  assert.deepEqual(names, documentedRules());
});

test("model: a rule that it alone leaves out has a mutant for its replay", () => {
  assert.deepEqual(furtherMutants.map(({ name }) => name), furtherRules.map(({ name }) => name));
});

test("model: the models have a switch for each rule, and no other", () => {
  const switches = [...model.matchAll(/WITHOUT_(\w+)/g)].map(([, name]) => name!);
  const named = modelled.flatMap(({ without, guardedBy }) => [...without, ...guardedBy?.without ?? []]);
  assert.deepEqual([...new Set(named)].sort(), [...new Set(switches)].sort());
});

test("model: a rule that it does not have says why", () => {
  for (const rule of rules) if (!isModelled(rule)) assert.ok(rule.why.length > 20, rule.name);
});

test("model: each rule is left out in a configuration that there is", () => {
  const names = new Set(configurations.map(({ name }) => name));
  for (const rule of modelled) assert.ok(names.has(rule.in), `${rule.name}: ${rule.in}`);
});

test("model: a pair names another rule with its switches", () => {
  for (const { name, guardedBy } of modelled) {
    if (guardedBy === undefined) continue;
    const other = modelled.find((rule) => rule.name === guardedBy.rule);
    assert.deepEqual(other?.without, guardedBy.without, name);
  }
});

test("model: macros of configurations stand in the models, and so do the numbers of events", () => {
  for (const { name, macros } of configurations) {
    for (const macro of macros) assert.match(model, new RegExp(`\\b${macro.split("=")[0]}\\b`), name);
  }
  for (const [event, number] of Object.entries(EVENTS)) {
    assert.match(model, new RegExp(`^#define \\w+ ${number}$`, "m"), event);
  }
});

test("model: no name twice, and docs/model.md has each configuration and each rule that is only the model's", () => {
  const names = [...configurations, ...rules, ...furtherRules, ...unneededRules].map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const page = read("docs/model.md");
  for (const { name } of [...configurations, ...furtherRules, ...unneededRules]) {
    assert.ok(page.includes(`| ${name} `), name);
  }
});
