/** The example with callers: a tag is worth something to its member alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import members from "../../examples/members.ts";

function ask(session: string, etag?: string): Response | Promise<Response> {
  const headers = { cookie: `session=${session}`, ...(etag === undefined ? {} : { "if-none-match": etag }) };
  return members.fetch(new Request("http://localhost/", { headers }));
}

test("members: each has a tag, which opens nothing to another, nor after logging out", async () => {
  const etag = (await ask("s-ada")).headers.get("etag")!;
  assert.equal((await ask("s-ada", etag)).status, 304);
  assert.match(await (await ask("s-bram", etag)).text(), /^Hello bram/);
  assert.equal((await ask("s-none", etag)).status, 401);
  members.logOut("s-ada");
  assert.equal((await ask("s-ada", etag)).status, 401);
});
