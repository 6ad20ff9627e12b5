/** The pages: documents in, HTML out. Nothing here reads a database or knows about HTTP. */
import { type Html, html } from "../blog/html.ts";
import type { Author, Note } from "./store.ts";

/** The login. It asks for no password, because what a login proves is not what this example is about. */
export function loginPage(complaint = ""): string {
  return page(
    "Log in",
    html`
      <p>${complaint}</p>
      <form method="post" action="/login">
        <label>Name <input name="name" placeholder="ann or ben" autofocus required></label>
        <button>Log in</button>
      </form>
    `,
  );
}

/** All notes. */
export function listPage(notes: readonly Note[]): string {
  const items = notes.map(({ _id, text }) =>
    html`
      <li><a href="/notes/${_id}">${text.trim().split("\n", 1)[0] || "A blank note"}</a></li>
    `
  );
  return page(
    "Notes",
    html`
      <ul>
        ${items}
      </ul>
      <form method="post" action="/">
        <textarea name="text" rows="3" aria-label="New note" required></textarea>
        <button>Add</button>
      </form>
      <form method="post" action="/logout"><button>Log out</button></form>
    `,
  );
}

/** One note and its author. The form says in `_rev` which revision it was made from. */
export function notePage(note: Note, author: Author | null): string {
  return page(
    "Note",
    html`
      <p class="author">By ${author?.name ?? "an unknown author"}</p>
      ${form(note, note.text)}
      <p><a href="/">All notes</a></p>
    `,
  );
}

/** What is there now, and the text that came too late, in a form for what is there now. */
export function conflictPage(note: Note, late: string): string {
  return page(
    "Changed in the meantime",
    html`
      <p>This note was changed after you had opened it, so yours was not saved. It now says:</p>
      <pre>${note.text}</pre>
      <p>Below is yours. Put the two together: what you save replaces the text above.</p>
      ${form(note, late)}
    `,
  );
}

/** A page that only says something. */
export function messagePage(title: string, text: string): string {
  return page(
    title,
    html`
      <p>${text}</p>
      <p><a href="/">All notes</a></p>
    `,
  );
}

function form({ _id, _rev }: Note, text: string): Html {
  return html`
    <form method="post" action="/notes/${_id}">
      <input type="hidden" name="_rev" value="${_rev}">
      <textarea name="text" rows="6" aria-label="Text" required>${"\n" + text}</textarea>
      <button>Save</button>
    </form>
  `;
}

function page(title: string, content: Html): string {
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <link rel="icon" href="data:,">
        <style>${style}</style>
      </head>
      <body>
        <h1>${title}</h1>
        ${content}
      </body>
    </html>
  `.toString().trimStart();
}

const style: string = `
:root { color-scheme: light dark; }
body { max-width: 34rem; margin: 3rem auto; padding: 0 1rem; font: 1.1rem/1.5 system-ui, sans-serif; }
form { display: grid; gap: 0.6rem; margin: 1.2rem 0; justify-items: start; }
textarea, input, button { font: inherit; }
textarea { width: 100%; box-sizing: border-box; }
button { padding: 0.25rem 1.2rem; }
pre { padding: 0.6rem 1rem; border-left: 3px solid; white-space: pre-wrap; font: inherit; }
.author { opacity: 0.7; }
`;
