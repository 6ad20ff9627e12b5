/** Logging in and out. A session is a document, so that a change of it is reported like any other. */
import { createHash } from "node:crypto";
import { invalidates } from "../../mod.ts";
import { loginPage } from "./pages.ts";
import { htmlResponse, seeOther, wantsHtml } from "./responses.ts";
import type { Author, Session, Store } from "./store.ts";

/**
 * The id of the session's document, out of the cookie of a browser or the token of a script; undefined where there is
 * neither. A digest, so that neither the database nor a snapshot holds what logs a client in.
 */
export function sessionOf({ headers }: Request): string | undefined {
  const token = /^Bearer ([\w-]+)$/.exec(headers.get("authorization") ?? "")?.[1] ??
    /(?:^|; )session=([\w-]+)/.exec(headers.get("cookie") ?? "")?.[1];
  return token === undefined ? undefined : idOf(token);
}

function idOf(token: string): string {
  return `session-${createHash("sha256").update(token).digest("base64url")}`;
}

/** The session of a request, null where it has ended or never began. */
export async function currentSession(store: Store, request: Request): Promise<Session | null> {
  const id = sessionOf(request);
  return id === undefined ? null : await store.get<Session>(id);
}

/** Begins a session: with a cookie for a browser, with a token for a script. */
export async function logIn(store: Store, request: Request): Promise<Response> {
  const name = (await request.formData().catch(() => new FormData())).get("name");
  // A real site checks a password here.
  const author = await store.get<Author>(`author-${name}`);
  if (author === null) return htmlResponse(403, loginPage("There is no such author."));
  const token = crypto.randomUUID();
  await store.put({ _id: idOf(token), author: author._id });
  if (!wantsHtml(request)) return Response.json({ token }, { headers: { "cache-control": "no-store" } });
  // Behind HTTPS, with Secure as well.
  return seeOther("/", { "set-cookie": `session=${token}; Path=/; HttpOnly; SameSite=Lax` });
}

/** Ends a session. Its pages are void at once, and so is the cookie. */
export async function logOut(store: Store, session: Session): Promise<Response> {
  await store.delete(session);
  return seeOther("/login", { "set-cookie": "session=; Path=/; Max-Age=0", ...invalidates(session) });
}
