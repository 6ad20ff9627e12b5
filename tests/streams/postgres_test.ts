/** examples/streams/postgres_listen.ts with a real PostgreSQL whose connections break. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { notifiedChanges } from "../../examples/streams/postgres_listen.ts";
import { connection } from "../postgres/connection.ts";
import { programs, Server } from "../postgres/server.ts";
import { StreamedSite } from "./streamed_site.ts";

const skip = programs === undefined ? "no PostgreSQL; apt-get install postgresql" : false;

/** ms; the wait for a token is half of it. */
const maxLag = 400;

async function until(holds: () => boolean): Promise<void> {
  for (const limit = performance.now() + 20_000; !holds();) {
    assert.ok(performance.now() < limit, "did not come about");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test(
  "postgres listen: no 304 is wrong while the connection that listens is killed",
  { skip },
  async () => {
    const server = await Server.start(["fsync = off"]);
    const database = connection(server.port);
    await database.connect();
    await database.query("create table pages (key text primary key, value text)");
    const pages = {
      async get(key: string) {
        const { rows: [page] } = await database.query("select value from pages where key = $1", [key]);
        return page?.value ?? null;
      },
      // The notification is of the transaction that changes the row.
      set: (key: string, value: string) =>
        database.query(
          `with written as (insert into pages values ($1, $2) on conflict (key) do update set value = excluded.value)
           select pg_notify('pages', $1)`,
          [key, value],
        ),
    };
    let opened = 0;
    const open = () => {
      opened++;
      return connection(server.port);
    };
    const site = new StreamedSite(pages, notifiedChanges(open, "pages", { maxLag }), 7, maxLag);
    try {
      for (let n = 1; n <= 2; n++) {
        await until(() => site.registry.live);
        await site.load(70);
        const { rows } = await database.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()",
        );
        assert.equal(rows.length, 1, "one connection listens");
        await site.load(20);
        await until(() => opened > n && site.registry.live);
      }
      await site.load(50);
      assert.deepEqual(site.reader.wrong, []);
      assert.ok(site.reader.hits > 150, `${site.reader.hits} hits`);
    } finally {
      await site.follower.close();
      await database.end();
      await server.stop();
    }
  },
);
