/**
 * Servers whose page costs what pages cost: a document read from the database over HTTP, and 10 KB rendered from it.
 *
 * @module
 */
import process from "node:process";
import type { Contestant } from "./contestants.ts";
import type { Article } from "./database.ts";
import { CACHE_CONTROL } from "./pages.ts";

const HTML = "text/html; charset=utf-8";
const database = process.env["DATABASE_URL"] ?? "";

async function load(url: string): Promise<Article> {
  const id = `post-${url.slice(url.lastIndexOf("/") + 1)}`;
  const response = await fetch(`${database}/blog/${id}`);
  if (!response.ok) throw new Error(`the database answered ${response.status}`);
  return await response.json();
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function rendered({ title, author, paragraphs }: Article): string {
  const text = paragraphs.map((paragraph) => `<p>${escaped(paragraph)}</p>`).join("\n");
  return `<!doctype html><title>${escaped(title)}</title><h1>${escaped(title)}</h1><p>${
    escaped(author)
  }</p>\n${text}`;
}

/** By the name under which they are asked for. */
export const pageContestants: Readonly<Record<string, Contestant>> = {
  "page": (made) => async ({ url }) => {
    made();
    const headers = { "cache-control": CACHE_CONTROL, "content-type": HTML };
    return new Response(rendered(await load(url)), { headers });
  },

  "page-compared": (made) => async ({ url, headers }) => {
    const article = await load(url);
    const etag = `"${article._rev}"`;
    const fields = { "cache-control": CACHE_CONTROL, "content-type": HTML, etag };
    if (headers.get("if-none-match") === etag) return new Response(null, { status: 304, headers: fields });
    made();
    return new Response(rendered(article), { headers: fields });
  },

  "page-stillfresh": async (made) => {
    const { dependsOn, withEtag } = await import("../../mod.ts");
    const { followed } = await import("../followed.ts");
    return withEtag(async ({ url }: Request) => {
      made();
      const article = await load(url);
      const headers = { "cache-control": CACHE_CONTROL, "content-type": HTML, ...dependsOn(article) };
      return new Response(rendered(article), { headers });
    }, { registry: await followed() });
  },
};
