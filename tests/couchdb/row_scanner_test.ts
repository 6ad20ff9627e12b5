/** The scanner reads what `JSON.parse` reads, row by row, and refuses what it refuses. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { RowScanner } from "../../src/couchdb/wire/row_scanner.ts";
import { Rows } from "../../src/couchdb/wire/rows.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What any two readings must agree upon. */
function readingOf({ changes, since, ended, fault }: Rows): unknown {
  return { changes, since, ended, fault: fault && [fault.code, fault.since, fault.message] };
}

/** Whole lines, one after the other, by `JSON.parse`. */
function expected(bytes: Uint8Array): unknown {
  const rows = new Rows("start");
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  rows.addLines(text.split("\n").slice(0, -1));
  return readingOf(rows);
}

function scanned(chunks: readonly Uint8Array[]): unknown {
  const rows = new Rows("start");
  const scanner = new RowScanner();
  for (const chunk of chunks) if (rows.open) scanner.push(chunk, rows);
  return readingOf(rows);
}

/** Cuts bytes at places given as fractions; each piece lies somewhere else in memory. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const at = [
    0,
    ...places.map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b),
    bytes.length,
  ];
  return at.slice(1).map((end, index) => {
    const start = at[index] ?? 0;
    const memory = new Uint8Array(index % 5 + end - start);
    memory.set(bytes.subarray(start, end), index % 5);
    return memory.subarray(index % 5);
  });
}

const plain = fc.string({ unit: fc.constantFrom(..."abc019-_ "), maxLength: 200 });
/** Strings as they may stand between quotes, and as they may not. */
const raw = fc.oneof(
  { weight: 6, arbitrary: plain },
  { weight: 2, arbitrary: fc.string({ unit: "grapheme" }).map((text) => JSON.stringify(text).slice(1, -1)) },
  fc.constantFrom(
    '\\"',
    "\\",
    "\t",
    "\r",
    "\0",
    "\x1f",
    "\x7f",
    '"',
    '","id":"x',
    "\\u0041",
    "ü☃𝄞",
    "\u2028",
    "\ufeff",
  ),
);
const ordinary = fc.tuple(raw, raw, raw, fc.constantFrom('"}]}', '"}],"deleted":true}')).map(
  ([seq, id, rev, end]) => `{"seq":"${seq}","id":"${id}","changes":[{"rev":"${rev}${end}`,
);
const unusual = fc.constantFrom(
  "",
  "  ",
  "\r",
  "\ufeff",
  "null",
  "<html>",
  '{"last_seq":"9-x","pending":0}',
  '{"seq":null,"id":"a","changes":[{"rev":"1-a"}]}',
  '{"seq":7,"id":"a","changes":[{"rev":"1-a"}]}',
  '{"seq":["7",1],"id":"a","changes":[{"rev":"1-a"}]}',
  '{"id":"a","seq":"7","changes":[{"rev":"1-a"}]}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"},{"rev":"1-b"}]}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"}],"deleted":false}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"}],"deleted":true,"doc":{"_id":"a"}}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"}],"doc":{}}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"}]} ',
  ' {"seq":"7","id":"a","changes":[{"rev":"1-a"}]}',
  '{"seq":"7","id":"a","changes":[{"rev":"1-a"}]},',
  '{"seq":"7","id":"a","changes":[]}',
  '{"seq":"7","id":null,"changes":[{"rev":"1-a"}]}',
  '{"seq":"7","id":"a","id":"b","changes":[{"rev":"1-a"}]}',
  '{"seq":"","id":"","changes":[{"rev":""}]}',
  '{"error":"timeout","reason":"late"}',
);
const line = fc.oneof({ weight: 5, arbitrary: ordinary }, { weight: 1, arbitrary: unusual });
const feed = fc.array(fc.tuple(line, fc.constantFrom("\n", "\n", "\n", "\r\n", "\n\n", "")), {
  maxLength: 60,
})
  .map((lines) => encode(lines.flat().join("")));
const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

test("RowScanner: reads what JSON.parse reads, wherever the bytes are cut", () => {
  fc.assert(
    fc.property(feed, places, (bytes, places) => {
      assert.deepEqual(scanned(cut(bytes, places)), expected(bytes));
    }),
    { numRuns: 1_000 },
  );
});

test("RowScanner: reads what JSON.parse reads after any byte has been replaced", () => {
  const row = encode(`{"seq":"7-g1AAAA","id":"post","changes":[{"rev":"1-ab"}],"deleted":true}\n`);
  const other = encode(`{"seq":"8-g1AAAA","id":"next","changes":[{"rev":"1-ab"}]}\n`);
  for (let at = 0; at < row.length; at++) {
    for (const byte of [0, 9, 10, 13, 31, 32, 34, 44, 48, 92, 93, 125, 127, 128, 195, 255]) {
      const bytes = new Uint8Array([...row, ...other, ...row, ...other]);
      bytes[row.length + other.length + at] = byte;
      assert.deepEqual(scanned([bytes]), expected(bytes), `${byte} at ${at}`);
    }
  }
});

test("RowScanner: reads a feed cut at every byte, and byte by byte", () => {
  const text = `\n{"seq":"7-x","id":"ü☃𝄞","changes":[{"rev":"1-ab"}]}\r\n\n` +
    `{"seq":"8-x","id":"a","changes":[{"rev":"2-ab"}],"deleted":true}\n\n{"last_seq":"9-x","pending":0}\n`;
  const bytes = encode(text);
  for (let at = 0; at <= bytes.length; at++) {
    assert.deepEqual(scanned([bytes.slice(0, at), bytes.slice(at)]), expected(bytes), `cut at ${at}`);
  }
  assert.deepEqual(scanned([...bytes].map((byte) => Uint8Array.of(byte))), expected(bytes));
});

test("RowScanner: reads chunks longer than a piece", () => {
  const ids = Array.from(
    { length: 1_000 },
    (_, n) => n % 300 === 299 ? "\\u0041" : n % 100 === 99 ? "ü" : "a",
  );
  const bytes = encode(
    ids.map((id, n) => `{"seq":"${n}-x","id":"${id}${n}","changes":[{"rev":"1-a"}]}\n`).join(""),
  );
  assert.ok(bytes.length > 50_000);
  for (const places of [[], [0.5], [0.1, 0.1, 0.6], [0.001, 0.8, 0.999]]) {
    assert.deepEqual(scanned(cut(bytes, places)), expected(bytes), String(places));
  }
});

test("RowScanner: what has begun is kept, and no more", () => {
  const rows = new Rows(0);
  const scanner = new RowScanner();
  scanner.push(encode(`{"seq":"7-x","id":"a","changes":[{"rev":"1-a"}]}`), rows);
  assert.deepEqual([rows.changes, rows.since], [[], 0]);
  scanner.push(encode("\n"), rows);
  assert.deepEqual(rows.changes, [{ id: "a", rev: "1-a", deleted: false, seq: "7-x" }]);
});
