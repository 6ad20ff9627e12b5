/**
 * Pages for members who are logged in. Without `caller` no request here would ever be answered from the registry,
 * because a cookie may select what is shown. With `caller`, each member has tags of their own.
 *
 *     deno serve examples/members.ts     or     bun run examples/members.ts
 *     curl -i http://localhost:8000/ -H 'Cookie: session=s-ada'
 *
 * In a program of your own, `../mod.ts` is `@stillfresh/etag`.
 */
import { dependsOn, withEtag } from "../mod.ts";

const sessions = new Map([["s-ada", "ada"], ["s-bram", "bram"]]);
const members = new Map([
  ["ada", { _id: "ada", _rev: "7", letters: 3 }],
  ["bram", { _id: "bram", _rev: "2", letters: 0 }],
]);

function memberOf(request: Request): string | undefined {
  const session = /(?:^|; )session=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
  return session === undefined ? undefined : sessions.get(session);
}

const handler = withEtag((request: Request) => {
  const member = members.get(memberOf(request) ?? "");
  if (member === undefined) return new Response("Please log in.\n", { status: 401 });
  return new Response(`Hello ${member._id}, ${member.letters} letters are waiting.\n`, {
    headers: { "cache-control": "private, no-cache", ...dependsOn(member) },
  });
}, { manual: true, caller: memberOf });

export default {
  fetch: (request: Request): Response | Promise<Response> => handler(request),
  /** Ends a session: from here on its cookie belongs to no member. */
  logOut: (session: string): void => void sessions.delete(session),
};
