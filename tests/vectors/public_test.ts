/** The one runner of the tables in public/: what other implementations answer, and what ours does. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { request } from "../support/http.ts";
import { DJANGO } from "./public/django.ts";
import { COLUMNS } from "./public/columns.ts";
import { FRESH } from "./public/fresh.ts";
import { GO } from "./public/go.ts";
import { HONO } from "./public/hono.ts";
import type { PublicRow, PublicTable } from "./public/row.ts";
import { WERKZEUG } from "./public/werkzeug.ts";
import { headersOf, resource, validatorsIn } from "./resource.ts";

const TABLES: readonly PublicTable[] = [GO, FRESH, WERKZEUG, DJANGO, HONO];

/** Both ways to an answer, but for a page without a tag: declared, it would get one that these tables do not know. */
function declarations({ response }: PublicRow): readonly boolean[] {
  return response.some(([name]) => name === "etag") ? [false, true] : [false];
}

for (const { project, rows } of TABLES) {
  for (const row of rows) {
    for (const method of row.methods) {
      test(`${project}: RFC 9110 §${row.section}: ${row.name}, ${method}`, async () => {
        const plain = headersOf(row.response);
        for (const declared of declarations(row)) {
          const site = resource({ headers: row.response, declared, current: validatorsIn(plain) });
          if (declared) await site.ask(request());
          const answer = await site.ask(request(headersOf(row.headers), { method }));
          assert.equal(answer.status, row.ours ?? row.theirs, declared ? "registered" : "evaluated");
          for (const name of row.kept ?? []) assert.equal(answer.headers.get(name), plain.get(name), name);
          for (const name of row.dropped ?? []) assert.equal(answer.headers.get(name), null, name);
        }
      });
    }
  }
}

/** Why a column differs from the row, of those that do. */
const differences = new Set<string>();

for (const { name: column, ask } of COLUMNS) {
  for (const { project, rows } of TABLES) {
    const title = `${project}, ${column}: 0 unexplained`;
    test(title, async () => {
      let count = 0;
      for (const row of rows) {
        const asked = await ask(row);
        if (asked === undefined) continue;
        count++;
        const { site, request, status, why } = asked;
        if (why !== undefined) differences.add(why);
        const answer = await site.ask(request);
        assert.equal(answer.status, status, row.name);
        // The tag of the 200, but that a 304 may spell it as the client does.
        if (answer.status === 206 || answer.status === 304) {
          const whole = await site.ask(new Request(request.url));
          const bare = ({ headers }: Response) => headers.get("etag")?.replace("W/", "");
          assert.equal(bare(answer), bare(whole), row.name);
        }
      }
      assert.ok(count > 0 || project === "Werkzeug", `${title} asks nothing`);
    });
  }
}

test("the public tables: what differs says why, and the decision record says it at length", () => {
  const record = readFileSync(
    new URL("../../docs/decisions/040-where-others-differ.md", import.meta.url),
    "utf8",
  );
  const reasons = new Set<string>();
  for (const { rows } of TABLES) {
    for (const { name, ours, theirs, why } of rows) {
      assert.equal(ours === undefined, why === undefined, name);
      assert.notEqual(ours, theirs, name);
      if (why !== undefined) reasons.add(why);
    }
  }
  for (const why of differences) reasons.add(why);
  for (const why of reasons) assert.ok(record.includes(`\n## ${why}\n`), why);
  const headings = [...record.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
  for (const heading of headings) assert.ok(reasons.has(heading ?? ""), `no row is behind ${heading}`);
});

test("the public tables: no case twice", () => {
  for (const { project, rows } of TABLES) {
    const names = rows.flatMap(({ name, methods }) => methods.map((method) => `${name} ${method}`));
    assert.equal(new Set(names).size, names.length, project);
  }
});
