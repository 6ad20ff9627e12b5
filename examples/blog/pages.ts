/** The pages: documents in, HTML out. Nothing here reads a database or knows about HTTP. */
import type { Author, Post } from "./documents.ts";
import { type Html, html } from "./html.ts";
import { scriptPath } from "./story/assets.ts";
import { type Offer, panel } from "./story/panel.ts";
import type { Run } from "./story/story.ts";
import type { SignedPost } from "./store.ts";
import { style } from "./style.ts";

/** The newest posts, and where the older ones start. */
export function listPage(
  posts: readonly SignedPost[],
  older: string | undefined,
  run: Run,
): string {
  const items = posts.map(({ post, author }) =>
    html`
      <li>
        ${byline(post, author)}
        <h2><a href="/posts/${post._id}">${post.title}</a></h2>
        <p class="excerpt">${firstSentences(post.body)}</p>
      </li>
    `
  );
  const list = items.length === 0
    ? html`<p>Nothing has been written yet.</p>`
    : html`<ul class="list">${items}</ul>`;
  const next = older === undefined ? "" : html`<a class="older" href="/?from=${older}">Older posts →</a>`;
  const [first] = posts;
  const offer = first && { id: first.post._id, label: "Change a post" };
  return page("Slack Water", html`${list}${next}`, run, { isFront: true, offer });
}

/** One post with its author. */
export function postPage({ post, author }: SignedPost, run: Run): string {
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
    run,
    { offer: { id: post._id, label: "Change this post" } },
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
    run,
  );
}

function byline(post: Post, author: Author | undefined): Html {
  const date = html`<time datetime="${post.published}">${longDate(post.published)}</time>`;
  return html`<p class="meta">${date} · ${author?.name ?? "Unknown"}</p>`;
}

/** What a page may have besides its content. */
interface PageParts {
  /** Whether the site's name is the heading. */
  readonly isFront?: boolean;
  /** The post that can be changed to see what follows. */
  readonly offer?: Offer | undefined;
}

/** The whole page around its content. */
function page(title: string, content: Html, run: Run, { isFront = false, offer }: PageParts = {}): string {
  const name = html`<a href="/">Slack Water</a>`;
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <link rel="icon" href="data:,">
        <style>${style}</style>
        <script src="${scriptPath}" defer></script>
      </head>
      <body>
        ${panel(run, offer)}
        <div class="measure">
          <header class="masthead">
            ${isFront ? html`<h1>${name}</h1>` : html`<p>${name}</p>`}
            <p class="motto">notes from between the tides</p>
          </header>
          <main>${content}</main>
          <footer>A demo of Stillfresh. A program put these texts together.</footer>
        </div>
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
