/** The pattern of docs/changes.md under the runtime's own reloading: `bun --hot`, `deno run --watch`, `node --watch`. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";

/** A database in which nothing happens, and how many requests to it are open. */
async function quietDatabase() {
  const open = new Set<ServerResponse>();
  const answer = ({ url = "" }: IncomingMessage, response: ServerResponse) => {
    response.setHeader("content-type", "application/json");
    if (url.includes("feed=continuous")) {
      open.add(response);
      response.once("close", () => open.delete(response));
      response.write("\n");
    } else if (url.includes("_changes")) {
      response.end(JSON.stringify({ results: [], last_seq: "1-x", pending: 0 }));
    } else {
      response.end(JSON.stringify({ update_seq: "1-x", purge_seq: "0-x", instance_start_time: "1" }));
    }
  };
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  const close = () =>
    new Promise<void>((closed) => (server.close(() => closed()), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/blog`, open, close };
}

const flags = "Deno" in globalThis
  ? ["run", "-q", "-A", "--no-check", "--no-config", "--watch", "--no-clear-screen"]
  : "Bun" in globalThis
  ? ["--hot", "--no-clear-screen"]
  : ["--watch", "--watch-preserve-output"];

const source = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url));

/** The module, and what it prints once it is live. */
const module = (url: string, version: number) =>
  `import { EtagRegistry, follow } from ${source("mod.ts")};
import { changes } from ${source("src/couchdb/changes.ts")};
const kept = globalThis;
void kept.blogFollower?.close();
const registry = new EtagRegistry();
kept.blogFollower = follow(registry, changes(${JSON.stringify(url)}));
await kept.blogFollower.ready;
console.log("version ${version}: " + (registry.live ? "live" : "not live"));
`;

async function until(what: () => string, holds: () => boolean): Promise<void> {
  for (const limit = performance.now() + 50_000; !holds();) {
    if (performance.now() > limit) assert.fail(`did not come about: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test(
  "hot reload: edits of the module leave one follower, whose registry is live",
  { timeout: 60_000 },
  async () => {
    const database = await quietDatabase();
    const folder = mkdtempSync(join(tmpdir(), "reload-"));
    const file = join(folder, "site.mjs");
    writeFileSync(file, module(database.url, 1));
    // A program of its own, not a part of the test run.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const child = spawn(process.execPath, [...flags, file], {
      env,
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    let said = "";
    for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (chunk) => said += chunk);
    try {
      for (let version = 1; version <= 3; version++) {
        if (version > 1) writeFileSync(file, module(database.url, version));
        await until(() => said, () => said.includes(`version ${version}: live`));
        await until(() => `${database.open.size} are open`, () => database.open.size === 1);
      }
      assert.doesNotMatch(said, /not live/);
    } finally {
      child.kill("SIGTERM");
      await ended;
      await database.close();
      rmSync(folder, { recursive: true });
    }
  },
);
