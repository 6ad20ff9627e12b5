/**
 * The one runner of PRECONDITIONS. Each row is evaluated on every path of the library: by `evaluatePreconditions`, and
 * under `withEtag` for a read that the registry knows, a read that the handler answers, and a write.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEntityTag } from "../../src/http/entity_tag.ts";
import { evaluatePreconditions } from "../../src/http/preconditions.ts";
import { request } from "../support/http.ts";
import { PRECONDITIONS } from "./preconditions.ts";
import { fieldsOf, headersOf, resource } from "./resource.ts";
import type { Outcome, PreconditionRow } from "./row.ts";

const READS: readonly string[] = ["GET", "HEAD"];
const WRITES: readonly string[] = ["PUT", "PATCH", "DELETE", "POST"];
/** Safe methods whose requests `withEtag` hands to the handler as they are. */
const PASSED_ON: readonly string[] = ["OPTIONS", "TRACE"];

/** What an evaluation says to a method: to the row's own what the row expects, else what its class gets. */
function outcomeFor(row: PreconditionRow, method: string): Outcome {
  if (method === row.method) return row.expected;
  return READS.includes(method) ? row.read : row.write;
}

/** The status of a request whose preconditions came to this. */
function statusOf(outcome: Outcome, { current }: PreconditionRow): number {
  if (outcome !== "proceed") return outcome;
  return current === null ? 404 : 200;
}

/** GET and HEAD, and the method of a row that `withEtag` must not evaluate, or QUERY. */
function readsOf({ method, expected }: PreconditionRow): readonly string[] {
  if (method === "QUERY") return [...READS, method];
  return PASSED_ON.includes(method) && expected === "proceed" ? [...READS, method] : READS;
}

/** The row's own method if that is a write, and PUT for all rows of other methods. */
function writesOf({ method }: PreconditionRow): readonly string[] {
  if (WRITES.includes(method)) return [method];
  return READS.includes(method) || PASSED_ON.includes(method) || method === "QUERY"
    ? ["PUT"]
    : ["PUT", method];
}

/**
 * The status of a read. What is not there is answered 404, and the preconditions do not matter (§13.2.1). A date alone is
 * not enough where the tag is ours: two edits fit in the second that it can tell (§8.8.2.2).
 */
function readStatus(row: PreconditionRow, method: string, declared: boolean): number {
  if (row.current === null) return 404;
  const status = statusOf(outcomeFor(row, method), row);
  const isOurs = declared && row.current.etag === undefined && method !== "QUERY";
  return status === 304 && isByDate(row) && isOurs ? 200 : status;
}

/** Whether a 304 to the row's request is due to a date alone. */
function isByDate({ headers }: PreconditionRow): boolean {
  return !headers.some(([name]) => name === "if-none-match");
}

/** Why a read that ends in 304 or 412 needs the handler even if the registry knows the page; undefined: it does not. */
function whyHandler(row: PreconditionRow): string | undefined {
  const { headers, current, read } = row;
  const asked = headers.map(([name]) => name);
  if (current?.etag !== undefined && parseEntityTag(current.etag) === undefined) {
    return "a response whose tag is malformed is not registered";
  }
  if (read === 304 && isByDate(row)) {
    return "two edits fit in the second that a date can tell (§8.8.2.2)";
  }
  if (read === 412 && !asked.includes("if-match") && !asked.includes("if-none-match")) {
    return "without If-Match and If-None-Match there is no tag to look up";
  }
  return undefined;
}

for (const row of PRECONDITIONS) {
  const { section, name, current } = row;
  const title = `RFC 9110 §${section}: ${name}`;
  const page = { status: current === null ? 404 : 200, headers: fieldsOf(current) };
  const ask = (method: string): Request => request(headersOf(row.headers), { method });

  test(`${title}: evaluatePreconditions`, () => {
    for (const method of new Set([...READS, ...WRITES, row.method])) {
      const outcome = evaluatePreconditions({ method, headers: headersOf(row.headers) }, current);
      assert.equal(outcome, outcomeFor(row, method), method);
    }
  });

  test(`${title}: a read that the registry knows`, async () => {
    for (const method of readsOf(row)) {
      const site = resource({ ...page, declared: true });
      await site.ask(request());
      const response = await site.ask(ask(method));
      const status = readStatus(row, method, true);
      assert.equal(response.status, status, method);
      const fromRegistry = [304, 412].includes(status) && method !== "QUERY" && whyHandler(row) === undefined;
      assert.equal(site.runs, fromRegistry ? 1 : 2, `${method}: ${whyHandler(row)}`);
      if (status === 304) assert.equal(response.body, null, method);
    }
  });

  test(`${title}: a read that the handler answers`, async () => {
    for (const method of readsOf(row)) {
      for (const declared of [true, false]) {
        // Nothing is known of a 200 with neither validator nor declaration: it passes as it is (docs/decisions/041).
        const unknown = current !== null && page.headers.length === 0 && !declared;
        const site = resource({ ...page, declared });
        const response = await site.ask(ask(method));
        const which = `${method}, ${declared ? "declared" : "undeclared"}`;
        assert.equal(response.status, unknown ? 200 : readStatus(row, method, declared), which);
        assert.equal(site.runs, 1, which);
        if (response.status === 304) assert.equal(response.body, null, which);
      }
    }
  });

  test(`${title}: a write`, async () => {
    for (const method of writesOf(row)) {
      for (const registered of [true, false]) {
        const site = resource({ ...page, declared: registered, current });
        if (registered) await site.ask(request());
        const before = site.runs;
        const response = await site.ask(ask(method));
        const outcome = outcomeFor(row, method);
        assert.equal(response.status, statusOf(outcome, row), method);
        assert.equal(
          site.runs - before,
          outcome === "proceed" ? 1 : 0,
          `${method}: decided before the handler runs`,
        );
      }
    }
  });
}

test("PRECONDITIONS: no row twice, and each reason to run the handler has a row", () => {
  const names = PRECONDITIONS.map(({ section, name }) => `${section} ${name}`);
  assert.equal(new Set(names).size, names.length);
  assert.equal(new Set(PRECONDITIONS.map(whyHandler)).size, 4);
});

test("PRECONDITIONS: every two of the five fields come together in a row", () => {
  const fields = ["if-match", "if-none-match", "if-unmodified-since", "if-modified-since", "if-range"];
  const together = PRECONDITIONS.map(({ headers }) => new Set(headers.map(([name]) => name)));
  for (const [at, first] of fields.entries()) {
    for (const second of fields.slice(at + 1)) {
      assert.ok(together.some((names) => names.has(first) && names.has(second)), `${first} and ${second}`);
    }
  }
});
