import assert from "node:assert/strict";
import { test } from "node:test";
import { ChangesError } from "../../src/changes/changes_error.ts";

test("ChangesError: is an Error with a code, and says no more than it was told", () => {
  const error = new ChangesError("network", "the connection broke");
  assert.ok(error instanceof Error);
  assert.equal(error.name, "ChangesError");
  assert.equal(String(error), "ChangesError: the connection broke");
  assert.deepEqual([error.code, error.status, error.since], ["network", undefined, undefined]);
  assert.equal("cause" in error, false);
});

test("ChangesError: carries the status, the position before the fault and what is underneath", () => {
  const cause = new SyntaxError("unexpected token");
  const error = new ChangesError("bad-row", "a row is not JSON", { status: 200, since: "7-abc", cause });
  assert.deepEqual([error.code, error.status, error.since], ["bad-row", 200, "7-abc"]);
  assert.equal(error.cause, cause);
});

test("ChangesError: a position of 0 is a position", () => {
  assert.equal(new ChangesError("bad-row", "a row is not JSON", { since: 0 }).since, 0);
});
