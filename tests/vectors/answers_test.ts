/** The one runner of EVALUATED_ANSWERS and NOT_MODIFIED: which answers are evaluated, and what the new answer says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { request } from "../support/http.ts";
import { EVALUATED_ANSWERS } from "./evaluated_answers.ts";
import { NOT_MODIFIED } from "./not_modified.ts";
import { PRECONDITIONS } from "./preconditions.ts";
import { headersOf, resource, validatorsIn } from "./resource.ts";
import type { AnswerRow } from "./row.ts";

const ANSWERS: readonly AnswerRow[] = [...EVALUATED_ANSWERS, ...NOT_MODIFIED];

for (const row of ANSWERS) {
  const { section, name, response: { status, headers }, kept = [], dropped = [], unregistered } = row;
  const ask = (method: string): Request => request(headersOf(row.headers), { method });
  const successful = status >= 200 && status <= 299;
  const current = successful ? validatorsIn(headersOf(headers)) : undefined;
  const asksForTag = row.headers.some(([field]) => field === "if-none-match" || field === "if-match");

  for (const declared of [true, false]) {
    const title = `RFC 9110 §${section}: ${name}: ${declared ? "declared" : "undeclared"}`;

    test(`${title}: a read`, async () => {
      for (const method of ["GET", "HEAD"]) {
        const site = resource({ status, headers, declared });
        // Copied at once: an answer may take over the fields of the object that the handler made.
        const plain = new Headers((await site.ask(request())).headers);
        const answer = await site.ask(ask(method));
        assert.equal(answer.status, row.read, method);
        for (const field of kept) {
          assert.ok(answer.headers.has(field), `${method}: ${field}`);
          assert.equal(answer.headers.get(field), plain.get(field), `${method}: ${field}`);
        }
        for (const field of dropped) assert.equal(answer.headers.get(field), null, `${method}: ${field}`);
        if (answer.status === 304 && status !== 304) assert.equal(answer.body, null, method);
        if (declared && unregistered === undefined && asksForTag) assert.equal(site.runs, 1, method);
      }
    });

    test(`${title}: a write`, async () => {
      const site = resource({ status, headers, declared, current });
      if (declared) await site.ask(request());
      const answer = await site.ask(ask("PUT"));
      assert.equal(answer.status, row.write);
      if (answer.status !== 412 || status === 412) return;
      for (const field of ["expires", "content-location", "last-modified"]) {
        assert.equal(answer.headers.get(field), null, field);
      }
    });
  }
}

test("the tables of preconditions and answers: no row twice, and at least 15 of each section", () => {
  const rows = [...PRECONDITIONS, ...ANSWERS];
  const names = rows.map(({ section, name }) => `${section} ${name}`);
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 250, `${names.length}`);
  const ofSection = Object.groupBy(rows, ({ section }) => section);
  for (const section of ["13.1.1", "13.1.2", "13.1.3", "13.1.4", "13.1.5", "13.2.1", "13.2.2", "15.4.5"]) {
    assert.ok((ofSection[section]?.length ?? 0) >= 15, `${section}: ${ofSection[section]?.length}`);
  }
});
