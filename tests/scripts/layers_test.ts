import assert from "node:assert/strict";
import { test } from "node:test";
import { type Graph, layerProblems } from "../../scripts/layers.ts";

const graph = (file: string, ...imports: string[]): Graph => new Map([[file, imports]]);

test("layerProblems: an import from a lower layer is right", () => {
  assert.deepEqual(layerProblems(graph("src/with_etag.ts", "src/registry.ts", "src/entity_tag.ts")), []);
});

test("layerProblems: an import from the same layer is found", () => {
  assert.deepEqual(layerProblems(graph("src/cache_groups.ts", "src/preconditions.ts")), [
    "src/cache_groups.ts imports src/preconditions.ts, which stands in the same layer",
  ]);
});

test("layerProblems: an import of a file by itself is found", () => {
  assert.equal(layerProblems(graph("src/clock.ts", "src/clock.ts")).length, 1);
});

test("layerProblems: an import from a higher layer is found", () => {
  assert.deepEqual(layerProblems(graph("src/entity_tag.ts", "src/with_etag.ts")), [
    "src/entity_tag.ts imports src/with_etag.ts, which stands in a higher layer",
  ]);
});

for (const target of ["node:fs", "npm:nano@11", "jsr:@std/http", "mod.ts", "tests/x.ts"]) {
  test(`layerProblems: an import of ${target} is found`, () => {
    assert.deepEqual(layerProblems(graph("src/follow.ts", target)), [
      `src/follow.ts imports ${target}, which leaves src`,
    ]);
  });
}

test("layerProblems: a leaf sees its own folder and what it is granted, nothing else", () => {
  assert.deepEqual(layerProblems(graph("src/couchdb/changes.ts", "src/couchdb/row.ts", "src/change.ts")), []);
  assert.deepEqual(layerProblems(graph("src/couchdb/changes.ts", "src/registry.ts")), [
    "src/couchdb/changes.ts imports src/registry.ts, which the leaf src/couchdb/ may not see",
  ]);
});

test("layerProblems: a leaf may be granted another leaf's folder", () => {
  assert.deepEqual(layerProblems(graph("src/nano.ts", "src/couchdb/changes.ts")), []);
  assert.deepEqual(layerProblems(graph("src/nano.ts", "src/pouchdb.ts")), [
    "src/nano.ts imports src/pouchdb.ts, which the leaf src/nano.ts may not see",
  ]);
});

test("layerProblems: nothing imports a leaf", () => {
  assert.deepEqual(layerProblems(graph("src/follow.ts", "src/couchdb/changes.ts")), [
    "src/follow.ts imports src/couchdb/changes.ts, which is a leaf: nothing imports it",
  ]);
});

test("layerProblems: a file in no layer is found", () => {
  assert.deepEqual(layerProblems(graph("src/surprise.ts")), [
    "src/surprise.ts stands in no layer: give it a row in scripts/layers.ts",
  ]);
});

test("layerProblems: what stands outside src may import anything", () => {
  assert.deepEqual(layerProblems(graph("mod.ts", "src/with_etag.ts", "src/couchdb/changes.ts")), []);
});
