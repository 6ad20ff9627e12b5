/** What the site answers. Each page declares what it was built from, each write what it changed. */
import { type IRequestStrict, IttyRouter } from "itty-router";
import { conflictResponse, dependsOn, type Group, group, guard, invalidates, revisionOf } from "../../mod.ts";
import { conflictPage, listPage, loginPage, messagePage, notePage } from "./pages.ts";
import { htmlResponse, jsonResponse, loggedOut, refusal, seeOther, wantsHtml } from "./responses.ts";
import { currentSession, logIn, logOut } from "./sessions.ts";
import type { Author, Note, Session, Store } from "./store.ts";

/** All notes: a list depends on those that do not exist yet, too. */
export const notes: Group = group("notes", ({ id }) => id.startsWith("note-"));

type Asked = IRequestStrict & { session: Session };

/** The handler of all addresses. */
export function routes(store: Store): (request: Request) => Promise<Response> {
  const router = IttyRouter<Asked>();
  const read = (path: string, handler: (request: Asked) => Response | Promise<Response>) =>
    router.get(path, handler).head(path, handler);
  read("/login", () => htmlResponse(200, loginPage()));
  router.post("/login", (request) => logIn(store, request));
  router.post("*", refuseForeignForm);
  router.all("*", async (request) => {
    const session = await currentSession(store, request);
    if (session === null) return loggedOut(request);
    request.session = session;
    return undefined;
  });
  router.post("/logout", ({ session }) => logOut(store, session));
  read("/", ({ session }) => list(store, session));
  router.post("/", (request) => create(store, request));
  read("/notes/:id", (request) => show(store, request));
  router.post("/notes/:id", (request) => saveForm(store, request));
  router.put("/notes/:id", (request) => saveJson(store, request));
  router.all("*", notFound);
  return (request) => router.fetch(request).catch(unavailable);
}

/**
 * What `If-Match` is judged by, before the routes run: the note. Undefined where the routes have to answer, because it
 * does not exist, or because without a session nothing may be learned of it.
 */
export async function currentNote(store: Store, request: Request): Promise<Note | undefined> {
  if (await currentSession(store, request) === null) return undefined;
  return await noteOf(store, new URL(request.url).pathname.slice("/notes/".length)) ?? undefined;
}

async function noteOf(store: Store, id: string): Promise<Note | null> {
  return /^note-[\w-]+$/.test(id) ? await store.get<Note>(id) : null;
}

/** A list depends on each document on it, and on those that do not exist yet. It shows nothing of the session. */
async function list(store: Store, session: Session): Promise<Response> {
  const all = await store.notes();
  return htmlResponse(200, listPage(all), dependsOn(notes, ...all, guard(session)));
}

/** For a browser a page of two documents, for a script the note alone. */
async function show(store: Store, request: Asked): Promise<Response> {
  const note = await noteOf(store, request.params["id"]!);
  if (note === null) return notFound(request);
  if (!wantsHtml(request)) return jsonResponse(note, dependsOn(note, guard(request.session)));
  const author = await store.get<Author>(note.author);
  // An author who does not exist is named: the page changes when the document appears.
  const sources = dependsOn(note, author ?? note.author, guard(request.session));
  return htmlResponse(200, notePage(note, author), sources);
}

/** Writes a new note. */
async function create(store: Store, request: Asked): Promise<Response> {
  const { text } = await fieldsOf(request);
  if (!text) return refusal(400, "A note has a text.");
  const _id = `note-${crypto.randomUUID()}`;
  await store.put({ _id, text, author: request.session.author });
  return seeOther(`/notes/${_id}`, invalidates(notes));
}

/** A form cannot send `If-Match`: a hidden field says which revision it was made from, and the database compares it. */
async function saveForm(store: Store, request: Asked): Promise<Response> {
  const note = await noteOf(store, request.params["id"]!);
  if (note === null) return notFound(request);
  const { text, _rev } = await fieldsOf(request);
  if (!text) return refusal(400, "A note has a text.");
  try {
    await store.put({ ...note, text, _rev });
  } catch (error) {
    if (conflictResponse(request, error) === undefined) throw error;
    const now = await noteOf(store, note._id);
    return now === null ? notFound(request) : htmlResponse(409, conflictPage(now, text));
  }
  return seeOther(`/notes/${note._id}`, invalidates(note, notes));
}

/** The revision in `If-Match` goes on to the database, so that no write in between is lost. */
async function saveJson(store: Store, request: Asked): Promise<Response> {
  const note = await noteOf(store, request.params["id"]!);
  if (note === null) return notFound(request);
  const text = (await request.json().catch(() => null))?.text;
  if (typeof text !== "string" || text === "") return refusal(400, "A note has a text.");
  try {
    await store.put({ ...note, text, _rev: revisionOf(request) });
  } catch (error) {
    const conflict = conflictResponse(request, error);
    if (conflict === undefined) throw error;
    return conflict;
  }
  return new Response(null, { status: 204, headers: invalidates(note, notes) });
}

/** The fields of a form, whose lines end in CR and LF; none where the body is no form. */
async function fieldsOf(request: Request): Promise<{ readonly text?: string; readonly _rev?: string }> {
  const form = await request.formData().catch(() => new FormData());
  return Object.fromEntries([...form].map(([name, value]) => [name, String(value).replaceAll("\r\n", "\n")]));
}

/** `SameSite` keeps the cookie out of forms of other sites, but not of other ports and subdomains of this one. */
function refuseForeignForm({ headers }: Request): Response | undefined {
  const from = headers.get("sec-fetch-site") ?? "same-origin";
  return from === "same-origin" ? undefined : refusal(403, "This form is on a page of another site.");
}

function notFound(request: Request): Response {
  const text = "There is nothing at this address.";
  return wantsHtml(request) ? htmlResponse(404, messagePage("Not found", text)) : refusal(404, text);
}

/** The database does not answer, or refuses. */
function unavailable(error: Error): Response {
  console.error(`notes: ${error.message}`);
  return refusal(503, "The database does not answer at the moment.");
}
