import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { reasons, zeroCounters } from "../src/reason.ts";

test("reasons: each is counted from zero, and documented in docs/http.md in the same words", async () => {
  const guide = await readFile(new URL("../docs/http.md", import.meta.url), "utf8");
  const rows = new Map(
    Array.from(guide.matchAll(/^\| `([a-z0-9-]+)` +\| (.*?) +\|$/gm), ([, name, text]) => [name, text]),
  );
  assert.deepEqual(Object.keys(zeroCounters()), Object.keys(reasons));
  for (const [reason, meaning] of Object.entries(reasons)) assert.equal(rows.get(reason), meaning, reason);
});
