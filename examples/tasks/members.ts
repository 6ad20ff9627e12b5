/**
 * Pages behind a login. `caller` names the session, unchecked: a session that is not valid gets no 200, so nothing is
 * registered for it. The handler checks it, and declares what it has read for that as a guard: the end of the session, in
 * this process or in any other, voids its pages.
 *
 *     curl -i http://localhost:8000/ -H 'Cookie: session=session-a'   200, `stored`; again with its tag: 304, `hit`
 *     curl -i http://localhost:8000/ -H 'Cookie: session=session-x'   401, also with the tag of another session
 *     curl -i http://localhost:8000/ -H 'Cookie: session=session-a' -X DELETE    204: it is over
 *
 * In a program of your own no id of a session can be guessed, and a snapshot of the registry, which holds them, is secret.
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, guard, invalidates, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { nullIfMissing, type Served } from "./served.ts";

type Member = { readonly member: string } | { readonly letters: number };

function sessionIdOf(request: Request): string | undefined {
  return /(?:^|; )session=(session-[\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
}

/** `GET /` greets the member of the session, `DELETE /` ends it. */
export function serveMembers(database: DocumentScope<Member>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database));
  const handler = withEtag(async (request: Request) => {
    const id = sessionIdOf(request);
    const session = id === undefined ? null : await database.get(id).catch(nullIfMissing);
    if (!session || !("member" in session)) return new Response("Please log in.\n", { status: 401 });
    if (request.method === "DELETE") {
      await database.destroy(session._id, session._rev);
      return new Response(null, { status: 204, headers: invalidates(session) });
    }
    const member = await database.get(session.member).catch(nullIfMissing);
    if (!member || !("letters" in member)) return new Response("Please log in.\n", { status: 401 });
    return new Response(`${member.letters} letters are waiting.\n`, {
      headers: { "cache-control": "private, no-cache", ...dependsOn(member, guard(session)) },
    });
  }, { registry, caller: sessionIdOf, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
