/** Each reason has a meaning, in the words of docs/http.md, and a cure, in those of docs/why.md. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { reasonFamilies } from "../../src/registry/reason.ts";
import { causes } from "../../src/why/causes.ts";

function read(path: string): Promise<string> {
  return readFile(new URL(path, import.meta.url), "utf8");
}

/** Cells of each row of the tables of a page, without the space around them. */
function rowsOf(page: string): string[][] {
  return page.split("\n").filter((line) => line.startsWith("| ") && line.endsWith(" |"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

test("causes: each reason is there, once, in the order of the list", () => {
  assert.deepEqual(Object.keys(causes), Object.keys(reasonFamilies));
});

test("causes: the meanings are those of docs/http.md", async () => {
  const guide = new Map(
    rowsOf(await read("../../docs/http.md")).map(([reason, meaning]) => [reason, meaning]),
  );
  for (const [reason, { meaning }] of Object.entries(causes)) {
    assert.equal(guide.get(`\`${reason}\``), meaning, reason);
  }
});

test("causes: each cure is a sentence or several", () => {
  for (const [reason, { cure }] of Object.entries(causes)) assert.match(cure, /^[A-Z].*\.$/, reason);
});

test("docs/why.md: each reason is in the table, once, with its cure", async () => {
  const table = rowsOf(await read("../../docs/why.md")).filter((cells) => cells.length === 3);
  const told = table.flatMap(([, reasons, cure]) =>
    Array.from(reasons!.matchAll(/`([a-z0-9-]+)`/g), ([, reason]) => [reason!, cure!] as const)
  );
  assert.deepEqual(told.map(([reason]) => reason).sort(), Object.keys(causes).sort());
  for (const [reason, cure] of told) {
    assert.equal(
      cure.replaceAll("`", ""),
      causes[reason as keyof typeof causes].cure.replaceAll("`", ""),
      reason,
    );
  }
});
