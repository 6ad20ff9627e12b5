import assert from "node:assert/strict";
import { test } from "node:test";
import { problemResponse } from "../../src/http/problem_details.ts";
import { request } from "../support/http.ts";

const JSON_TYPE = "application/problem+json";
const TEXT_TYPE = "text/plain; charset=utf-8";
const BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/** RFC 9110 §12.5.1 and §12.4.2; at equal weights, and where neither is wanted, JSON. */
const ROWS: readonly (readonly [accept: string | undefined, text: boolean])[] = [
  [undefined, false],
  ["", false],
  ["*/*", false],
  ["text/plain", true],
  ["TEXT/Plain", true],
  ["text/*", true],
  ["text/html", true],
  ["text/html, */*", true],
  ["text/html;q=0", false],
  [BROWSER, true],
  // Plain text is not HTML, and JSON is acceptable.
  ["text/html, application/json;q=0.9", false],
  ["application/json", false],
  ["application/problem+json", false],
  ["application/*", false],
  ["image/png", false],
  ["application/json, text/plain, */*", false],
  ["text/plain, application/json", false],
  ["text/plain, application/json;q=0.9", true],
  ["text/plain;q=0.9, application/json", false],
  ["text/plain ; q=0.5 , application/problem+json ; q=0.501", false],
  ["text/plain;q=0.502, application/problem+json;q=0.501", true],
  ["application/problem+json;q=0, text/plain", true],
  ["application/problem+json;q=0, application/json;q=0, */*;q=0.1", true],
  ["application/*;q=0, */*;q=0.1", true],
  ["application/json;q=0.2, application/problem+json;q=0.8, text/plain;q=0.5", false],
  ["text/plain;q=0, */*", false],
  ["text/*;q=0, */*;q=0.1", false],
  ["text/*, text/plain;q=0.1, application/*;q=0.5", false],
  ["text/plain;charset=utf-8;q=0.3, application/*;q=0.2", true],
  ["text/plain;q=0.3, */*;q=0.2", true],
  ["text/plain;q=0.2, */*;q=0.3", false],
  // A weight that is none: the member is skipped.
  ["text/plain;q=2, application/json;q=0.1", false],
  ["text/plain;q=0.1234", false],
  ["text/plain;q=", false],
  ["text/plain;q=-1, */*", false],
  ["text/plain;q=NaN, */*", false],
  [",,text/plain,,", true],
  ["__proto__, constructor;q=1, text/plain", true],
];

for (const [accept, text] of ROWS) {
  test(`problemResponse: Accept: ${accept} gets ${text ? "text" : "JSON"} (RFC 9110 §12.5.1)`, async () => {
    const problem = { status: 412, title: "Precondition Failed", detail: "Do this." };
    const headers: Record<string, string> = accept === undefined ? {} : { accept };
    const answer = problemResponse(request(headers, { method: "PUT" }), problem);
    assert.deepEqual([answer.status, answer.statusText], [412, "Precondition Failed"]);
    assert.equal(answer.headers.get("content-type"), text ? TEXT_TYPE : JSON_TYPE);
    assert.deepEqual([answer.headers.get("vary"), answer.headers.get("cache-control")], [
      "Accept",
      "no-store",
    ]);
    const body = await answer.text();
    if (text) assert.equal(body, "Precondition Failed: Do this.\n");
    else assert.deepEqual(JSON.parse(body), { type: "about:blank", ...problem });
  });
}

test("problemResponse: a HEAD gets the same fields and no body, and further fields stay", async () => {
  const problem = { status: 428, title: "Precondition Required", detail: "Do this." };
  const cors = { "access-control-allow-origin": "https://example.org" };
  const answer = problemResponse(request({}, { method: "HEAD" }), problem, cors);
  assert.deepEqual([answer.status, answer.body, await answer.text()], [428, null, ""]);
  assert.equal(answer.headers.get("content-type"), JSON_TYPE);
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://example.org");
});

test("problemResponse: hostile Accept fields do not throw", () => {
  const problem = { status: 412, title: "Precondition Failed", detail: "" };
  for (
    const accept of [",".repeat(60_000), ";".repeat(60_000), "text/plain;q=0.".repeat(5_000), "\xff/\xff;q=1"]
  ) {
    assert.equal(problemResponse(request({ accept }), problem).status, 412);
  }
});
