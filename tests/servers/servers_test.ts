/** The servers of this runtime, each in a process of its own; `deno task servers` runs all of them. */
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { examine, problems, programs } from "./start.ts";

const runtime = "Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node";
const own = programs.filter((server) => server.runtime === runtime);

for (const number of [1, 2, 3]) {
  test(`servers: number ${number} of this runtime passes each check`, async () => {
    const server = own[number - 1]!;
    const findings = await examine(server, process.execPath);
    assert.deepEqual(problems(server, findings), []);
    assert.ok(Object.keys(findings).length > 8);
  });
}

test("problems: what fails, and what is mended", () => {
  const server = { ...programs[0]!, faults: ["HEAD"] };
  assert.deepEqual(problems(server, { "200": undefined, "HEAD": new Error("x") }), []);
  const [fails, mended] = problems(server, { "200": new Error("late"), "HEAD": undefined });
  assert.match(fails!, /Deno: 200: Error: late/);
  assert.match(mended!, /HEAD is right now/);
});
