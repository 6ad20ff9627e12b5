/** What docs/placement.md says of access: `caller` and `guard` have to name the same thing. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { dependsOn, guard, withEtag } from "../../mod.ts";

const note = { _id: "note-1", _rev: "1-a" };

/** A site whose tokens say who the user is, `ann.phone`, and whose sessions end in the database. */
function site(callerOf: (token: string) => string) {
  const sessions = new Map(
    ["ann.phone", "ann.desk"].map((token) => [token, { _id: `s-${token}`, _rev: "1-x" }]),
  );
  const tokenOf = (request: Request) => request.headers.get("authorization")!;
  const handler = withEtag((request: Request) => {
    const session = sessions.get(tokenOf(request));
    if (session === undefined) return new Response(null, { status: 401 });
    const headers = { "cache-control": "private, no-cache", ...dependsOn(note, guard(session)) };
    return Response.json(note, { headers });
  }, { manual: true, caller: (request) => callerOf(tokenOf(request)) });
  return {
    get: async (token: string, etag = '"none"') => {
      const headers = { "authorization": token, "if-none-match": etag };
      return await handler(new Request("http://localhost/notes/1", { headers }));
    },
    end(token: string) {
      handler.registry.invalidate(sessions.get(token)!._id);
      sessions.delete(token);
    },
  };
}

const rows: readonly [caller: string, callerOf: (token: string) => string, afterItsEnd: number][] = [
  ["the user, a session goes on getting what another session guards", (token) => token.split(".")[0]!, 304],
  ["the session, it gets nothing after its end", (token) => token, 401],
];

for (const [what, callerOf, afterItsEnd] of rows) {
  test(`placement: where the guard is a session and the caller ${what}`, async () => {
    const { get, end } = site(callerOf);
    const tags = new Map<string, string>();
    for (const token of ["ann.desk", "ann.phone"]) tags.set(token, (await get(token)).headers.get("etag")!);
    end("ann.desk");
    assert.equal((await get("ann.phone", tags.get("ann.phone"))).status, 304);
    assert.equal((await get("ann.desk", tags.get("ann.desk"))).status, afterItsEnd);
  });
}
