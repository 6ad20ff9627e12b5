/** The rules and the dashboard of examples/metrics: they name only what the metrics have, and fire where they have to. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { EtagRegistry, follow } from "../../mod.ts";
import { type MetricFamily, metrics } from "../../src/metrics/metrics.ts";
import { PushedFeed } from "../support/feed.ts";
import { noPromtool, promtool } from "./promtool.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** All families, with one feed. */
async function families(): Promise<readonly MetricFamily[]> {
  const registry = new EtagRegistry();
  const follower = follow(registry, new PushedFeed());
  const all = metrics({ registry }).families();
  await follower.close();
  return all;
}

/** What is wrong with an expression: a name that no sample has, a label that it has not, a value that no label has. */
function problemsOf(expression: string, all: readonly MetricFamily[]): string[] {
  const samples = all.flatMap(({ name, samples }) =>
    samples.map(({ suffix, labels }) => ({ name: `${name}${suffix}`, labels }))
  );
  const problems: string[] = [];
  for (const [, name, selector = ""] of expression.matchAll(/\b(stillfresh_\w+)(?:\{([^}]*)\})?/g)) {
    const named = samples.filter((sample) => sample.name === name);
    if (named.length === 0) problems.push(`there is no ${name}`);
    for (const [, label = "", operator, text = ""] of selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g)) {
      if (label === "instance") continue;
      const values = new Set(named.map(({ labels }) => labels[label]));
      for (const value of operator!.endsWith("~") ? text.split("|") : [text]) {
        if (!values.has(value)) problems.push(`${name} has no ${label}="${value}"`);
      }
    }
  }
  for (const [, list = ""] of expression.matchAll(/\b(?:by|without) \(([^)]*)\)/g)) {
    for (const label of list.split(",").map((label) => label.trim())) {
      const isKnown = label === "instance" || samples.some(({ labels }) => label in labels);
      if (!isKnown) problems.push(`no sample has the label ${label}`);
    }
  }
  return problems;
}

/** The rules of the file, without a parser for YAML: one list of them, each with one expression. */
function rulesOf(
  text: string,
): { readonly alert: string; readonly expression: string; readonly runbook: string }[] {
  return text.split(/^ +- alert: /m).slice(1).map((rule) => ({
    alert: rule.slice(0, rule.indexOf("\n")),
    expression: /^ +expr: ([^]*?)^ +(?:for|labels):/m.exec(rule)![1]!,
    runbook: /#(\w+)$/m.exec(rule.slice(rule.indexOf("runbook_url")))![1]!,
  }));
}

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const panels: readonly Panel[] =
  JSON.parse(await readFile(here("../../examples/metrics/dashboard.json"), "utf8")).panels;
const rules = rulesOf(await readFile(here("../../examples/metrics/alerts.yaml"), "utf8"));

test("the judge of expressions finds what no metric has", async () => {
  const all = await families();
  assert.deepEqual(problemsOf('rate(stillfresh_requests_total{outcome="hit"}[5m])', all), []);
  assert.equal(problemsOf("stillfresh_requests", all).length, 1);
  assert.equal(problemsOf('stillfresh_requests_total{outcome="hits"}', all).length, 1);
  assert.equal(problemsOf("sum by (outcme) (stillfresh_requests_total)", all).length, 1);
});

test("dashboard.json: each query names only what there is, and each family is shown", async () => {
  const all = await families();
  const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
  assert.ok(expressions.length > 20);
  assert.deepEqual(expressions.flatMap((expression) => problemsOf(expression, all)), []);
  const shown = expressions.join("\n");
  const hidden = all.filter(({ name, samples }) =>
    !samples.some(({ suffix }) => new RegExp(`\\b${name}${suffix}\\b`).test(shown))
  );
  assert.deepEqual(hidden.map(({ name }) => name), []);
});

test("dashboard.json: no two panels overlap, and none has the title of another", () => {
  assert.equal(new Set(panels.map(({ title }) => title)).size, panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos: { x, y, w, h } } of panels) {
    assert.ok(x + w <= 24, title);
    for (let at = 0; at < w * h; at++) {
      const cell = `${x + at % w},${y + Math.floor(at / w)}`;
      assert.ok(!cells.has(cell), title);
      cells.add(cell);
    }
  }
});

test("alerts.yaml: each rule names only what there is, and a part of docs/operating.md", async () => {
  const all = await families();
  const guide = await readFile(here("../../docs/operating.md"), "utf8");
  assert.ok(rules.length >= 10);
  for (const { alert, expression, runbook } of rules) {
    assert.deepEqual(problemsOf(expression, all), [], alert);
    assert.equal(runbook, alert.toLowerCase());
    assert.ok(guide.includes(`\n### ${alert}\n`), alert);
  }
});

test("promtool check rules: alerts.yaml is clean", { skip: noPromtool }, async () => {
  const { code, said } = await promtool(["check", "rules", here("../../examples/metrics/alerts.yaml")]);
  assert.equal(code, 0, said);
  assert.match(said, new RegExp(`SUCCESS: ${rules.length} rules found`));
});

test(
  "promtool test rules: each rule fires where it has to, and not where all is well",
  { skip: noPromtool },
  async () => {
    const { code, said } = await promtool(["test", "rules", here("./alerts.yaml")]);
    assert.equal(code, 0, said);
    assert.match(said, /SUCCESS/);
  },
);
