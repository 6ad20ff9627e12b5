import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { filesBelow, foldersIn } from "../support/files.ts";

const tests = new URL("../", import.meta.url);
const readme = readFileSync(new URL("README.md", tests), "utf8");

test("tests/README.md: a line for each folder, and no other", () => {
  const told = [...readme.matchAll(/^\| `([\w-]+)\/`/gm)].map(([, name]) => name);
  assert.deepEqual(told.sort(), foldersIn(tests));
});

test("tests/README.md: every stand-in for CouchDB is told", () => {
  const standIn = /(^|\/)(\w+_couchdb|wire_server|chaos_proxy)\.ts$/;
  const standIns = filesBelow(tests).filter((path) => standIn.test(path));
  assert.ok(standIns.length >= 5);
  for (const path of standIns) assert.ok(readme.includes(`\`tests/${path}\``), path);
});
