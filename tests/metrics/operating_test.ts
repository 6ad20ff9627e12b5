/** docs/operating.md shows the families, reasons and resets that the library has. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { reasonFamilies } from "../../mod.ts";
import { cellsBetween, operatingTables } from "../../scripts/operating.ts";
import { feedResets } from "../../src/registry/feed_counters.ts";

const guide = await readFile(new URL("../../docs/operating.md", import.meta.url), "utf8");

test("docs/operating.md: its tables are the library's own", async () => {
  const tables = await operatingTables();
  assert.deepEqual(Object.keys(tables), ["families", "reasons"]);
  for (const [name, table] of Object.entries(tables)) {
    assert.deepEqual(cellsBetween(guide, name), table, name);
  }
});

test("docs/operating.md: each reason is in its table once", async () => {
  const [, ...rows] = (await operatingTables())["reasons"]!;
  assert.deepEqual(
    rows.map(([reason]) => reason!.replaceAll("`", "")).sort(),
    Object.keys(reasonFamilies).sort(),
  );
});

test("docs/operating.md: each reason of a reset is in the table of StillfreshResets once", () => {
  const part = guide.slice(
    guide.indexOf("### StillfreshResets"),
    guide.indexOf("### StillfreshAuditMismatch"),
  );
  const told = Array.from(part.matchAll(/^\| `([a-z-]+)` /gm), ([, reason]) => reason!);
  assert.deepEqual(told.sort(), Object.keys(feedResets).sort());
});
