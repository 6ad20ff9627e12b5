/** The demo's story: what became of each request, told in the page, over its events and in the terminal. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Told } from "../../examples/blog/story/events.ts";
import { answerOf, changeInWords, inMicroseconds } from "../../examples/blog/story/sentences.ts";
import { type Exchange, Story } from "../../examples/blog/story/story.ts";
import { tellTerminal } from "../../examples/blog/story/terminal.ts";
import { type Blog, changed, json, withBlog } from "./blog_support.ts";
import { embedded } from "./database_support.ts";

const post = "post-2026-11-20-0060";
const path = `/posts/${post}`;

/** Asks for a page as a browser does that has no copy of it. */
async function visit(blog: Blog, page = path): Promise<{ text: string; etag: string; built: number }> {
  const response = await blog.ask(page);
  const text = await response.text();
  const built = Number(/data-built="(\d+)"/.exec(text)![1]);
  return { text, etag: response.headers.get("etag") ?? "", built };
}

async function told(blog: Blog, built: number, page = path): Promise<Told> {
  const response = await blog.ask(`/story?path=${encodeURIComponent(page)}&built=${built}`);
  assert.equal(response.headers.get("cache-control"), "no-store");
  return await response.json() as Told;
}

/** Asks again and again, until something is told. */
async function toldThat(blog: Blog, built: number, condition: (told: Told) => boolean): Promise<Told> {
  for (const end = performance.now() + 5_000;;) {
    const now = await told(blog, built);
    if (condition(now)) return now;
    assert.ok(performance.now() < end, `in vain: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const edit = (blog: Blog, query = "", init: RequestInit = {}): Promise<Response> =>
  blog.ask(`/edit/${post}${query}`, { method: "POST", redirect: "manual", ...init });

test("story: a page tells, without a script, which run built it and from what", () =>
  withBlog(async (blog) => {
    const { text } = await visit(blog);
    assert.match(text, /Built by run № 1 of the handler\./);
    assert.match(text, /Run № 1, \d\d:\d\d:\d\d UTC/);
    assert.match(text, /<li><code>post-2026-11-20-0060<\/code> <code class="aside">1-\w{8}<\/code><\/li>/);
    assert.match(text, /<li><code>author-\d{3}<\/code> <code class="aside">1-\w{8}<\/code><\/li>/);
    assert.match(text, /none since the start[^]*as of run № 1/);
    assert.match(text, new RegExp(`<form method="post" action="/edit/${post}\\?back=%2Fposts%2F${post}">`));
    assert.match(text, /href="\/stats"/);
    const list = await visit(blog, "/");
    assert.match(list.text, /<summary>29 documents and a group<\/summary>/);
    assert.match(
      (await visit(blog, "/nothing")).text,
      /built from no document[^]*each request runs the handler/,
    );
  }));

test("story: one script from the site itself, one style by its digest, and nothing else", () =>
  withBlog(async (blog) => {
    const response = await blog.ask(path);
    const policy = response.headers.get("content-security-policy")!;
    assert.doesNotMatch(policy, /unsafe/);
    const text = await response.text();
    const style = /<style>([^]*?)<\/style>/.exec(text)![1]!;
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(style));
    const spelled = btoa(String.fromCharCode(...new Uint8Array(digest)));
    assert.match(policy, new RegExp(`style-src 'sha256-${spelled.replaceAll(/[+/]/g, "\\$&")}'`));
    const script = await blog.ask(/<script src="([^"]+)"/.exec(text)![1]!);
    assert.match(script.headers.get("content-type")!, /^text\/javascript/);
    assert.match(script.headers.get("cache-control")!, /immutable/);
    assert.match(await script.text(), /EventSource/);
  }));

test("story: a hit, and that it ran nothing, is told of the last request for the page", () =>
  withBlog(async (blog) => {
    const { etag, built } = await visit(blog);
    const first = await told(blog, built);
    assert.deepEqual([first.status, first.answer, first.goodness], ["200", "run", "good"]);
    assert.match(first.how, /^in [\d,]+ µs, by run № 1 of the handler\.$/);
    assert.equal(first.why, "The request named no copy. Now it is registered.");
    assert.equal(first.change, "none since the start");

    await blog.ask(path, { headers: { "if-none-match": etag } });
    const second = await told(blog, built);
    assert.deepEqual([second.status, second.answer, second.goodness], ["304", "hit", "good"]);
    assert.match(second.how, /^in [\d,]+ µs\. The handler did not run\.$/);
    assert.equal(second.copy, "Good since then.");
    assert.match(second.contact, /^Last contact: \d\d:\d\d:\d\d$/);
    assert.equal(await blog.runs(), 1, "the story runs nothing");
  }));

test("story: an edit goes through the database and comes back over the feed, before the answer does", () =>
  withBlog(async (blog) => {
    const { etag, built } = await visit(blog);
    const exchanges: Exchange[] = [];
    blog.site.story.listen({ onExchange: (exchange) => exchanges.push(exchange) });
    const response = await edit(blog, "?back=%2Fposts%2F" + post);
    assert.deepEqual([response.status, response.headers.get("location")], [303, path]);
    assert.match(
      exchanges[0]!.deed!,
      /^Wrote \S+ at 2-\w{8} to the database; the feed brought it [\d,]+ µs later\.$/,
    );

    const now = await told(blog, built);
    assert.equal(now.goodness, "void");
    assert.match(now.copy!, /^Void since \d\d:\d\d:\d\d: ask again\.$/);
    assert.deepEqual([now.change, now.state.slice(0, 6)], [post, "now 2-"]);
    const again = await blog.ask(path, { headers: { "if-none-match": etag } });
    assert.equal(again.status, 200);
    assert.match(await again.text(), /<h1>.+ \(edition 2\)<\/h1>/);
    const after = await told(blog, Date.now());
    assert.equal(after.why, "What the copy was built from had changed. Now it is registered.");
    assert.equal(after.goodness, "good");

    await edit(blog);
    assert.match((await visit(blog)).text, /<h1>[^(]+ \(edition 3\)<\/h1>/);
    assert.match(
      (await visit(blog)).text,
      new RegExp(`<code data-tell="change">${post}</code>[^]*now 3-\\w{8}`),
    );
  }));

test("story: a list is void with any post, another page is not", () =>
  withBlog(async (blog) => {
    const list = await visit(blog, "/");
    const other = "/posts/post-2026-11-18-0058";
    const page = await visit(blog, other);
    await edit(blog);
    assert.equal((await told(blog, list.built, "/")).goodness, "void");
    assert.equal((await told(blog, page.built, other)).goodness, "good");
  }));

/** What a form of another page sends, and where an answer must not lead. */
const refusals: readonly [name: string, init: RequestInit, status: number][] = [
  ["of another site", { headers: { "sec-fetch-site": "cross-site" } }, 403],
  ["of another port", { headers: { "sec-fetch-site": "same-site" } }, 403],
  ["of another origin", { headers: { origin: "http://evil.example" } }, 403],
  ["of a sandbox", { headers: { origin: "null" } }, 403],
  ["as a link", { method: "GET" }, 405],
];

test("story: an edit from elsewhere is refused, and no edit leads elsewhere", () =>
  withBlog(async (blog) => {
    for (const [name, init, status] of refusals) {
      assert.equal((await edit(blog, "", init)).status, status, name);
    }
    assert.equal(blog.site.story.lastChange, undefined);
    assert.equal((await blog.ask("/edit/author-001", { method: "POST" })).status, 404);
    const own = { headers: { "sec-fetch-site": "same-origin", "origin": blog.origin } };
    for (const back of ["//evil.example/", "https://evil.example", "/\\evil.example", "http://["]) {
      const response = await edit(blog, `?back=${encodeURIComponent(back)}`, own);
      assert.deepEqual([response.status, response.headers.get("location")], [303, path], back);
    }
    const host = blog.origin.replace("http:", "https:");
    assert.equal(
      (await edit(blog, "", { headers: { origin: host } })).status,
      303,
      "TLS ends before the site",
    );
    const older = await edit(blog, `?back=${encodeURIComponent("/?from=post-2026-11-01-0041")}`);
    assert.equal(older.headers.get("location"), "/?from=post-2026-11-01-0041");
  }));

test("story: while the database is away, nothing is said to be good", () =>
  withBlog(async (blog) => {
    const { etag, built } = await visit(blog);
    await blog.closeDatabase();
    await changed(blog, path, etag);
    const lost = await toldThat(blog, built, ({ goodness }) => goodness !== "good");
    assert.deepEqual([lost.status, lost.goodness], ["503", "unknown"]);
    assert.match(lost.why, /^Contact with the database is lost/);
    assert.match(lost.copy!, /contact is lost/);
    assert.equal((await edit(blog)).status, 502);
  }, embedded));

test("story: its events begin with what is known, and bring what happens", () =>
  withBlog(async (blog) => {
    const { etag, built } = await visit(blog);
    const response = await blog.ask(`/story/events?path=${encodeURIComponent(path)}&built=${built}`);
    assert.equal(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const next = async (): Promise<Told> => {
      while (!text.includes("\n\n")) text += (await reader.read()).value;
      const [, data = "", rest = ""] = /^data: (.+)\n\n([^]*)$/.exec(text)!;
      text = rest;
      return JSON.parse(data);
    };
    assert.equal((await next()).answer, "run");
    await blog.ask(path, { headers: { "if-none-match": etag } });
    assert.equal((await next()).answer, "hit");
    await edit(blog);
    assert.equal((await next()).goodness, "void");
    blog.site.endStory();
    assert.equal((await reader.read()).done, true);
    const late = await blog.ask(`/story/events?path=/&built=${built}`);
    assert.equal(late.status, 204, "a browser does not connect again");
  }));

test("story: the terminal tells each request with its reason, and each change", () =>
  withBlog(async (blog) => {
    const lines: string[] = [];
    const stop = tellTerminal(blog.site.story, (line) => lines.push(line.replace(/^\d\d:\d\d:\d\d {2}/, "")));
    const { etag } = await visit(blog);
    await blog.ask(path, { headers: { "if-none-match": etag } });
    await edit(blog);
    const api = `/api/posts/${post}`;
    const { _rev, ...content } = await (await blog.ask(api)).json() as { readonly _rev: string };
    await blog.ask(api, json("PUT", content, { "if-match": '"1-0"' }));
    stop();
    const micros = "[\\d,]+ µs";
    const expected = [
      `GET ${path} {2}200 in ${micros}, by run № 1 of the handler\\. The request named no copy\\. Now it is registered\\.`,
      `GET ${path} {2}304 in ${micros}\\. The handler did not run\\. The copy is still good\\. The last run took ${micros}\\.`,
      `changes feed {2}${post}, now 2-\\w{8}: what was built from it is void\\.`,
      `POST /edit/${post} {2}303 in ${micros}\\. Wrote .+`,
      `GET ${api} {2}200 in ${micros}, by run № 2 .+`,
      `PUT ${api} {2}412 in ${micros}\\. The handler did not run\\. .+`,
    ];
    assert.equal(lines.length, expected.length, lines.join("\n"));
    for (const [index, line] of lines.entries()) assert.match(line, new RegExp(`^${expected[index]}$`));
  }));

test("terminal: twenty lines a second, and what is more is counted", () => {
  const story = new Story();
  const lines: string[] = [];
  const stop = tellTerminal(story, (line) => lines.push(line));
  const hit = new Response(null, { status: 304 });
  for (let index = 0; index < 5_000; index++) story.finish(story.begin("GET", "/"), hit);
  stop();
  const rest = /^ +and ([\d,]+) × 304 in the same second$/.exec(lines.at(-1)!)![1]!;
  // The loop may go over the end of a second.
  assert.ok(lines.length <= 42, `${lines.length} lines`);
  assert.equal(Number(rest.replace(",", "")) + lines.length - 1, 5_000);
});

test("terminal: what a document is called cannot command it", () => {
  const { what } = changeInWords({ id: "\x1b[2Jpost\u009b1m\n", rev: "1-a", time: new Date() });
  assert.equal(what, "?[2Jpost?1m?");
});

test("sentences: every reason is told, also one that has no sentence of its own", () => {
  const exchange = new Story().begin("GET", "/");
  const run = { number: 3, time: new Date(), path: "/", lastChange: undefined, sources: [] };
  const why = (cacheStatus: string | null) => answerOf({ ...exchange, run, status: 200, cacheStatus }).why;
  const told = [
    ["stored; detail=group-changed", /^What the copy was built from had changed\. Now it is registered\.$/],
    ["detail=credentials", /^It ran: the request carries Cookie or Authorization[^:]+\.$/],
    ['detail="miss, too-large"', /^Nothing was registered for this address\. Not registered: [^:]+\.$/],
    ["detail=of-a-later-version", /^It ran: of-a-later-version\.$/],
  ] as const;
  for (const [end, words] of told) assert.match(why(`Stillfresh; fwd=miss; fwd-status=200; ${end}`), words);
  assert.equal(why(null), "");
  assert.deepEqual([0.2, 6.4, 3211.6].map(inMicroseconds), ["1 µs", "6 µs", "3,212 µs"]);
});

test("story: on request it explains a page for the fields of the client, and nothing but a page", () =>
  withBlog(async (blog) => {
    const explained = async (page: string) => {
      const headers = { cookie: "visits=1" };
      const response = await blog.ask(`/story/why?path=${encodeURIComponent(page)}`, { headers });
      return [response.status, await response.text()] as const;
    };
    const [status, text] = await explained(path);
    assert.equal(status, 200);
    assert.match(text, new RegExp(`^GET ${path}: .*304`, "s"));
    assert.match((await explained("/nothing"))[1], /only a 200 is registered/);
    assert.match((await visit(blog)).text, /href="\/story\/why\?path=%2Fposts%2F/);
    for (
      const other of ["", "//evil.example/", "/\\evil.example/", "http://[", "/stats", "/story/why?path=/"]
    ) {
      assert.equal((await explained(other))[0], 400, other);
    }
  }));

test("story: what it remembers has a bound", () => {
  const story = new Story();
  for (let index = 0; index < 3_000; index++) {
    story.finish(story.begin("GET", `/${index}`), new Response(null));
    story.noteChange({ id: `post-${index}`, rev: "1-a" }, ["posts"]);
  }
  assert.equal(story.page("/0"), undefined);
  assert.ok(story.page("/2999"));
  assert.equal(story.changeOf("post-0"), undefined);
  assert.equal(story.changeOf("posts")?.id, "post-2999");
});

test("story: a change that comes again is no news", () => {
  const story = new Story();
  let told = 0;
  story.listen({ onChange: () => told++ });
  for (const rev of ["1-a", "1-a", "2-b"]) story.noteChange({ id: "post-1", rev }, []);
  assert.equal(told, 2);
});
