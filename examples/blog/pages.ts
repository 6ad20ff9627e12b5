/** The pages: documents in, HTML out. Nothing here reads a database or knows about HTTP. */
import type { Author, Post } from "./documents.ts";
import { type Html, html } from "./html.ts";
import { style } from "./style.ts";

/** Which run of the handler makes this page, and when. */
export interface Run {
  readonly number: number;
  readonly time: Date;
}

const reloaded = "Reload: the number stays until a document on this page changes.";

/** The newest posts, and where the older ones start. */
export function listPage(
  posts: readonly Post[],
  authors: ReadonlyMap<string, Author>,
  older: string | undefined,
  run: Run,
): string {
  const items = posts.map((post) =>
    html`
      <li>
        ${byline(post, authors.get(post.author))}
        <h2><a href="/posts/${post._id}">${post.title}</a></h2>
        <p class="excerpt">${firstSentences(post.body)}</p>
      </li>
    `
  );
  const list = items.length === 0
    ? html`<p>Nothing has been written yet.</p>`
    : html`<ul class="list">${items}</ul>`;
  const next = older === undefined ? "" : html`<a class="older" href="/?from=${older}">Older posts →</a>`;
  return page("Slack Water", html`${list}${next}`, [...posts, ...authors.values()], run);
}

/** One post with its author. */
export function postPage(post: Post, author: Author | undefined, run: Run): string {
  const paragraphs = post.body.split(/\n{2,}/).map((text) => html`<p>${text}</p>`);
  const tags = post.tags.map((tag) => html`<span>${tag}</span>`);
  const about = author?.about ?? "Who wrote this is not known.";
  return page(
    post.title,
    html`
      <article>
        <h1>${post.title}</h1>
        ${byline(post, author)}
        <div class="prose">${paragraphs}</div>
        <p class="author">${about}</p>
        <p class="tags">${tags}</p>
      </article>
    `,
    author === undefined ? [post] : [post, author],
    run,
  );
}

/** A page that only says something, such as that there is no such post. */
export function messagePage(title: string, text: string, run: Run): string {
  return page(
    title,
    html`
      <article>
        <h1>${title}</h1>
        <p>${text}</p>
      </article>
    `,
    undefined,
    run,
  );
}

function byline(post: Post, author: Author | undefined): Html {
  const date = html`<time datetime="${post.published}">${longDate(post.published)}</time>`;
  return html`<p class="meta">${date} · ${author?.name ?? "Unknown"}</p>`;
}

/** The whole page around its content. `data-documents` names the documents that it shows, with their revisions. */
function page(
  title: string,
  content: Html,
  documents: readonly (Post | Author)[] | undefined,
  run: Run,
): string {
  const time = run.time.toISOString().slice(11, 19);
  const shown = (documents ?? []).map(({ _id, _rev }) => `${_id}@${_rev}`).join(" ");
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
        <header class="masthead"><a href="/">Slack Water</a><span>notes from between the tides</span></header>
        <main>${content}</main>
        <footer data-documents="${shown}">
          Built by handler run № <b>${run.number}</b> at <b>${time}</b> UTC.
          ${documents === undefined ? "" : reloaded}
        </footer>
      </body>
    </html>
  `.toString().trimStart();
}

function firstSentences(body: string): string {
  return body.slice(0, 400).split(/(?<=[.!?])\s+/, 2).join(" ");
}

function longDate(date: string): string {
  const options = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" } as const;
  const time = new Date(date);
  return Number.isNaN(time.getTime()) ? date : time.toLocaleDateString("en-GB", options);
}
