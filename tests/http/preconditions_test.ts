/** What the table of preconditions cannot hold: `Date` objects, and what is true of every request. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { evaluatePreconditions, type Validators } from "../../src/http/preconditions.ts";

type Outcome = ReturnType<typeof evaluatePreconditions>;

function evaluate(
  method: string,
  fields: readonly (readonly [string, string])[],
  current: Validators | null,
): Outcome {
  const headers = new Headers();
  for (const [name, value] of fields) headers.append(name, value);
  return evaluatePreconditions({ method, headers }, current);
}

test("evaluatePreconditions: a Date is compared in whole seconds (RFC 9110 §13.1.3, §13.1.4)", () => {
  const date = "Sun, 06 Nov 1994 08:49:37 GMT";
  const start = Date.UTC(1994, 10, 6, 8, 49, 37);
  for (
    const [ms, since, unmodified] of [
      [-1, 304, "proceed"],
      [0, 304, "proceed"],
      [999, 304, "proceed"],
      [1000, "proceed", 412],
    ] as const
  ) {
    const current = { lastModified: new Date(start + ms) };
    assert.equal(evaluate("GET", [["if-modified-since", date]], current), since);
    assert.equal(evaluate("PUT", [["if-unmodified-since", date]], current), unmodified);
  }
});

test("evaluatePreconditions: an invalid Date is no date", () => {
  const current = { lastModified: new Date(NaN) };
  assert.equal(evaluate("GET", [["if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"]], current), "proceed");
  assert.equal(
    evaluate("PUT", [["if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT"]], current),
    "proceed",
  );
});

test("evaluatePreconditions: an empty list is a field nevertheless", () => {
  const current = { etag: '"a"', lastModified: "Sun, 06 Nov 1994 08:49:37 GMT" };
  const since = ["if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT"] as const;
  assert.equal(evaluate("PUT", [["if-match", ""]], current), 412);
  assert.equal(evaluate("GET", [["if-none-match", ""], since], current), "proceed");
});

test("evaluatePreconditions: takes a Request as it is", () => {
  const request = new Request("http://localhost/", { headers: { "if-none-match": 'W/"a"' } });
  assert.equal(evaluatePreconditions(request, { etag: '"a"' }), 304);
  assert.equal(evaluatePreconditions(request, { etag: undefined, lastModified: undefined }), "proceed");
});

const tag = fc.constantFrom('"a"', '"b"', 'W/"a"', 'W/"b"', '"a,b"', '""');
const tagList = fc.oneof(
  fc.constant("*"),
  fc.array(tag, { minLength: 1, maxLength: 3 }).map((tags) => tags.join(", ")),
);
const second = fc.integer({ min: 0, max: 3 });
const dateOf = (n: number): string => `Thu, 01 Jan 1970 00:00:0${n} GMT`;

/** RFC 9110 §13.2.2 word by word, and RFC 10008 §2.6 for QUERY, on lists without malformed members and dates as numbers. */
function oracle(method: string, fields: Sent, current: Known | null): Outcome {
  const read = ["GET", "HEAD", "QUERY"].includes(method);
  const tags = (list: string): string[] => list.match(/(W\/)?"[^"]*"/g) ?? [];
  const bare = (text: string): string => text.replace("W/", "");
  const { im, ius, inm, ims } = fields;
  if (im !== undefined) {
    const holds = im === "*"
      ? current !== null
      : tags(im).some((one) => one === current?.etag && !one.startsWith("W/"));
    if (!holds) return 412;
  } else if (ius !== undefined && current?.modified !== undefined) {
    if (current.modified > ius) return 412;
  }
  if (inm !== undefined) {
    const etag = current?.etag;
    const fails = inm === "*"
      ? current !== null
      : etag !== undefined && tags(inm).some((one) => bare(one) === bare(etag));
    if (fails) return read ? 304 : 412;
  } else if (read && ims !== undefined && current?.modified !== undefined) {
    if (current.modified <= ims) return 304;
  }
  return "proceed";
}

type Sent = { im?: string; ius?: number; inm?: string; ims?: number };
type Known = { etag?: string; modified?: number };

test("evaluatePreconditions: agrees with §13.2.2 told as a story", () => {
  const sent: fc.Arbitrary<Sent> = fc.record({ im: tagList, ius: second, inm: tagList, ims: second }, {
    requiredKeys: [],
  });
  const known: fc.Arbitrary<Known> = fc.record({ etag: tag, modified: second }, { requiredKeys: [] });
  const method = fc.constantFrom("GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "QUERY");
  fc.assert(
    fc.property(method, sent, fc.option(known), (method, fields, current) => {
      const lines: [string, string][] = [];
      if (fields.im !== undefined) lines.push(["if-match", fields.im]);
      if (fields.ius !== undefined) lines.push(["if-unmodified-since", dateOf(fields.ius)]);
      if (fields.inm !== undefined) lines.push(["if-none-match", fields.inm]);
      if (fields.ims !== undefined) lines.push(["if-modified-since", dateOf(fields.ims)]);
      const validators = current === null ? null : {
        etag: current.etag,
        lastModified: current.modified === undefined ? undefined : new Date(current.modified * 1000 + 500),
      };
      assert.equal(evaluate(method, lines, validators), oracle(method, fields, current));
    }),
    { numRuns: 1000 },
  );
});

test("evaluatePreconditions: throws for nothing that a client sends", () => {
  const value = fc.string({
    unit: fc.oneof(
      fc.constantFrom('"', ",", "*", "W/", '"a"', "Sun, 06 Nov 1994 08:49:37 GMT"),
      fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) =>
        String.fromCharCode(code)
      ),
    ),
    maxLength: 12,
  });
  const name = fc.constantFrom("if-match", "if-none-match", "if-modified-since", "if-unmodified-since");
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, value)),
      fc.constantFrom("GET", "PUT"),
      value,
      (lines, method, etag) => {
        for (const current of [null, {}, { etag: '"a"' }, { etag, lastModified: etag }]) {
          assert.ok(["proceed", 304, 412].includes(evaluate(method, lines, current)));
        }
      },
    ),
  );
});
