/** The pages of the cookbook, as HTML. They read nothing by themselves. */
import type { Cook, Recipe } from "./documents.ts";

/** Text as HTML. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}

function layout(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escaped(title)}</title>
<style>body { font: 1rem/1.5 system-ui; max-width: 40rem; margin: 2rem auto; padding: 0 1rem }</style>
<h1>${escaped(title)}</h1>
${body}
`;
}

/** The form of the login. */
export function loginPage(message = ""): string {
  return layout(
    "Log in",
    `<p>${escaped(message)}</p><form method="post"><label>Name <input name="name"></label>
<label>Password <input name="password" type="password"></label> <button>Log in</button></form>`,
  );
}

/** All recipes. */
export function listPage(recipes: readonly Recipe[]): string {
  const items = recipes.map(({ _id, title }) => `<li><a href="/recipes/${_id}">${escaped(title)}</a>`);
  return layout(
    "Recipes",
    `<ul>${items.join("\n")}</ul><p><a href="/recipes/recipe-new/edit">Write one</a>
<form method="post" action="/logout"><button>Log out</button></form>`,
  );
}

/** A recipe, and who wrote it. */
export function recipePage({ _id, title, text }: Recipe, cook: Cook | null): string {
  return layout(
    title,
    `<p>${escaped(text)}</p><p>By ${escaped(cook?.name ?? "a cook who has left")}</p>
<p><a href="/recipes/${_id}/edit">Edit</a> <a href="/">All recipes</a></p>`,
  );
}

/** The form of a recipe, with the revision that it shows. */
export function editPage(
  { _id, _rev = "", title, text }: Pick<Recipe, "_id" | "_rev" | "title" | "text">,
): string {
  return layout(
    title || "A new recipe",
    `<form method="post" action="/recipes/${_id}"><input type="hidden" name="rev" value="${_rev}">
<p><label>Title <input name="title" value="${escaped(title)}"></label>
<p><label>Text <textarea name="text">${escaped(text)}</textarea></label>
<p><button>Save</button> <button name="delete" value="1">Delete</button></form>`,
  );
}

/** A sentence. */
export function messagePage(message: string): string {
  return layout(message, `<p><a href="/">All recipes</a></p>`);
}
