import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn } from "../../mod.ts";
import { parseEntityTag } from "../../src/http/entity_tag.ts";
import { evaluatePreconditions } from "../../src/http/preconditions.ts";
import { request, wrap, type Wrapped } from "../support/http.ts";
import { EVALUATED_ANSWERS } from "../vectors/evaluated_answers.ts";
import { NOT_MODIFIED } from "../vectors/not_modified.ts";
import { PRECONDITIONS } from "../vectors/preconditions.ts";
import type { AnswerRow, Known, Lines, Outcome, PreconditionRow } from "../vectors/row.ts";

/**
 * Both ways to an answer. `hit`: the response declares what it was built from, and was given before; `handler`: it
 * declares nothing, and is evaluated each time.
 */
const WAYS = ["hit", "handler"] as const;
type Way = typeof WAYS[number];

const UNSAFE: readonly string[] = ["PUT", "PATCH", "DELETE", "POST"];
const ANSWERS: readonly AnswerRow[] = [...EVALUATED_ANSWERS, ...NOT_MODIFIED];
const NO_BODY: readonly number[] = [204, 304];

function headersOf(lines: Lines): Headers {
  const headers = new Headers();
  for (const [name, value] of lines) headers.append(name, value);
  return headers;
}

function validatorLines(current: Known): Lines {
  const { etag, lastModified } = current ?? {};
  return [...lineOf("etag", etag), ...lineOf("last-modified", lastModified)];
}

function lineOf(name: string, value: string | undefined): Lines {
  return value === undefined ? [] : [[name, value]];
}

/** A resource that answers every method so, and writes by what `current` says. */
function serving(way: Way, status: number, lines: Lines, current: Known | undefined): Wrapped {
  const handler = () => {
    const headers = headersOf(lines);
    if (way === "hit") {
      if (!headers.has("cache-control")) headers.set("cache-control", "public");
      headers.set(...Object.entries(dependsOn("doc"))[0]!);
    }
    return new Response(NO_BODY.includes(status) ? null : "page", { status, headers });
  };
  return wrap(handler, { current: () => current });
}

/** Whether the registry, once it knows the tag, has to answer by itself. */
function answeredAtOnce({ headers, current, read }: PreconditionRow): boolean {
  if (current === null || (current.etag !== undefined && parseEntityTag(current.etag) === undefined)) {
    return false;
  }
  const sent = headersOf(headers);
  if (read === 412) return sent.has("if-match") || sent.has("if-none-match");
  return read === 304 && sent.has("if-none-match");
}

/** What is not there is answered 404, and the preconditions do not matter (§13.2.1). */
function readStatus({ read, current }: PreconditionRow, way: Way): number {
  if (current === null) return 404;
  // Of a response with neither validator nor declaration nothing is known: docs/decisions/041.
  const unknown = way === "handler" && current.etag === undefined && current.lastModified === undefined;
  return read === "proceed" || unknown ? 200 : read;
}

for (const row of PRECONDITIONS) {
  const { section, name, current, write } = row;
  for (const way of WAYS) {
    test(`${way}: RFC 9110 §${section}: ${name}: GET and HEAD`, async () => {
      for (const method of ["GET", "HEAD"]) {
        const site = serving(way, current === null ? 404 : 200, validatorLines(current), current);
        if (way === "hit") await site.ask(request());
        const before = site.runs;
        const response = await site.ask(request(headersOf(row.headers), { method }));
        assert.equal(response.status, readStatus(row, way), method);
        if (way === "hit") assert.equal(site.runs - before, answeredAtOnce(row) ? 0 : 1, method);
        if (response.status === 304) assert.equal(response.body, null);
      }
    });
    test(`${way}: RFC 9110 §${section}: ${name}: an unsafe method`, async () => {
      const method = UNSAFE.includes(row.method) ? row.method : "PUT";
      const site = serving(way, current === null ? 404 : 200, validatorLines(current), current);
      if (way === "hit") await site.ask(request());
      const before = site.runs;
      const response = await site.ask(request(headersOf(row.headers), { method }));
      assert.equal(response.status, write === "proceed" ? (current === null ? 404 : 200) : write);
      assert.equal(site.runs - before, write === "proceed" ? 1 : 0, "decided before the handler runs");
    });
  }
  test(`evaluatePreconditions: RFC 9110 §${section}: ${name}: every class of method`, () => {
    const outcome = (method: string): Outcome =>
      evaluatePreconditions({ method, headers: headersOf(row.headers) }, current);
    for (const method of ["GET", "HEAD"]) assert.equal(outcome(method), row.read, method);
    for (const method of UNSAFE) assert.equal(outcome(method), write, method);
    assert.equal(outcome(row.method), row.expected, row.method);
  });
}

for (const row of ANSWERS) {
  const { section, name, response: { status, headers }, kept = [], dropped = [], unregistered } = row;
  const successful = status >= 200 && status <= 299;
  const fields = headersOf(headers);
  const known = { ...present("etag", fields), ...present("last-modified", fields, "lastModified") };
  for (const way of WAYS) {
    test(`${way}: RFC 9110 §${section}: ${name}`, async () => {
      for (const method of ["GET", "HEAD"]) {
        const site = serving(way, status, headers, known);
        const plain = await site.ask(request());
        // The platform would not hand out the same object's fields twice where an answer takes them over.
        const before = new Headers(plain.headers);
        const answer = await site.ask(request(headersOf(row.headers), { method }));
        assert.equal(answer.status, row.read, method);
        for (const field of kept) {
          assert.equal(answer.headers.get(field), before.get(field), `${method}: ${field}`);
        }
        for (const field of kept) assert.ok(answer.headers.has(field), `${method}: ${field}`);
        for (const field of dropped) assert.equal(answer.headers.get(field), null, `${method}: ${field}`);
        if (answer.status === 304 && status !== 304) assert.equal(answer.body, null);
        const tagAsked = row.headers.some(([field]) => field === "if-none-match" || field === "if-match");
        if (way === "hit" && unregistered === undefined && tagAsked) assert.equal(site.runs, 1, method);
      }
    });
    test(`${way}: RFC 9110 §${section}: ${name}: an unsafe method`, async () => {
      const site = serving(way, status, headers, successful ? known : undefined);
      if (way === "hit") await site.ask(request());
      const answer = await site.ask(request(headersOf(row.headers), { method: "PUT" }));
      assert.equal(answer.status, row.write);
      if (answer.status !== 412 || status === 412) return;
      for (const field of ["expires", "content-location", "last-modified"]) {
        assert.equal(answer.headers.get(field), null);
      }
    });
  }
}

function present(name: string, fields: Headers, as: string = name): Record<string, string> {
  const value = fields.get(name);
  return value === null ? {} : { [as]: value };
}

test("the tables: no row twice, and at least 15 of each section", () => {
  const all = [...PRECONDITIONS, ...ANSWERS];
  const names = all.map(({ section, name }) => `${section} ${name}`);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 250, `${names.length}`);
  const ofSection = Object.groupBy(all, ({ section }) => section);
  for (const section of ["13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5", "13.2.1", "13.2.2", "15.4.5"]) {
    assert.ok((ofSection[section]?.length ?? 0) >= 15, `${section}: ${ofSection[section]?.length}`);
  }
});

test("the tables: pairs of fields, every two of the five and the sixth", () => {
  const fields = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range"];
  const together = PRECONDITIONS.map(({ headers }) => new Set(headers.map(([name]) => name)));
  for (const [at, first] of fields.entries()) {
    for (const second of fields.slice(at + 1)) {
      assert.ok(together.some((names) => names.has(first) && names.has(second)), `${first} and ${second}`);
    }
  }
});
