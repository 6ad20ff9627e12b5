/** examples/streams/redis_tracking.ts with a real Redis whose connections break. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { createClient } from "redis";
import { redisChanges, type RedisConnection } from "../../examples/streams/redis_tracking.ts";
import { answersTcp, startProgram } from "../support/server_program.ts";
import { StreamedSite } from "./streamed_site.ts";

const program = ["/usr/bin/redis-server", "/usr/local/bin/redis-server"].find((path) => existsSync(path));
const skip = program === undefined ? "no Redis; apt-get install redis-server" : false;

/** ms; the wait for a token is half of it. */
const maxLag = 400;

async function connect(port: number) {
  const client = createClient({ url: `redis://127.0.0.1:${port}`, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

async function until(holds: () => boolean): Promise<void> {
  for (const limit = performance.now() + 20_000; !holds();) {
    assert.ok(performance.now() < limit, "did not come about");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test(
  "redis tracking: no 304 is wrong while connections are killed, and all is emptied",
  { skip },
  async () => {
    const server = await startProgram(
      program!,
      (_, port) => `bind 127.0.0.1\nport ${port}\nsave ""\ndaemonize no\n`,
      (_, file) => [file],
      answersTcp,
    );
    const port = Number(new URL(server.origin).port);
    const database = await connect(port);
    const killer = await connect(port);
    let opened = 0;
    const open = async (): Promise<RedisConnection> => {
      opened++;
      return await connect(port) as unknown as RedisConnection;
    };
    const site = new StreamedSite(database, redisChanges(open, "post:", { maxLag }), 7, maxLag);
    try {
      for (const type of ["pubsub", "normal", "pubsub", "normal"] as const) {
        await until(() => site.registry.live);
        await site.load(50);
        // Those that are followed by; of the normal ones the two of this test are left alive.
        const own = [
          await database.sendCommand(["CLIENT", "ID"]),
          await killer.sendCommand(["CLIENT", "ID"]),
        ];
        const list = String(await killer.sendCommand(["CLIENT", "LIST", "TYPE", type]));
        const ids = Array.from(list.matchAll(/^id=(\d+)/gm), ([, id]) => id!).filter((id) =>
          !own.map(String).includes(id)
        );
        assert.ok(ids.length > 0, `there is a connection of type ${type}`);
        await killer.sendCommand(["CLIENT", "KILL", "ID", ids[0]!]);
        await site.load(20);
      }
      await until(() => site.registry.live);
      const before = opened;
      await site.empty(() => killer.sendCommand(["FLUSHALL"]));
      await until(() => opened > before && site.registry.live);
      await site.load(50);
      assert.deepEqual(site.reader.wrong, []);
      assert.ok(site.reader.hits > 150, `${site.reader.hits} hits`);
    } finally {
      await site.follower.close();
      database.destroy();
      killer.destroy();
      await server.close();
    }
  },
);
