/** The two programs of docs/databases.md, from an empty folder to the first 304, on this runtime. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { openSqlite } from "../support/sqlite.ts";
import { freePort } from "../support/server_program.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/databases.md", root), "utf8");
const section = page.slice(page.indexOf("### From an empty folder"));
const [migrate, site] = Array.from(section.matchAll(/```js\n(.*?)```/gs), ([, text]) => text!);

const isDeno = "Deno" in globalThis;
const isBun = "Bun" in globalThis;

function start(folder: string, file: string, port: number): ChildProcess {
  const flags = ["-q", "-A", "--no-check", "--node-modules-dir=manual"];
  const serve = isDeno
    ? ["serve", ...flags, "--host=127.0.0.1", `--port=${port}`, file]
    : isBun
    ? [file]
    : [fileURLToPath(new URL("bench/node_modules/srvx/bin/srvx.mjs", root)), "--port", String(port), file];
  const args = port > 0 ? serve : isDeno ? ["run", ...flags, file] : [file];
  const env = { ...process.env, PORT: String(port), NO_COLOR: "1" };
  return spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
}

test("docs/databases.md: from an empty folder to the first 304 on SQLite, in 12 lines beside the migration", {
  timeout: 60_000,
}, async () => {
  const lines = site!.split("\n").filter((line) => line !== "");
  assert.equal(lines.length, 12);
  const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
  const write = (name: string, text: string): string => {
    const own = text.replaceAll('"@stillfresh/etag"', JSON.stringify(new URL("mod.ts", root).href))
      .replaceAll('"@stillfresh/etag/sqlite"', JSON.stringify(new URL("src/sqlite/changes.ts", root).href));
    writeFileSync(join(folder, name), own);
    return join(folder, name);
  };
  const ended = (child: ChildProcess) => new Promise<number | null>((resolve) => child.once("exit", resolve));
  let server: ChildProcess | undefined;
  try {
    for (let time = 1; time <= 2; time++) {
      assert.equal(
        await ended(start(folder, write("migrate.mjs", migrate!), 0)),
        0,
        `migrated ${time} times`,
      );
    }
    const port = await freePort();
    server = start(folder, write("site.mjs", site!), port);
    const ask = (etag = '"none"') =>
      fetch(`http://127.0.0.1:${port}/`, { headers: { "if-none-match": etag, "cache-control": "no-cache" } });
    const until = async (status: number, etag?: string): Promise<Response> => {
      for (const limit = performance.now() + 20_000; performance.now() < limit;) {
        const answer = await ask(etag).catch(() => undefined);
        await answer?.body?.cancel();
        if (answer?.status === status) return answer;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      throw new Error(`${status} did not come about`);
    };
    // The feed may not be live yet where the process has just begun.
    await until(200);
    const database = openSqlite(join(folder, "site.db"));
    for (const title of ["one", "two"]) {
      const etag = (await until(200)).headers.get("etag")!;
      await until(304, etag);
      database.exec(`insert into posts (title) values ('${title}')`);
      const response = await ask(etag);
      assert.equal(response.status, 200);
      assert.match(await response.text(), new RegExp(`"title":"${title}"`));
    }
    database.close();
  } finally {
    server?.kill("SIGKILL");
    if (server !== undefined && server.exitCode === null && server.signalCode === null) await ended(server);
    rmSync(folder, { recursive: true, force: true });
  }
});
