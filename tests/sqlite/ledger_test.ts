/** Four processes write and are killed, and no look misses a state of a row. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { changes, migration } from "../../src/sqlite/changes.ts";
import { openSqlite } from "../support/sqlite.ts";

const WRITER = fileURLToPath(new URL("./ledger/writer.ts", import.meta.url));
const FLAGS = "Deno" in globalThis ? ["run", "-A", "--no-check", "--node-modules-dir=manual"] : [];

/** Rows whose content a look has not told of, and how many transactions there were. */
async function lostUnder(weaken: string): Promise<{ lost: number; written: number }> {
  const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));
  const path = join(folder, "site.db");
  const database = openSqlite(path);
  database.exec("pragma journal_mode = wal");
  database.exec(
    "create table posts (id integer primary key, slug text unique); create table ledger (n integer primary key)",
  );
  database.exec(migration({ posts: ["id"] }, () => openSqlite(path)).up);
  const feed = changes(() => openSqlite(path), { tables: ["posts"], poll: 60_000 });
  if (weaken !== "") database.exec(weaken);
  const writers: ChildProcess[] = [];
  const write = (at: number) =>
    writers[at] = spawn(process.execPath, [...FLAGS, WRITER, path], { stdio: "ignore" });
  const read = database.prepare("select id, slug from posts");
  const copy = (rows: readonly unknown[]) =>
    new Map((rows as { id: number; slug: string }[]).map(({ id, slug }) => [id, slug]));
  const after = database.prepare("select n, tbl, key from stillfresh_changes where n > ?");
  /** Rows that the look before has told of already: it may have seen more than the snapshot of before. */
  const pending = new Set<number>();
  let lost = 0;
  try {
    let known = copy([]);
    let last = 0;
    const reader = weaken === "" ? feed.batches() : undefined;
    let position = (await reader?.next())?.value?.position;
    for (let at = 0; at < 4; at++) write(at);
    for (let end = Date.now() + 3_000, turn = 0; Date.now() < end; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 15));
      if (turn % 40 === 39) {
        writers[turn % 4]!.kill("SIGKILL");
        write(turn % 4);
      }
      // One snapshot of rows and changes: what differs from the snapshot before must have been told.
      database.exec("begin");
      const now = copy(read.all());
      const told = new Set(
        (after.all(last) as { n: number; key: string }[]).map(({ n, key }) => (last = n, key)),
      );
      database.exec("commit");
      const look = position === undefined ? undefined : feed.look(position);
      for (const { id } of look?.changes ?? []) told.add(id.slice("posts/".length));
      const seen = new Set(look?.changes.map(({ id }) => id));
      position = look?.position ?? position;
      for (const id of new Set([...known.keys(), ...now.keys()])) {
        if (known.get(id) === now.get(id)) continue;
        if (!told.has(String(id)) || (reader !== undefined && !seen.has(`posts/${id}`) && !pending.has(id))) {
          lost++;
        }
      }
      known = now;
      pending.clear();
      for (const { id } of look?.changes ?? []) pending.add(Number(id.slice("posts/".length)));
    }
    await reader?.return?.();
    const [{ written }] = database.prepare("select count(*) as written from ledger").all() as unknown as [
      { written: number },
    ];
    return { lost, written };
  } finally {
    for (const writer of writers) writer.kill("SIGKILL");
    await Promise.all(
      writers.map((writer) =>
        writer.exitCode ?? writer.signalCode ?? new Promise((resolve) => writer.once("exit", resolve))
      ),
    );
    database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

test("changes: four processes that write and are killed: no change is lost", async () => {
  const { lost, written } = await lostUnder("");
  assert.ok(written > 50, `${written} transactions`);
  assert.equal(lost, 0);
});

test("migration: without its BEFORE triggers, changes are lost", async () => {
  const { lost } = await lostUnder(
    "drop trigger stillfresh_1_replace; drop trigger stillfresh_1_update_replace",
  );
  assert.ok(lost > 0);
});
