/** The program of docs/getting-started.md, as it is and with each mistake: its transcripts are what this runtime shows. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/server_program.ts";

const folder = fileURLToPath(new URL(".", import.meta.url));
const page = readFileSync(`${folder}../../docs/getting-started.md`, "utf8");
const program = /```ts\n(.*?)```/s.exec(page)![1]!;

/** What a mistake does to the program. */
const mistakes: Readonly<Record<string, (text: string) => string>> = {
  "as it is": (text) => text,
  "wrong password": (text) => text.replace("site:password", "site:passwort"),
  "no feed": (text) => text.replace(/^follow.*$/m, ""),
  "cookie": (text) => text.replace('"cache-control": "public, no-cache", ', ""),
  "no declaration": (text) => text.replace(", ...dependsOn(post)", ""),
};

/** A database that answers those who may read it. */
const revision = "1-967a00dff5e02add41819138abb3284d";
const credentials = `Basic ${btoa("site:password")}`;
let database: Server;

before(async () => {
  database = createServer(({ url, headers }, response) => {
    const answer = (status: number, body: object) => {
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify(body));
    };
    const { pathname, searchParams } = new URL(url!, "http://localhost");
    if (headers.authorization !== credentials) {
      return answer(401, { error: "unauthorized", reason: "Name or password is incorrect." });
    }
    if (pathname === "/blog/post-1") return answer(200, { _id: "post-1", _rev: revision, title: "Fresh" });
    if (pathname === "/blog") {
      return answer(200, { db_name: "blog", update_seq: "1-x", purge_seq: "0-x", instance_start_time: "1" });
    }
    if (searchParams.get("feed") === "continuous") return void response.write("\n");
    const row = { seq: "1-x", id: "post-1", changes: [{ rev: revision }] };
    answer(200, { results: [row], last_seq: "1-x", pending: 0 });
  });
  await new Promise<void>((listening) => database.listen(0, "127.0.0.1", () => listening()));
});

after(async () => {
  database.closeAllConnections();
  await new Promise((closed) => database.close(closed));
});

/** How this runtime starts a module that exports `{ fetch }`. */
function start(file: string, port: number): ChildProcess {
  const env = { ...process.env, PORT: String(port), NO_COLOR: "1" };
  const args = "Deno" in globalThis
    ? [
      "serve",
      "-q",
      "-A",
      "--no-check",
      "--node-modules-dir=manual",
      "--host=127.0.0.1",
      `--port=${port}`,
      file,
    ]
    : "Bun" in globalThis
    ? [file]
    : [`${folder}../../bench/node_modules/srvx/bin/srvx.mjs`, "--port", String(port), file];
  return spawn(process.execPath, args, { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
}

/** The program with a mistake, and what it says on its console. */
async function run(mistake: string) {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const changed = mistakes[mistake]!(program);
  assert.ok(mistake === "as it is" || changed !== program, "the mistake changes the program");
  const { port: at } = database.address() as AddressInfo;
  const text = changed.replace("localhost:5984", `127.0.0.1:${at}`)
    .replace('"@stillfresh/etag"', '"../../../mod.ts"').replace(
      '"@stillfresh/etag/nano"',
      '"../../../src/nano.ts"',
    );
  const own = mkdtempSync(`${folder}snippets/run-`);
  const file = `${own}/server.ts`;
  writeFileSync(file, text.replaceAll('"../../../', '"../../../../'));
  const child = start(file, port);
  let console = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => console += chunk);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const close = async () => {
    // Deno would wait for the connections that this process keeps open.
    child.kill("SIGKILL");
    await ended;
    rmSync(own, { recursive: true });
  };
  return { origin, close, console: () => console };
}

/** Waits until something holds, which it does within seconds. */
async function until<T>(what: string, ask: () => T | Promise<T>): Promise<NonNullable<T>> {
  for (const limit = performance.now() + 20_000; performance.now() < limit;) {
    const got = await ask();
    if (got) return got;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`${what} did not come about`);
}

/** Whether a line is as the page has it; `…` stands for anything. */
function isLike(line: string, pattern: string): boolean {
  const parts = pattern.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(line);
}

const transcripts = Array.from(
  page.matchAll(/<!-- transcript: (.*?) -->\s*```console\n(.*?)```/gs),
  ([, mistake, text]) => ({
    mistake: mistake!,
    steps: text!.split(/^\$ /m).slice(1).map((step) => step.split("\n")),
  }),
);

test("docs/getting-started.md: a transcript of each mistake, and ten lines of program", () => {
  assert.deepEqual(transcripts.map(({ mistake }) => mistake), Object.keys(mistakes));
  assert.equal(program.split("\n").filter((line) => line !== "").length, 10);
});

for (const { mistake, steps } of transcripts) {
  test(`docs/getting-started.md: what is shown, ${mistake}`, { timeout: 60_000 }, async () => {
    const server = await run(mistake);
    try {
      const ask = (headers: Record<string, string>) =>
        fetch(`${server.origin}/post-1`, { headers: { ...headers, "cache-control": "no-cache" } }).catch(() =>
          undefined
        );
      const first = await until("an answer", () => ask({}));
      await first.body?.cancel();
      const etag = first.headers.get("etag") ?? '"none"';
      for (const [command, ...lines] of steps) {
        const shown = lines.filter((line) => line !== "");
        if (command!.startsWith("deno serve")) {
          // The console of each runtime has more lines than ours.
          for (const line of shown) {
            await until(line, () => server.console().split("\n").some((given) => isLike(given, line)));
          }
          continue;
        }
        const headers: Record<string, string> = {};
        if (command!.includes("-b visits=1")) headers["cookie"] = "visits=1";
        if (command!.includes("If-None-Match")) headers["if-none-match"] = etag;
        const [status, ...fields] = shown;
        // The feed may not be live yet where the process has just begun.
        await until(`${status} ${fields}`, async () => {
          const answer = await ask(headers);
          await answer?.body?.cancel();
          return answer?.status === Number(status!.split(" ")[1]) && fields.every((field) => {
            const [name, pattern] = field.split(": ");
            return isLike(answer.headers.get(name!) ?? "", pattern!);
          });
        });
      }
    } finally {
      await server.close();
    }
  });
}
