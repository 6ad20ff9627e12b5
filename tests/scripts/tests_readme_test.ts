import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const tests = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", tests), "utf8");

test("tests/README.md: a line for each folder, and no other", () => {
  const folders = readdirSync(tests, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const told = [...readme.matchAll(/^\| `([\w-]+)\/`/gm)].map(([, name]) => name);
  assert.deepEqual(told.sort(), folders.map(({ name }) => name).sort());
});

test("tests/README.md: every stand-in for CouchDB is told", () => {
  const files = readdirSync(tests, { recursive: true, encoding: "utf8" });
  const standIns = files.filter((path) =>
    /(^|\/)(\w+_couchdb|wire_server|chaos_proxy)\.ts$/.test(path.replaceAll("\\", "/"))
  );
  assert.ok(standIns.length >= 5);
  for (const path of standIns) assert.ok(readme.includes(`\`tests/${path}\``), path);
});
