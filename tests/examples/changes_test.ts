/** The examples of the changes feed, each over its source. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import nano from "nano";
import { startDatabase } from "../../examples/blog/database.ts";
import { followTitles, type Post } from "../../examples/changes_nano.ts";
import { countWords } from "../../examples/changes_pouchdb.ts";
import { mirror, readMirror } from "../../examples/changes_resume.ts";
import { printChanges } from "../../examples/changes_url.ts";
import { Pouch } from "../sources/sources.ts";

/** Runs until `enough`, then aborts, and takes the rejection that this is answered with. */
async function runUntil(run: (signal: AbortSignal, done: () => void) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  await assert.rejects(run(controller.signal, () => controller.abort()), { code: "aborted" });
}

async function withBlog(
  test: (url: string, put: (id: string, body: object) => Promise<void>) => Promise<void>,
) {
  const server = await startDatabase();
  const url = `${server.url}/blog`;
  const put = async (path: string, body?: object) => {
    const response = await fetch(`${url}${path}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
    assert.ok(response.ok, await response.text());
  };
  try {
    await put("");
    await test(url, (id, body) => put(`/${id}`, body));
  } finally {
    await server.close();
  }
}

test("changes_url: prints what was and what happens", () =>
  withBlog(async (url, put) => {
    await put("a", {});
    const lines: string[] = [];
    await runUntil((signal, done) =>
      printChanges(url, (line) => {
        lines.push(line.replace(/1-\w+$/, "1-…"));
        if (lines.length === 1) void put("b", {});
        else done();
      }, { signal })
    );
    assert.deepEqual(lines, ["a is now 1-…", "b is now 1-…"]);
  }));

test("changes_nano: knows the titles", () =>
  withBlog(async (url, put) => {
    await put("a", { title: "One" });
    const { origin, pathname } = new URL(url);
    const seen: string[][] = [];
    await runUntil((signal, done) =>
      followTitles(nano(origin).use<Post>(pathname.slice(1)), (titles) => {
        seen.push([...titles.values()]);
        if (titles.size === 2) done();
        else if (seen.length === 1) void put("b", { title: "Two" });
      }, { signal })
    );
    assert.deepEqual(seen.at(-1), ["One", "Two"]);
  }));

test("changes_pouchdb: counts the words", async () => {
  const notes = new Pouch("example-notes");
  await notes.put({ _id: "a", text: "three small words" });
  const counts: number[] = [];
  await runUntil((signal, done) =>
    countWords(notes, (count) => {
      if (counts.push(count) === 1) void notes.put({ _id: "b", text: "two more" });
      if (count === 5) done();
    }, { signal })
  );
  assert.deepEqual([counts[0], counts.at(-1)], [3, 5]);
  await notes.destroy();
});

test("changes_resume: goes on where it was", () =>
  withBlog(async (url, put) => {
    const folder = await mkdtemp(join(tmpdir(), "mirror-"));
    const file = join(folder, "mirror.json");
    try {
      const mirrored = async (id: string): Promise<number> => {
        const requests: string[] = [];
        const counted = (url: string, init: RequestInit) => {
          requests.push(url);
          return fetch(url, init);
        };
        await runUntil(async (signal, done) => {
          const running = mirror(url, file, { signal, fetch: counted, maxLag: 100 });
          const watching = setInterval(async () => {
            if ((await readMirror(file)).documents[id] !== undefined) done();
          }, 10);
          await running.finally(() => clearInterval(watching));
        });
        return requests.filter((url) => url.includes("since=0")).length;
      };
      await put("a", { n: 1 });
      await mirrored("a");
      await put("b", { n: 2 });
      assert.equal(await mirrored("b"), 0);
      assert.deepEqual(Object.keys((await readMirror(file)).documents), ["a", "b"]);
    } finally {
      await rm(folder, { recursive: true });
    }
  }));
