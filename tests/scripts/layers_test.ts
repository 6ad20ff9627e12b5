import assert from "node:assert/strict";
import { test } from "node:test";
import { type Graph, layerProblems } from "../../scripts/layers.ts";

const graph = (file: string, ...imports: string[]): Graph => new Map([[file, imports]]);

const allowed: readonly (readonly [string, ...string[]])[] = [
  ["src/handler/with_etag.ts", "src/registry/registry.ts", "src/changes/clock.ts", "src/http/entity_tag.ts"],
  ["src/registry/follow.ts", "src/changes/change.ts", "src/http/dependency.ts", "src/registry/registry.ts"],
  ["src/http/preconditions.ts", "src/http/http_date.ts"],
  ["src/couchdb/changes.ts", "src/couchdb/reader/feed.ts", "src/changes/change.ts"],
  ["src/couchdb/reader/feed.ts", "src/couchdb/connection/options.ts", "src/couchdb/wire/rows.ts"],
  ["src/nano.ts", "src/couchdb/changes.ts", "src/changes/change.ts"],
  ["mod.ts", "src/handler/with_etag.ts", "src/couchdb/changes.ts"],
];

for (const [file, ...imports] of allowed) {
  test(`layerProblems: ${file} may import ${imports.join(", ")}`, () => {
    assert.deepEqual(layerProblems(graph(file, ...imports)), []);
  });
}

const forbidden: readonly (readonly [string, string])[] = [
  ["src/http/entity_tag.ts", "src/handler/with_etag.ts"],
  ["src/http/entity_tag.ts", "src/changes/clock.ts"],
  ["src/registry/registry.ts", "src/handler/context.ts"],
  ["src/registry/follow.ts", "src/couchdb/changes.ts"],
  ["src/couchdb/changes.ts", "src/registry/registry.ts"],
  ["src/couchdb/changes.ts", "src/http/entity_tag.ts"],
  ["src/couchdb/wire/rows.ts", "src/couchdb/connection/options.ts"],
  ["src/couchdb/connection/client.ts", "src/couchdb/reader/reader.ts"],
  ["src/couchdb/reader/reader.ts", "src/couchdb/changes.ts"],
  ["src/nano.ts", "src/pouchdb.ts"],
  ["src/nano.ts", "src/registry/registry.ts"],
  ...["node:fs", "npm:nano@11", "jsr:@std/http", "mod.ts", "tests/x.ts"].map((target) =>
    ["src/registry/follow.ts", target] as const
  ),
];

for (const [file, target] of forbidden) {
  test(`layerProblems: ${file} may not import ${target}`, () => {
    assert.deepEqual(layerProblems(graph(file, target)), [
      `${file} imports ${target}, which its layer may not see`,
    ]);
  });
}

test("layerProblems: a circle is found once, within a folder too", () => {
  const [a, b, c] = ["src/http/a.ts", "src/http/b.ts", "src/http/c.ts"];
  assert.deepEqual(layerProblems(new Map([[a, [b]], [b, [c]], [c, [b]]])), [
    `a circle: ${b} imports ${c} imports ${b}`,
  ]);
  assert.equal(layerProblems(graph(a, a)).length, 1);
});

test("layerProblems: a folder without a rule is found", () => {
  assert.deepEqual(layerProblems(graph("src/surprise/x.ts")), [
    "src/surprise/x.ts is in no folder that scripts/layers.ts knows",
  ]);
});
