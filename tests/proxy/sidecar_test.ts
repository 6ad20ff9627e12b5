/** The command in front of the Python application of `examples/sidecar`. The one in Go is run by `deno task sidecar`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { RunningProxy } from "../../src/proxy/command/command.ts";
import { target, type TestDatabase } from "../examples/database_support.ts";
import { freePort } from "../support/server_program.ts";
import {
  type Application,
  application,
  fill,
  findProgram,
  idOf,
  put,
  sidecar,
  until,
} from "./sidecar_support.ts";

const python = findProgram("python3");
if (python === undefined) console.log("SKIPPED: the sidecar in front of Python, because there is no python3");
const skip = python === undefined;

let database: TestDatabase;
let app: Application;
let running: RunningProxy & { readonly url: string };
let log = "";

before(async () => {
  if (skip) return;
  database = await target.open();
  await fill(database, 3);
  app = await application([python!, "examples/sidecar/app.py"], database.url);
  await app.start();
  running = await sidecar(app, database.url, [], (text) => log += text);
});

after(async () => {
  if (skip) return;
  await running.stop();
  await app.kill();
  await database.close();
});

async function ask(
  path: string,
  headers: Record<string, string> = {},
  init: RequestInit = {},
): Promise<Response> {
  const response = await fetch(running.url + path, { ...init, headers });
  await response.arrayBuffer();
  return response;
}

/** The current tag of a page, which is registered from here on. */
async function tagOf(path: string): Promise<string> {
  return (await ask(path)).headers.get("etag")!;
}

test(
  "sidecar: a valid tag is answered while the application is not there, and other requests 502",
  { skip },
  async () => {
    const [post, list] = [await tagOf(`/posts/${idOf(0)}`), await tagOf("/")];
    await app.kill();
    assert.equal((await ask(`/posts/${idOf(0)}`, { "if-none-match": post })).status, 304);
    assert.equal((await ask("/", { "if-none-match": list })).status, 304);
    const refused = await ask(`/posts/${idOf(1)}`);
    assert.equal(refused.status, 502);
    assert.equal(refused.headers.get("proxy-status"), "stillfresh; error=connection_refused");
    await app.start();
    assert.equal((await ask(`/posts/${idOf(1)}`)).status, 200);
  },
);

test(
  "sidecar: an edit in the database is seen on its page and its list within a second",
  { skip },
  async () => {
    const paths = [`/posts/${idOf(0)}`, "/"];
    const tags = await Promise.all(paths.map(tagOf));
    const { _rev } = await (await database.ask(`/${idOf(0)}`)).json() as { _rev: string };
    await put(database, { _id: idOf(0), _rev, title: "edited" });
    for (const [at, path] of paths.entries()) {
      const ms = await until(async () => (await ask(path, { "if-none-match": tags[at]! })).status === 200);
      assert.ok(ms <= 1_000, `${path} after ${ms} ms`);
    }
  },
);

test("sidecar: a write through it is seen by the next request", { skip }, async () => {
  const paths = [`/posts/${idOf(1)}`, "/"];
  const tags = await Promise.all(paths.map(tagOf));
  assert.equal((await ask(`/posts/${idOf(1)}`, {}, { method: "PUT", body: "through" })).status, 204);
  for (const [at, path] of paths.entries()) {
    assert.equal((await ask(path, { "if-none-match": tags[at]! })).status, 200, path);
  }
});

test("sidecar: reload() empties the registry", { skip }, async () => {
  await tagOf("/");
  assert.ok(running.registry.size > 0);
  running.reload();
  assert.equal(running.registry.size, 0);
});

test(
  "sidecar: the log has a line for each request, with its decision and without its query",
  { skip },
  async () => {
    const tag = await tagOf(`/posts/${idOf(2)}?token=SECRET`);
    await ask(`/posts/${idOf(2)}?token=SECRET`, { "if-none-match": tag, "cookie": "a=SECRET" });
    const line = new RegExp(`"path":"/posts/${idOf(2)}".*"decision":"hit"`);
    await until(() => Promise.resolve(line.test(log)));
    const lines = log.trimEnd().split("\n").map((line) => JSON.parse(line));
    const hit = lines.findLast(({ decision }) => decision === "hit");
    assert.deepEqual([hit.event, hit.method, hit.path, hit.status], [
      "request",
      "GET",
      `/posts/${idOf(2)}`,
      304,
    ]);
    assert.ok(lines.some(({ decision, stored }) => decision === "unconditional" && stored === true));
    assert.ok(lines.some(({ event, live }) => event === "feed" && live === true));
    assert.ok(lines.some(({ fault }) => fault === "connection_refused"));
    assert.doesNotMatch(log, /SECRET/);
  },
);

const main = fileURLToPath(new URL("../../src/proxy/command/main.ts", import.meta.url));
const flags = process.versions["deno"] === undefined ? [] : ["run", "-A", "-q", "--no-check"];

test("main: a wrong option is one line, and exit code 2", async () => {
  const child = spawn(process.execPath, [...flags, main, "--upstream", "http://u:SECRET@h"], {
    env: { ...process.env },
  });
  let complaint = "";
  child.stderr.on("data", (text) => complaint += text);
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 2);
  assert.equal(complaint, "stillfresh-proxy: --upstream: upstream is a URL without credentials\n");
});

test("main: SIGTERM turns ready off, finishes, and ends with 0", { skip }, async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [
    ...[...flags, main, "--upstream", app.url, "--couchdb", database.url.origin + database.url.pathname],
    ...["--listen", `127.0.0.1:${port}`, "--drain", "300ms"],
  ], {
    env: {
      ...process.env,
      ...database.url.username === "" ? {} : {
        COUCHDB_USER: decodeURIComponent(database.url.username),
        COUCHDB_PASSWORD: decodeURIComponent(database.url.password),
      },
    },
  });
  const ready = async () => {
    const response = await fetch(`http://127.0.0.1:${port}/_stillfresh/ready`).catch(() => undefined);
    await response?.body?.cancel();
    return response?.status;
  };
  let output = "";
  child.stdout.on("data", (text) => output += text);
  await until(async () => (await ready()) === 200);
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  // Deno's `kill()` of a child reports that signal as the end of it, whatever its exit code.
  process.kill(child.pid!, "SIGTERM");
  await until(async () => (await ready()) === 503);
  assert.equal(await ended, 0);
  assert.deepEqual(
    output.trimEnd().split("\n").map((line) => JSON.parse(line).event).filter((event) => event !== "request"),
    ["listening", "feed", "stopping", "stopped"],
  );
});
