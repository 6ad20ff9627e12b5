/** What must be true of `site.ts` on every server. */
import assert from "node:assert/strict";
import type { Client } from "./client.ts";
import { BIG, KEPT } from "./site.ts";

/** What a server may do that is right, and not the same everywhere. */
export interface Server {
  readonly client: Client;
  /** Whether it compresses by itself, and so marks the tags of its 200 weak. */
  readonly compresses: boolean;
}

async function state({ client }: Server): Promise<{ readonly runs: number; readonly cancelled: number }> {
  return JSON.parse((await client.ask("/state")).body);
}

async function tagOf({ client }: Server, path: string): Promise<string> {
  return String((await client.ask(path)).headers["etag"]);
}

/** By the head of its column. Each has pages of its own. */
export const checks: Readonly<Record<string, (server: Server) => Promise<void>>> = {
  "200": async ({ client }) => {
    const { status, headers, body } = await client.ask("/200");
    assert.deepEqual([status, body], [200, "revision 1 of /200"]);
    assert.match(String(headers["etag"]), /^"1-a\./);
    for (const [name, value] of Object.entries(KEPT)) assert.equal(headers[name], value);
    assert.match(String(headers["cache-status"]), /^Site; fwd=request; fwd-status=200; stored/);
    assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("stillfresh")), []);
  },
  "304": async (server) => {
    const { client } = server;
    const etag = await tagOf(server, "/304");
    const before = await state(server);
    for (const tag of [etag, `W/${etag}`, `"x", ${etag}`, "*"]) {
      const { status, headers, body } = await client.ask("/304", { "if-none-match": tag });
      assert.deepEqual([status, body], [304, ""], tag);
      assert.equal(headers["content-type"], undefined);
      assert.ok(["0", undefined].includes(headers["content-length"] as string | undefined));
      assert.equal(headers["cache-status"], "Site; hit");
      for (const [name, value] of Object.entries(KEPT)) {
        // What was marked weak on the way is varied by coding there.
        assert.ok(String(headers[name]).startsWith(value), `${name} is kept`);
      }
    }
    assert.equal((await state(server)).runs, before.runs, "the handler did not run");
  },
  "HEAD": async (server) => {
    const { client } = server;
    const etag = await tagOf(server, "/head");
    const { status, headers, body } = await client.ask("/head", {}, "HEAD");
    assert.deepEqual([status, body, headers["etag"]], [200, "", etag]);
    assert.equal((await client.ask("/head", { "if-none-match": etag }, "HEAD")).status, 304);
  },
  "412": async (server) => {
    const etag = await tagOf(server, "/412");
    assert.equal((await server.client.ask("/412", { "if-match": '"x"' })).status, 412);
    assert.equal((await server.client.ask("/412", { "if-match": etag })).status, 200);
  },
  "206": async (server) => {
    const etag = await tagOf(server, "/206");
    const { status, headers, body } = await server.client.ask("/206", {
      range: "bytes=0-7",
      "if-range": etag,
    });
    assert.deepEqual([status, body, headers["etag"]], [206, "revision", etag]);
    assert.match(String(headers["content-range"]), /^bytes 0-7\//);
  },
  "POST voids": async (server) => {
    const { client } = server;
    const conditional = { "if-none-match": await tagOf(server, "/post") };
    assert.equal((await client.ask("/post", conditional)).status, 304);
    assert.equal((await client.ask("/post", {}, "POST")).status, 204);
    const { status, headers, body } = await client.ask("/post", conditional);
    assert.deepEqual([status, body], [200, "revision 2 of /post"]);
    assert.equal((await client.ask("/post", { "if-none-match": String(headers["etag"]) })).status, 304);
  },
  "one connection": async (server) => {
    const { client } = server;
    const etag = await tagOf(server, "/one");
    const answers = [];
    for (
      const [method, headers] of [
        ["GET", { "if-none-match": etag }],
        ["HEAD", { "if-none-match": etag }],
        ["GET", {}],
        ["GET", { "if-match": '"x"' }],
        ["POST", {}],
        ["GET", { "if-none-match": etag }],
      ] as const
    ) answers.push(await client.ask("/one", headers as Record<string, string>, method));
    assert.deepEqual(answers.map(({ status }) => status), [304, 304, 200, 412, 204, 200]);
    assert.equal(new Set(answers.map(({ port }) => port)).size, 1);
    assert.equal(answers.at(-1)!.body, "revision 2 of /one", "no byte of one answer is in the next");
  },
  "big body": async ({ client }) => {
    const { body, headers } = await client.ask("/big/1");
    assert.equal(body.length, BIG);
    const again = await client.ask("/big/1", { "if-none-match": String(headers["etag"]) });
    assert.deepEqual([again.status, again.body], [304, ""]);
  },
  "cancelled stream": async (server) => {
    const before = await state(server);
    await server.client.leave("/stream/1", 100_000);
    for (let left = 200; (await state(server)).cancelled === before.cancelled; left--) {
      assert.ok(left > 0, "the body goes on after its client has left");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  },
  "client leaves": async (server) => {
    const etag = await tagOf(server, "/big/2");
    // Node ends a session of HTTP/2 that cancels several large answers within milliseconds (ENHANCE_YOUR_CALM).
    for (let i = 0; i < 2; i++) {
      await server.client.leave("/big/2", 0);
      await server.client.leave("/stream/2", 0);
    }
    assert.equal((await server.client.ask("/big/2", { "if-none-match": etag })).status, 304);
  },
  "compressed": async (server) => {
    const text = await server.client.ask("/big/3", { "accept-encoding": "gzip" });
    const etag = String(text.headers["etag"]);
    assert.equal(text.headers["content-encoding"], server.compresses ? "gzip" : undefined);
    assert.equal(etag.startsWith("W/"), server.compresses);
    const again = await server.client.ask("/big/3", { "accept-encoding": "gzip", "if-none-match": etag });
    assert.deepEqual([again.status, again.headers["cache-status"]], [304, "Site; hit"]);
  },
};
