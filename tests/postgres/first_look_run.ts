/** A server that restarts while a feed waits for its first look: the feed waits, and does not end. */
import assert from "node:assert/strict";
import type { ChangeBatch } from "../../src/changes/change.ts";
import { changes, migration } from "../../src/postgres/changes.ts";
import { connection } from "./connection.ts";
import type { Server } from "./server.ts";

/** Runs it; rejects if anything is not as it should be. */
export async function firstLookRun(server: Server): Promise<void> {
  const ask = async (text: string, parameters: string[] = []) => {
    const client = connection(server.port);
    await client.connect();
    return await client.query(text, parameters).finally(() => client.end().catch(() => {}));
  };
  await ask(
    "drop schema if exists stillfresh cascade; drop table if exists posts; create table posts (id int primary key)",
  );
  await ask(migration({ posts: ["id"] }).up);
  // What has not been written to the disk is undone by the restart.
  await ask("checkpoint");
  const blocker = connection(server.port);
  await blocker.connect();
  await blocker.query("begin; lock table stillfresh.changes in access exclusive mode");
  const reader = changes(ask, { tables: ["posts"], poll: 20 }).batches();
  const first = reader.next();
  const waiting =
    "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%pg_current_snapshot%'";
  while ((await ask(waiting)).rows.length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  await server.crash();
  const states: string[] = [(await first).value!.state];
  let batch: ChangeBatch;
  do {
    batch = (await reader.next()).value!;
    states.push(batch.state);
  } while (batch.state !== "live");
  assert.deepEqual([...new Set(states)], ["lost", "live"]);
  await ask("insert into posts values (1)");
  do batch = (await reader.next()).value!; while (batch.changes.length === 0);
  assert.deepEqual([batch.state, batch.reset, batch.changes.length], ["live", undefined, 2]);
  await reader.return!();
}
