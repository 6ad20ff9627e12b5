/**
 * What writing and restoring a snapshot costs: how long, how large, and the longest gap in the event loop meanwhile. A
 * gap is the time between two turns of a loop that does nothing else; the line "nothing" shows what the machine does to
 * it. On a busy machine most of a long gap is time that other processes get, so the CPU time that this process used in a
 * gap, on all its threads, is shown as well: the gap that this process made is not longer.
 *
 * Runs on every runtime, with the number of entries: `deno run -A bench/snapshot.ts 100000`, `bun bench/snapshot.ts`,
 * `node bench/snapshot.ts`. `--blog` writes as the demo does, to a file on disk.
 *
 * @module
 */
import { spawnSync } from "node:child_process";
import { open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setImmediate } from "node:timers";
import { keepSnapshot, openSnapshot } from "../examples/blog/snapshot.ts";
import { EtagRegistry, follow } from "../mod.ts";
import { systemClock } from "../src/changes/clock.ts";
import { coreOf } from "../src/registry/core.ts";
import { live, offer } from "../tests/support/registrations.ts";
import { PushedFeed } from "../tests/support/feed.ts";

const options = { version: "1", maxEntries: 2_000_000, maxBytes: 2 ** 31 };

/** A followed registry of so many pages, each built from two documents of its own. */
async function filled(entries: number): Promise<EtagRegistry> {
  const registry = new EtagRegistry(options);
  const feed = new PushedFeed();
  const follower = follow(registry, feed, { maxLag: 1e9 });
  feed.reader.push(live(systemClock, [], { position: { since: "1-x", source: "db" } }));
  await follower.ready;
  const core = coreOf(registry);
  const fields = { "cache-control": "public, no-cache", vary: "accept-encoding" };
  for (let n = 0; n < entries; n++) {
    const key = `http://localhost/posts/post-2026-11-28-${n}`;
    const groups = [{ _id: `post-2026-11-28-${n}`, _rev: "1-a" }, { _id: `author-${n % 999}`, _rev: "1-b" }];
    const etag = `"1-967a00dff5e02add41819138abb3284d.${n}.x"`;
    core.register(core.lease(key), offer(groups, { etag, fields }), new Headers());
  }
  return registry;
}

/** Watches the turns of the event loop. */
class Turns {
  #last = performance.now();
  #used = process.cpuUsage();
  #longest = 0;
  /** ms: the longest gap by the CPU time used in it, or by the clock where that is less. */
  #own = 0;
  #above = 0;
  #isOver = false;

  constructor() {
    // In Deno, messages of a channel would keep files from being written at all.
    const turn = () => {
      const now = performance.now();
      const gap = now - this.#last;
      const { user, system } = process.cpuUsage(this.#used);
      const own = Math.min(gap, (user + system) / 1_000);
      if (own > 20) this.#above++;
      this.#longest = Math.max(this.#longest, gap);
      this.#own = Math.max(this.#own, own);
      this.#last = now;
      this.#used = process.cpuUsage();
      if (!this.#isOver) setImmediate(turn);
    };
    turn();
  }

  /** Ends the watch; says what it saw. */
  close(): string {
    this.#isOver = true;
    const [longest, own] = [this.#longest, this.#own].map((ms) => ms.toFixed(1));
    return `longest gap ${longest} ms, by CPU time ${own} ms, ${this.#above} above 20 ms`;
  }
}

const runtime = "Deno" in globalThis ? "Deno" : "Bun" in globalThis ? "Bun" : "Node";

async function measure<T>(what: string, act: () => Promise<T>): Promise<T> {
  const turns = new Turns();
  const begun = performance.now();
  const result = await act();
  const ms = performance.now() - begun;
  console.log(
    `${runtime.padEnd(6)}${what.padEnd(26)}${`${Math.round(ms)} ms`.padStart(9)}, ${turns.close()}`,
  );
  return result;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function write(entries: number, file: string, isBlog: boolean): Promise<void> {
  const registry = await filled(entries);
  await pause(500);
  await measure("nothing", () => pause(500));
  if (isBlog) {
    await measure(`the demo writes ${entries}`, () => keepSnapshot(registry, file).close());
  } else {
    const handle = await open(file, "w");
    await measure(`write ${entries}`, async () => {
      for await (const piece of registry.snapshot()) await handle.write(piece);
    });
    await handle.close();
  }
  const { size } = await stat(file);
  console.log(`${runtime.padEnd(6)}${"size".padEnd(26)}${`${(size / 1e6).toFixed(1)} MB`.padStart(9)}`);
}

async function restore(entries: number, file: string): Promise<void> {
  // The start of a process is not measured.
  await pause(500);
  const source = (await openSnapshot(file))!;
  const { size } = await measure(`restore ${entries}`, () => EtagRegistry.restore(source, options));
  if (size !== entries) throw new Error(`${size} of ${entries} entries are restored`);
}

/** Restores in a process of its own, as after a restart: what the one that wrote has left to collect is not measured. */
function restoreElsewhere(entries: number, file: string): void {
  const flags = runtime === "Deno" ? ["run", "--quiet", "--allow-all"] : [];
  const [, program = ""] = process.argv;
  spawnSync(process.execPath, [...flags, program, `${entries}`, file], { stdio: "inherit" });
}

const isBlog = process.argv.includes("--blog");
const [count = "100000", given] = process.argv.slice(2).filter((argument) => argument !== "--blog");
const file = given ?? join(tmpdir(), `stillfresh-snapshot-${process.pid}`);
if (given !== undefined) await restore(Number(count), file);
else {
  try {
    await write(Number(count), file, isBlog);
    restoreElsewhere(Number(count), file);
  } finally {
    await rm(file, { force: true });
  }
}
process.exit(0);
