/**
 * A cookbook: login, a list, a page of two documents, a form to edit and to delete. Its pages declare nothing: what a tracked
 * handle gives while a page is built is what the page depends on. `declared.ts` is the same with `dependsOn`.
 *
 *     deno run -A examples/cookbook/serve.ts     and log in as ada, with the password "lovelace"
 *
 * In a program of your own, `../../mod.ts` is `@stillfresh/etag`, and `../../src/reads/reads.ts` is `@stillfresh/etag/reads`.
 */
import { type IRequestStrict, IttyRouter } from "itty-router";
import type { DocumentScope } from "nano";
import {
  conflictResponse,
  EtagRegistry,
  follow,
  type Follower,
  group,
  invalidates,
  withEtag,
} from "../../mod.ts";
import { guarding, reads, tracked } from "../../src/reads/reads.ts";
import { changes } from "../../src/nano.ts";
import { editPage, listPage, loginPage, messagePage, recipePage } from "./pages.ts";
import { type Cook, type Document, passwordFits, type Recipe, type Session } from "./documents.ts";

/** A running cookbook. */
export interface Cookbook {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  readonly follower: Follower;
}

/** All recipes, also those that do not exist yet. */
const recipes = group("recipes", ({ id }) => id.startsWith("recipe-"));

/** Opens the cookbook in a database of its own. */
export function openCookbook(database: DocumentScope<Document>): Cookbook {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(database), { groups: [recipes] });
  // Every list here is one of recipes.
  const db = tracked(database, { set: () => recipes });

  /** The document, null if there is none. */
  const find = <Kind extends Document>(id: string): Promise<Kind | null> =>
    db.get(id).then((document) => document as Kind, (error) => {
      if (error.statusCode === 404) return null;
      throw error;
    });

  /** Whose session it is. It decides who sees a page, and is no part of it: a guard. */
  const cookOf = (request: Request): Promise<string | undefined> =>
    guarding(async () => {
      const id = sessionIdOf(request);
      return id === undefined ? undefined : (await find<Session>(id))?.cook;
    });

  const router = IttyRouter<IRequestStrict, [cook: string]>();

  router.get("/", async () => {
    const { rows } = await db.list({ startkey: "recipe-", endkey: "recipe-\ufff0", include_docs: true });
    return page(listPage(rows.map(({ doc }) => doc as Recipe)));
  });

  router.get("/recipes/:id", async ({ params }) => {
    const recipe = await find<Recipe>(params["id"]!);
    if (recipe === null) return notFound();
    return page(recipePage(recipe, await find<Cook>(recipe.cook)));
  });

  router.get("/recipes/:id/edit", async ({ params }, cook) => {
    const recipe = await find<Recipe>(params["id"]!);
    if (recipe !== null && recipe.cook !== cook) return page(messagePage("This is not your recipe."), 403);
    return page(editPage(recipe ?? { _id: params["id"]!, title: "", text: "" }));
  });

  router.post("/recipes/:id", async (request, cook) => {
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

  router.post("/logout", async (request) => {
    const session = await find<Session>(sessionIdOf(request)!);
    if (session !== null) await db.destroy(session._id, session._rev!);
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
    const cook = await cookOf(request);
    if (cook === undefined) return seeOther("/login");
    try {
      return await router.fetch(request, cook) ?? notFound();
    } catch (error) {
      if (conflictResponse(request, error) === undefined) throw error;
      return page(messagePage("It was edited meanwhile. Go back, reload, and edit again."), 409);
    }
  }, { registry, reads, caller: sessionIdOf, cacheStatus: "Stillfresh" });
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
