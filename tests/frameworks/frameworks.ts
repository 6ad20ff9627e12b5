/**
 * `deno task frameworks`: each recipe of `docs/frameworks.md` with its framework from npm and the library from its
 * tarball, type-checked, built where the framework has to be, and asked on Deno, Bun and Node. The table in
 * `docs/compatibility/frameworks.json` has to say what came of it; `--write` writes it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { record, type Row } from "../../scripts/compatibility.ts";
import { deno, filesUnder, type Outcome, root, run } from "../../scripts/run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "../../scripts/runtimes.ts";
import { frameworks, glueOf } from "./recipes.ts";

const folder = await Deno.makeTempDir();
after(() => Deno.remove(folder, { recursive: true }));

const bun = await bunRuntime();
const node = await nodeRuntime(24);
const runtimes: readonly Runtime[] = [denoRuntime(), bun, node];
const quiet = { ASTRO_TELEMETRY_DISABLED: "1", NO_COLOR: "1" };

const skip = (await run(bun.path, ["pm", "view", "hono", "version"])).code !== 0;
if (skip) console.warn("frameworks: SKIPPED, every test, because npm does not answer from here");

function succeed({ code, output }: Outcome): void {
  assert.equal(code, 0, output);
}

test("frameworks: the recipes install beside the packed library", { skip }, async () => {
  const here = "tests/frameworks/";
  for (const path of filesUnder(here).filter((path) => !path.endsWith(".ts"))) {
    const target = `${folder}/${path.slice(here.length)}`;
    await Deno.mkdir(target.slice(0, target.lastIndexOf("/")), { recursive: true });
    await Deno.copyFile(`${root}${path}`, target);
  }
  succeed(await deno(["pack", "-q", "--allow-dirty", "-o", `${folder}/stillfresh-etag.tgz`]));
  succeed(await run(bun.path, ["install"], { cwd: folder }));
});

test("frameworks: the recipes are type-checked", { skip }, async () => {
  succeed(await run(node.path, ["node_modules/typescript/bin/tsc", "-p", "."], { cwd: folder }));
});

/** A program that has printed where it listens. */
async function start(command: string, args: readonly string[], cwd: string): Promise<Started> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { ...quiet, HOST: "127.0.0.1", PORT: String(freePort()), NODE_ENV: "production" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let output = "";
  const listening = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      const port = /listening on:? \S*:(\d+)/i.exec(output)?.[1];
      if (port !== undefined) listening.resolve(`http://127.0.0.1:${port}`);
    }
  };
  const ended = Promise.all([child.status, collect(child.stdout), collect(child.stderr)]);
  ended.then(() => listening.reject(new Error(`${command} ended: ${output}`)));
  const limit = setTimeout(() => child.kill("SIGKILL"), 30_000);
  listening.promise.catch(() => {}).finally(() => clearTimeout(limit));
  return {
    url: await listening.promise,
    async stop() {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** A port that nothing listens on, for servers that do not choose one. */
function freePort(): number {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** The options of a runtime to run a program of the project. */
function argsOf({ name }: Runtime): string[] {
  return name === "Deno" ? ["run", "-A", "-q", "--no-lock", "--node-modules-dir=manual"] : [];
}

/** What must be true of each recipe: tag, hit, write, new tag; and no declaration is ever sent. */
async function story(url: string): Promise<void> {
  const ask = async (headers: Record<string, string> = {}, method = "GET", body?: string) => {
    const response = await fetch(`${url}/notes/milk`, {
      method,
      headers,
      ...body === undefined ? {} : { body },
    });
    const sent = [...response.headers.keys()].filter((name) => name.startsWith("stillfresh"));
    assert.deepEqual(sent, [], "no declaration is sent");
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const first = await ask();
  assert.deepEqual([first.status, JSON.parse(first.text).text], [200, "Remember the milk."]);
  const tag = first.headers.get("etag") ?? "none";
  assert.match(tag, /^"1-a\./);
  for (const method of ["GET", "HEAD"]) {
    const hit = await ask({ "if-none-match": tag }, method);
    assert.deepEqual([hit.status, hit.headers.get("etag"), hit.text], [304, tag, ""]);
    assert.equal(hit.headers.get("cache-status"), "Stillfresh; hit", "without the handler");
    assert.equal(hit.headers.get("cache-control"), "public, no-cache");
  }
  assert.equal((await ask({}, "HEAD")).headers.get("etag"), tag);
  assert.equal((await ask({ "content-type": "application/json" }, "PUT", "Oat milk.")).status, 204);
  const second = await ask({ "if-none-match": tag });
  assert.deepEqual([second.status, JSON.parse(second.text).text], [200, "Oat milk."]);
  assert.match(second.headers.get("etag")!, /^"2-a\./);
  assert.equal((await ask({ "if-none-match": second.headers.get("etag")! })).status, 304);
}

/** What came of each, in the order of the table. */
const rows: Row[] = [];

for (const framework of frameworks) {
  test(`frameworks: ${framework.name}, on each runtime`, { skip }, async () => {
    const { build, program } = framework;
    const cwd = `${folder}/${build?.folder ?? ""}`;
    if (build !== undefined) succeed(await run(node.path, [...build.command], { cwd, env: quiet }));
    const cells: Record<string, string> = {};
    for (const runtime of runtimes) {
      if (framework.runtimes?.includes(runtime.name) === false) {
        cells[runtime.name] = "not run";
        continue;
      }
      try {
        const server = await start(runtime.path, [...argsOf(runtime), ...program], cwd);
        try {
          await story(server.url);
        } finally {
          await server.stop();
        }
        cells[runtime.name] = "yes";
      } catch (error) {
        console.log(`${framework.name}, ${runtime.name}:`, error);
        cells[runtime.name] = "no";
      }
    }
    const manifest = await Deno.readTextFile(`${folder}/node_modules/${framework.package}/package.json`);
    const { version } = JSON.parse(manifest) as { version: string };
    rows.push({ name: framework.name, cells: { version, glue: String(glueOf(framework)), ...cells } });
  });
}

test("frameworks: the table says what came of it", { skip }, () => {
  const columns = ["version", "glue", ...runtimes.map(({ name }) => name)];
  assert.deepEqual(record("frameworks", { task: "frameworks", head: "framework", columns, rows }), []);
});
