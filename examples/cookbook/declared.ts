/**
 * The cookbook of `reads.ts`, with each source declared by hand. It is here to compare: a source that is left out is a stale
 * page.
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`.
 */
import { type IRequestStrict, IttyRouter } from "itty-router";
import type { DocumentScope } from "nano";
import {
  conflictResponse,
  dependsOn,
  EtagRegistry,
  follow,
  group,
  guard,
  invalidates,
  withEtag,
  type WithEtagOptions,
} from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import type { Cookbook } from "./reads.ts";
import { editPage, listPage, loginPage, messagePage, recipePage } from "./pages.ts";
import { type Cook, type Document, passwordFits, type Recipe, type Session } from "./documents.ts";

/** All recipes, also those that do not exist yet. */
const recipes = group("recipes", ({ id }) => id.startsWith("recipe-"));

/** Opens the cookbook in a database of its own. */
export function openCookbook(db: DocumentScope<Document>, options: WithEtagOptions = {}): Cookbook {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(db), { groups: [recipes] });

  /** The document, null if there is none. */
  const find = <Kind extends Document>(id: string): Promise<Kind | null> =>
    db.get(id).then((document) => document as Kind, (error) => {
      if (error.statusCode === 404) return null;
      throw error;
    });

  const router = IttyRouter<IRequestStrict, [session: Session]>();

  // Each page is shown to this session: its end is the end of the entry.
  router.get("/", async (_request, session) => {
    const { rows } = await db.list({ startkey: "recipe-", endkey: "recipe-\ufff0", include_docs: true });
    const all = rows.map(({ doc }) => doc as Recipe);
    return page(listPage(all), 200, dependsOn(recipes, ...all, guard(session)));
  });

  router.get("/recipes/:id", async ({ params }, session) => {
    const recipe = await find<Recipe>(params["id"]!);
    if (recipe === null) return notFound();
    const cook = await find<Cook>(recipe.cook);
    return page(recipePage(recipe, cook), 200, dependsOn(recipe, cook ?? recipe.cook, guard(session)));
  });

  router.get("/recipes/:id/edit", async ({ params }, session) => {
    const recipe = await find<Recipe>(params["id"]!);
    if (recipe !== null && recipe.cook !== session.cook) {
      return page(messagePage("This is not your recipe."), 403);
    }
    const form = editPage(recipe ?? { _id: params["id"]!, title: "", text: "" });
    return page(form, 200, dependsOn(recipe ?? params["id"]!, guard(session)));
  });

  router.post("/recipes/:id", async (request, { cook }) => {
    const id = request.params["id"]!;
    const fields = await request.formData();
    const [title, text, _rev] = ["title", "text", "rev"].map((name) => String(fields.get(name) ?? ""));
    const before = await find<Recipe>(id);
    if (!id.startsWith("recipe-")) return notFound();
    if (before !== null && before.cook !== cook) return page(messagePage("This is not your recipe."), 403);
    // The database compares the revision that the form was made from: of two edits at once, one is a conflict.
    const version = _rev ? { _rev } : {};
    if (fields.has("delete")) await db.destroy(id, _rev!);
    else await db.insert({ _id: id, ...version, kind: "recipe", title: title!, text: text!, cook });
    return seeOther(fields.has("delete") ? "/" : `/recipes/${id}`, { ...invalidates(id, recipes) });
  });

  router.post("/logout", async (_request, session) => {
    await db.destroy(session._id, session._rev!);
    return seeOther("/login", { "set-cookie": cookie("", 0) });
  });

  async function logIn(request: Request): Promise<Response> {
    const fields = await request.formData();
    const cook = await find<Cook>(`cook-${fields.get("name")}`);
    if (cook === null || !passwordFits(cook, String(fields.get("password")))) {
      return page(loginPage("Try again."), 403);
    }
    const id = `session-${crypto.randomUUID()}`;
    await db.insert({ _id: id, kind: "session", cook: cook._id });
    return seeOther("/", { "set-cookie": cookie(id, 86_400) });
  }

  const handler = withEtag(async (request: Request) => {
    if (new URL(request.url).pathname === "/login") {
      return request.method === "POST" ? await logIn(request) : page(loginPage());
    }
    const id = sessionIdOf(request);
    const session = id === undefined ? null : await find<Session>(id);
    if (session === null) return seeOther("/login");
    try {
      return await router.fetch(request, session) ?? notFound();
    } catch (error) {
      if (conflictResponse(request, error) === undefined) throw error;
      return page(messagePage("It was edited meanwhile. Go back, reload, and edit again."), 409);
    }
  }, { registry, caller: sessionIdOf, cacheStatus: "Stillfresh", ...options });
  return { fetch: (request) => handler(request), registry, follower };
}

function sessionIdOf(request: Request): string | undefined {
  return /(?:^|; )session=(session-[\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
}

function cookie(id: string, seconds: number): string {
  return `session=${id}; Max-Age=${seconds}; Path=/; HttpOnly; SameSite=Lax`;
}

/** `private`: for this session alone; `no-cache`: ask each time whether the copy is good. */
function page(html: string, status = 200, fields: Record<string, string> = {}): Response {
  return new Response(html, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "private, no-cache", ...fields },
  });
}

function notFound(): Response {
  return page(messagePage("There is nothing at this address."), 404);
}

function seeOther(location: string, fields: Record<string, string> = {}): Response {
  return new Response(null, { status: 303, headers: { location, ...fields } });
}
