/** The table of docs/http.md, condition by shape: each cell is asked for, registered and not. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";

const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const DOCUMENT = { _id: "doc", _rev: "2-abc" };
const OTHER = '"1-abc.K7gNU3sdo-O.9xJzWq0aTbE"';

const guide = readFileSync(new URL("../../docs/http.md", import.meta.url), "utf8");

/** Cells of a line of a table, without what makes them code. */
const cellsOf = (line: string) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", ""));

const lines = guide.slice(guide.indexOf("\n| condition")).trimStart().split("\n");
const [header = [], , ...body] = lines.slice(0, lines.indexOf("")).map(cellsOf);
const shapes = header.slice(1);

/** What a shape asks for. */
const ASKED: Readonly<Record<string, { readonly method: string; readonly range?: string }>> = {
  "GET": { method: "GET" },
  "HEAD": { method: "HEAD" },
  "GET, Range": { method: "GET", range: "bytes=5-" },
  "GET, Range beyond the end": { method: "GET", range: "bytes=99-" },
  "QUERY": { method: "QUERY" },
  "PUT": { method: "PUT" },
};

/** A page that is served whole or in parts, and written; its handler looks at no condition. */
function handler({ method, headers: asked }: Request): Response {
  const headers = new Headers({ "content-type": "text/plain", "last-modified": DATE });
  if (method === "PUT") return new Response(null, { status: 204 });
  headers.set("cache-control", "public, no-cache");
  for (const [name, value] of Object.entries(dependsOn(DOCUMENT))) headers.set(name, value);
  if (method === "QUERY") headers.set("etag", '"result"');
  const range = method === "GET" ? asked.get("range") : null;
  if (range === null) return new Response(method === "HEAD" ? null : "0123456789", { headers });
  const isBeyond = range === "bytes=99-";
  headers.set("content-range", isBeyond ? "bytes */10" : "bytes 5-9/10");
  return new Response(isBeyond ? "no such part" : "56789", { status: isBeyond ? 416 : 206, headers });
}

/** The fields of a condition, as the guide writes it. */
function fieldsOf(condition: string, tag: string): Record<string, string> {
  if (condition === "none") return {};
  const values = condition.replaceAll('"T"', tag).replaceAll('"O"', OTHER).replaceAll(/: D$/g, `: ${DATE}`);
  return Object.fromEntries(
    values.split("; ").map((field) => {
      const [name, ...rest] = field.split(": ");
      return [name!, rest.join(": ")];
    }),
  );
}

test("docs/http.md: the table has every shape, and each condition once", () => {
  assert.deepEqual(shapes, Object.keys(ASKED));
  assert.ok(body.length >= 18, `${body.length} rows`);
  assert.equal(new Set(body.map(([condition]) => condition)).size, body.length);
  for (const field of ["None-Match", "Match", "Range", "Modified-Since", "Unmodified-Since"]) {
    assert.ok(body.some(([condition]) => condition!.startsWith(`If-${field}: `)), field);
  }
});

for (const [condition = "", ...cells] of body) {
  test(`docs/http.md: ${condition}`, async () => {
    for (const [at, shape] of shapes.entries()) {
      for (const manual of [true, false]) {
        const { warn } = console;
        console.warn = () => {};
        const site = withEtag(handler, { registry: new EtagRegistry({ manual }), current: () => DOCUMENT });
        const { method, range } = ASKED[shape]!;
        const ask = (fields: Record<string, string>) =>
          site(new Request("http://localhost/page", { method, headers: fields }));
        const got = await site(new Request("http://localhost/page"));
        console.warn = warn;
        const tag = method === "QUERY" ? '"result"' : got.headers.get("etag")!;
        const answer = await ask({ ...range === undefined ? {} : { range }, ...fieldsOf(condition, tag) });
        assert.equal(
          String(answer.status),
          cells[at],
          `${shape}, ${manual ? "registered" : "not registered"}`,
        );
        if ([200, 206, 304, 416].includes(answer.status)) {
          // A 304 may spell the tag as the client does.
          const weak = answer.status === 304 && condition.includes("W/") ? /^(W\/)?/ : /^/;
          assert.equal(answer.headers.get("etag")?.replace(weak, ""), tag, shape);
        }
      }
    }
  });
}
