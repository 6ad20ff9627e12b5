/** The demo as a program: what it prints, how it stops, and how it says that it cannot start. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startDatabase } from "../../examples/blog/database.ts";
import { sampleAuthors, samplePosts } from "../../examples/blog/sample.ts";
import { seed } from "../../examples/blog/seed.ts";
import { locate } from "../../examples/blog/couch_source.ts";
import { type Ended, runMain, withServer } from "./blog_support.ts";

const password = "pa%3Ass-word";

function assertRefused({ code, stdout, stderr }: Ended, reason: RegExp): void {
  assert.match(stderr, reason);
  assert.match(stderr, /^blog: [^\n]+\n$/, "one line");
  assert.doesNotMatch(stdout + stderr, /ss-word/);
  assert.equal(code, 1);
}

test("main: fills an embedded database, serves, says what to try, stops on SIGTERM", async () => {
  const { code, stdout, stderr } = await runMain({ PORT: "0" }, async (origin) => {
    const page = await fetch(`${origin}/posts/post-2026-11-20-3000`);
    assert.equal(page.status, 200);
    assert.match(await page.text(), /run № \d+ of the handler/);
    // A page that is open in a browser keeps no program from stopping.
    const events = await fetch(`${origin}/story/events?path=/&built=0`);
    assert.match(new TextDecoder().decode((await events.body!.getReader().read()).value), /^data: /);
  });
  assert.equal(stderr, "");
  assert.equal(code, 0);
  assert.match(stdout, /3100 of 3100 documents/);
  assert.match(stdout, /live: http:\/\/127\.0\.0\.1:\d+\/_stillfresh$/m);
  assert.equal(stdout.match(/^ {2}curl /gm)?.length, 5);
  assert.match(
    stdout,
    /^\d\d:\d\d:\d\d {2}GET \/posts\/post-2026-11-20-3000 {2}200 in [\d,]+ µs, by run № 2/m,
  );
});

test("main: uses the database of COUCHDB_URL, and leaves one that exists as it is", async () => {
  const database = await startDatabase();
  const url = new URL(`${database.url}/journal`);
  try {
    assert.equal(await seed(url, { posts: 3, authors: 2 }), true);
    assert.equal(await seed(url, { posts: 3, authors: 2 }), false);
    const couchUrl = url.href.replace("http://", `http://ann:${password}@`);
    const { code, stdout } = await runMain({ PORT: "0", COUCHDB_URL: couchUrl }, async (origin) => {
      const list = await (await fetch(`${origin}/`)).text();
      assert.equal(list.match(/href="\/posts\//g)?.length, 3);
    });
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /filling|ss-word/);
    assert.equal((await (await fetch(url)).json() as { doc_count: number }).doc_count, 5);
  } finally {
    await database.close();
  }
});

test("main: over a database without a post, what it says to try works all the same", async () => {
  const database = await startDatabase();
  const url = new URL(`${database.url}/empty`);
  try {
    await seed(url, { posts: 0, authors: 0 });
    const { code, stdout, stderr } = await runMain(
      { PORT: "0", COUCHDB_URL: url.href },
      async (origin, text) => {
        assert.match(text, /\/ -H 'If-None-Match: "[^"]+"'/);
        const [, body = "", post = ""] = /-X PUT -d '(.+)' (\S+)/.exec(text)!;
        assert.equal((await fetch(post, { method: "PUT", body })).status, 201);
        assert.match(await (await fetch(`${origin}/`)).text(), /First/);
      },
    );
    assert.equal(stderr, "");
    assert.equal(code, 0);
    assert.equal(stdout.match(/^ {2}curl /gm)?.length, 4);
  } finally {
    await database.close();
  }
});

test("main: a name that no database can have is refused with the database's own words", async () => {
  const reason = "Name: 'Blog'. Only lowercase characters (a-z)\nare allowed";
  const listener: RequestListener = (request, response) => {
    const status = request.method === "PUT" ? 400 : request.url === "/" ? 200 : 404;
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify({ error: "illegal_database_name", reason }));
  };
  await withServer(listener, async (port) => {
    const ended = await runMain({ PORT: "0", COUCHDB_URL: `http://ann:${password}@127.0.0.1:${port}/Blog` });
    assertRefused(ended, /answers 400: Name: 'Blog'. Only lowercase characters \(a-z\) are allowed/);
  });
});

/** Runs the program with a snapshot in a file, over a database that outlives it. */
async function withSnapshotFile(
  body: (
    run: (whenServing: (origin: string) => Promise<void>) => Promise<Ended>,
    file: string,
  ) => Promise<void>,
): Promise<void> {
  const database = await startDatabase();
  const folder = await mkdtemp(join(tmpdir(), "blog-"));
  const file = join(folder, "registry.snapshot");
  try {
    await seed(new URL(`${database.url}/blog`), { posts: 3, authors: 2 });
    const environment = { PORT: "0", COUCHDB_URL: `${database.url}/blog`, SNAPSHOT: file };
    await body((whenServing) => runMain(environment, whenServing), file);
  } finally {
    await rm(folder, { recursive: true });
    await database.close();
  }
}

const page = "/posts/post-2026-11-19-0002";

test("main: SNAPSHOT keeps the registry across a restart", () =>
  withSnapshotFile(async (run, file) => {
    let etag = "";
    const first = await run(async (origin) => {
      const response = await fetch(`${origin}${page}`);
      await response.text();
      etag = response.headers.get("etag")!;
    });
    assert.deepEqual([first.code, first.stderr], [0, ""]);
    assert.deepEqual(await readdir(join(file, "..")), ["registry.snapshot"], "no draft is left");
    const second = await run(async (origin) => {
      const response = await fetch(`${origin}${page}`, { headers: { "if-none-match": etag } });
      assert.equal(response.status, 304);
      assert.equal(
        response.headers.get("cache-status"),
        "Stillfresh; hit",
        "it has not run the handler before",
      );
    });
    assert.deepEqual([second.code, second.stderr], [0, ""]);
  }));

test("main: a SNAPSHOT that is damaged is ignored in one line, and replaced", () =>
  withSnapshotFile(async (run, file) => {
    await run(async (origin) => void await (await fetch(`${origin}${page}`)).text());
    const whole = await readFile(file, "utf8");
    const damages = [
      ["", "cut-short"],
      [whole.slice(0, -9), "cut-short"],
      [whole.replace("post-", "past-"), "altered"],
      [whole.replace(/"blog-[0-9]+"/, '"blog-0"'), "another-build"],
      ["null", "another-format"],
    ] as const;
    for (const [damaged, reason] of damages) {
      await writeFile(file, damaged);
      const { code, stderr } = await run(async (origin) => {
        const { entries } = await (await fetch(`${origin}/stats`)).json() as { entries: number };
        assert.equal(entries, 1, "the page that it introduces itself with");
      });
      assert.equal(code, 0);
      assert.equal(stderr, `blog: the snapshot in ${file} is ignored: ${reason}\n`);
      assert.match(await readFile(file, "utf8"), /^\{"format"/);
    }
  }));

test("main: a taken port", () =>
  withServer((_, response) => response.end(), async (port) => {
    assertRefused(await runMain({ PORT: String(port) }), new RegExp(`port ${port} is taken`));
  }));

test("main: a database that cannot be reached", async () => {
  let free = 0;
  await withServer((_, response) => response.end(), (port) => Promise.resolve(void (free = port)));
  const ended = await runMain({ PORT: "0", COUCHDB_URL: `http://ann:${password}@127.0.0.1:${free}/blog` });
  assertRefused(ended, new RegExp(`no database answers at http://127.0.0.1:${free}`));
});

test("main: wrong credentials", () =>
  withServer((_, response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end(`{"error":"unauthorized","reason":"Name or password is incorrect."}`);
  }, async (port) => {
    const ended = await runMain({ PORT: "0", COUCHDB_URL: `http://ann:${password}@127.0.0.1:${port}/blog` });
    assertRefused(ended, /refuses these credentials \(401\)/);
  }));

test("main: something that is no database", () =>
  withServer((_, response) => response.writeHead(500).end("<h1>Oops</h1>"), async (port) => {
    assertRefused(await runMain({ PORT: "0", COUCHDB_URL: `http://127.0.0.1:${port}` }), /answers 500/);
  }));

test("main: settings that make no sense", async () => {
  assertRefused(await runMain({ PORT: "http" }), /PORT is "http", not 0 to 65535/);
  assertRefused(await runMain({ PORT: "70000" }), /PORT is "70000"/);
  assertRefused(await runMain({ PORT: "0", COUCHDB_URL: `ann:${password}@host` }), /COUCHDB_URL is not/);
});

test("sample: the same posts each time, in the order of their ids, by authors who exist", () => {
  const posts = samplePosts(3_000, 100);
  assert.deepEqual(samplePosts(3_000, 100), posts);
  const ids = posts.map((post) => post._id);
  assert.deepEqual([...new Set(ids)].sort(), ids);
  assert.equal(new Set(posts.map((post) => post.body)).size, 3_000);
  const authors = new Set(sampleAuthors(100).map((author) => author._id));
  assert.equal(authors.size, 100);
  assert.ok(
    posts.every((post) => authors.has(post.author) && !/[{}]|undefined/.test(post.title + post.body)),
  );
});

test("locate: the last segment is the database, the rest the server, credentials included", () => {
  const located = (url: string) => {
    const { server, name } = locate(new URL(url));
    return [server.href, name];
  };
  assert.deepEqual(located("http://h:5984"), ["http://h:5984/", "blog"]);
  assert.deepEqual(located("http://u:p@h/a%2Fb/"), ["http://u:p@h/", "a/b"]);
  assert.deepEqual(located("https://h/couch/blog"), ["https://h/couch", "blog"]);
});
