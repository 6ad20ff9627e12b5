import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { request, wrap } from "../support/http.ts";
import { DJANGO } from "../vectors/public/django.ts";
import { FRESH } from "../vectors/public/fresh.ts";
import { GO } from "../vectors/public/go.ts";
import { HONO } from "../vectors/public/hono.ts";
import type { PublicRow, PublicTable } from "../vectors/public/row.ts";
import { WERKZEUG } from "../vectors/public/werkzeug.ts";
import type { Lines } from "../vectors/row.ts";

const TABLES: readonly PublicTable[] = [GO, FRESH, WERKZEUG, DJANGO, HONO];

function headersOf(lines: Lines): Headers {
  const headers = new Headers();
  for (const [name, value] of lines) headers.append(name, value);
  return headers;
}

/** A handler that gives these validators, with or without saying what it was built from. */
function serving({ response }: PublicRow, declared: boolean) {
  const headers = headersOf(response);
  const current = {
    etag: headers.get("etag") ?? undefined,
    lastModified: headers.get("last-modified") ?? undefined,
  };
  if (declared && !headers.has("cache-control")) headers.set("cache-control", "public");
  if (declared) headers.set(...Object.entries(dependsOn("doc"))[0]!);
  return wrap(() => new Response("page", { headers: new Headers(headers) }), { current: () => current });
}

/** Without a validator of its own a declared response is given a tag, which these tables know nothing of. */
function ways({ response }: PublicRow): readonly boolean[] {
  return response.some(([name]) => name === "etag") ? [false, true] : [false];
}

for (const { project, rows } of TABLES) {
  for (const row of rows) {
    for (const method of row.methods) {
      test(`${project}: RFC 9110 §${row.section}: ${row.name}, ${method}`, async () => {
        for (const declared of ways(row)) {
          const site = serving(row, declared);
          if (declared) await site.ask(request());
          const answer = await site.ask(request(headersOf(row.headers), { method }));
          assert.equal(answer.status, row.ours ?? row.theirs, declared ? "registered" : "evaluated");
          const plain = headersOf(row.response);
          for (const name of row.kept ?? []) assert.equal(answer.headers.get(name), plain.get(name), name);
          for (const name of row.dropped ?? []) assert.equal(answer.headers.get(name), null, name);
        }
      });
    }
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
