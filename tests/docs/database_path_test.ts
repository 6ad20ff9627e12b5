/** The programs of docs/databases.md, from an empty folder to the first 304, on this runtime. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { programs, Server } from "../postgres/server.ts";
import { openSqlite } from "../support/sqlite.ts";
import { freePort } from "../support/server_program.ts";

const root = new URL("../../", import.meta.url);
const page = readFileSync(new URL("docs/databases.md", root), "utf8");

/** What the section of a database has under "From an empty folder": the migration, and the site. */
function programsOf(database: string): string[] {
  const section = page.slice(page.indexOf("### From an empty folder", page.indexOf(`## ${database}\n`)));
  return Array.from(section.matchAll(/```js\n(.*?)```/gs), ([, text]) => text!);
}

/** A database to walk to. */
interface Path {
  readonly skip: string | false;
  /** Of the site's program. */
  readonly lines: number;
  /** Makes it reachable for the programs, and gives what writes behind the site's back. */
  open(folder: string): Promise<Opened>;
}

interface Opened {
  readonly url: string;
  /** Once the tables are there. */
  insert(title: string): Promise<unknown>;
  close(): Promise<void>;
}

const paths: Readonly<Record<string, Path>> = {
  PostgreSQL: {
    skip: programs === undefined ? "no PostgreSQL; apt-get install postgresql" : false,
    lines: 13,
    async open() {
      const server = await Server.start();
      const url = `postgres://postgres@127.0.0.1:${server.port}/postgres`;
      const pool = new pg.Pool({ connectionString: url });
      return {
        url,
        insert: (title) =>
          pool.query("insert into posts (id, title) values ((select count(*) from posts), $1)", [title]),
        async close() {
          await pool.end();
          await server.stop();
        },
      };
    },
  },
  SQLite: {
    skip: false,
    lines: 12,
    open: (folder) =>
      Promise.resolve({
        url: "",
        insert(title) {
          const database = openSqlite(join(folder, "site.db"));
          database.exec(`insert into posts (title) values ('${title}')`);
          database.close();
          return Promise.resolve();
        },
        close: () => Promise.resolve(),
      }),
  },
};

const isDeno = "Deno" in globalThis;
const isBun = "Bun" in globalThis;

function start(folder: string, file: string, port: number, url: string): ChildProcess {
  const flags = ["-q", "-A", "--no-check", "--node-modules-dir=manual"];
  const serve = isDeno
    ? ["serve", ...flags, "--host=127.0.0.1", `--port=${port}`, file]
    : isBun
    ? [file]
    : [fileURLToPath(new URL("bench/node_modules/srvx/bin/srvx.mjs", root)), "--port", String(port), file];
  const args = port > 0 ? serve : isDeno ? ["run", ...flags, file] : [file];
  const env = { ...process.env, PORT: String(port), DATABASE_URL: url, NO_COLOR: "1" };
  return spawn(process.execPath, args, { cwd: folder, env, stdio: ["ignore", "ignore", "inherit"] });
}

for (const [name, { skip, lines, open }] of Object.entries(paths)) {
  test(
    `docs/databases.md: from an empty folder to the first 304 on ${name}, in ${lines} lines beside the migration`,
    {
      timeout: 60_000,
      skip,
    },
    async () => {
      const [migrate, site] = programsOf(name);
      assert.equal(site!.split("\n").filter((line) => line !== "").length, lines);
      const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
      const write = (name: string, text: string): string => {
        const own = text.replaceAll(
          /"@stillfresh\/etag(?:\/(\w+))?"/g,
          (_, part) =>
            JSON.stringify(new URL(part === undefined ? "mod.ts" : `src/${part}/changes.ts`, root).href),
        )
          .replaceAll('"pg"', JSON.stringify(new URL("tests/node_modules/pg/esm/index.mjs", root).href));
        writeFileSync(join(folder, name), own);
        return join(folder, name);
      };
      const ended = (child: ChildProcess) =>
        new Promise<number | null>((resolve) => child.once("exit", resolve));
      let server: ChildProcess | undefined;
      const database = await open(folder);
      try {
        for (let time = 1; time <= 2; time++) {
          const migrating = start(folder, write("migrate.mjs", migrate!), 0, database.url);
          assert.equal(await ended(migrating), 0, `migrated ${time} times`);
        }
        const port = await freePort();
        server = start(folder, write("site.mjs", site!), port, database.url);
        const ask = (etag = '"none"') =>
          fetch(`http://127.0.0.1:${port}/`, {
            headers: { "if-none-match": etag, "cache-control": "no-cache" },
          });
        const until = async (status: number, etag?: string): Promise<{ etag: string; text: string }> => {
          for (const limit = performance.now() + 20_000; performance.now() < limit;) {
            const answer = await ask(etag).catch(() => undefined);
            const text = await answer?.text() ?? "";
            if (answer?.status === status) return { etag: answer.headers.get("etag")!, text };
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
          throw new Error(`${status} did not come about`);
        };
        // The feed may not be live yet where the process has just begun.
        await until(200);
        for (const title of ["one", "two"]) {
          const { etag } = await until(200);
          await until(304, etag);
          await database.insert(title);
          // SQLite is asked for this very request, PostgreSQL five times a second.
          if (name === "SQLite") assert.equal((await ask(etag)).status, 200);
          assert.match((await until(200, etag)).text, new RegExp(`"title":"${title}"`));
        }
      } finally {
        server?.kill("SIGKILL");
        if (server !== undefined && server.exitCode === null && server.signalCode === null) {
          await ended(server);
        }
        await database.close();
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );
}
