/** The ways of docs/snapshots.md to write a snapshot and to read it, each on its runtime. */
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { EtagRegistry, follow, type SnapshotBytes } from "../../mod.ts";
import { systemClock } from "../../src/changes/clock.ts";
import { PushedFeed } from "../support/feed.ts";
import { keep, live } from "../support/registrations.ts";

type Stream = ReadableStream<Uint8Array>;

/** The part of `Bun` that the page uses. */
interface BunFiles {
  write(path: string, response: Response): Promise<number>;
  file(path: string): { stream(): Stream };
}

const { Bun } = globalThis as { Bun?: BunFiles };

interface Way {
  readonly write: (path: string, snapshot: Stream) => Promise<unknown>;
  readonly read: (path: string) => SnapshotBytes | Promise<SnapshotBytes>;
}

const byNode: Way = {
  write: (path, snapshot) => writeFile(path, snapshot as never),
  read: (path) => createReadStream(path),
};

const byRuntime: Way = "Deno" in globalThis
  ? {
    write: (path, snapshot) => Deno.writeFile(path, snapshot),
    read: async (path) => (await Deno.open(path)).readable,
  }
  : Bun !== undefined
  ? {
    write: (path, snapshot) => Bun.write(path, new Response(snapshot)),
    read: (path) => Bun.file(path).stream(),
  }
  : byNode;

const ways: Readonly<Record<string, Way>> = { "node:fs": byNode, "what the runtime has": byRuntime };

for (const [name, { write, read }] of Object.entries(ways)) {
  test(`snapshots: a file by ${name}, longer than a piece`, async () => {
    const registry = new EtagRegistry({ version: "build-7" });
    const feed = new PushedFeed();
    const follower = follow(registry, feed);
    feed.reader.push(live(systemClock, [], { position: { since: "1-x", source: "blog" } }));
    await follower.ready;
    for (let n = 0; n < 1_000; n++) keep(registry, `/posts/${n}`, [`post-${n}`]);
    const folder = await mkdtemp(join(tmpdir(), "snapshot-"));
    try {
      const [draft, file] = [join(folder, "draft"), join(folder, "registry")];
      await write(draft, registry.snapshot());
      await rename(draft, file);
      const reasons: string[] = [];
      const restored = await EtagRegistry.restore(await read(file), {
        version: "build-7",
        onRefused: (reason) => reasons.push(reason),
      });
      assert.deepEqual([restored.size, reasons], [1_000, []]);
    } finally {
      await rm(folder, { recursive: true });
      await follower.close();
    }
  });
}
