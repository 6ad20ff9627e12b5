import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { zeroCounters } from "../../src/registry/reason.ts";

function read(path: string): Promise<string> {
  return readFile(new URL(path, import.meta.url), "utf8");
}

/** Name and meaning of everything in a text that looks like this. */
function meanings(text: string, pattern: RegExp): Map<string | undefined, string | undefined> {
  return new Map(Array.from(text.matchAll(pattern), ({ groups }) => [groups?.["name"], groups?.["meaning"]]));
}

test("Reason: each is counted from zero, and documented in docs/http.md in the same words", async () => {
  const guide = meanings(
    await read("../../docs/http.md"),
    /^\| `(?<name>[a-z0-9-]+)` +\| (?<meaning>.*?) +\|$/gm,
  );
  const source = meanings(
    await read("../../src/registry/reason.ts"),
    /\/\*\* (?<meaning>.*?) \*\/\s+\| "(?<name>[a-z0-9-]+)"/g,
  );
  assert.ok(source.size > 30);
  assert.deepEqual(Object.keys(zeroCounters()), [...source.keys()]);
  for (const [reason, meaning] of source) assert.equal(guide.get(reason), meaning, reason);
  for (const count of Object.values(zeroCounters())) assert.equal(count, 0);
});
