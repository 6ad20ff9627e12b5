/**
 * What the feed costs a PostgreSQL and its writers, for `deno task databases cost`: writing with the triggers of the
 * migration and without them, and a writer's commits while 1, 10 and 100 feeds look. Windows alternate, and each ratio is
 * taken within a round.
 *
 * @module
 */
import type { Row } from "../scripts/compatibility.ts";
import { changes, migration, type Query } from "../src/postgres/changes.ts";
import { connection } from "../tests/postgres/connection.ts";
import { Server } from "../tests/postgres/server.ts";
import { spread } from "./table.ts";
import { alternate, compared, quartiles, type Windows } from "./windows.ts";

const ROUNDS = 5;
/** Rows of each table, more than are deleted in a window. */
const ROWS = 30_000;
/** Rows of a transaction of many. */
const MANY = 1_000;
/** Transactions of that kind in a window. */
const BULK_TIMES = 8;
/** Clients that write. */
const WRITERS = 4;
/** s of a window in which single rows are written. */
const WRITING = 1;
/** s of a window in which feeds look, after as long in which the server has planned their statements for the last time. */
const LOOKING = 3;
/** Rounds of those windows. */
const LOOKING_ROUNDS = 3;
/** Commits a second beside them. */
const RATE = 50;

/** Tables that differ in what watches them. */
const tables = ["plain", "watched", "notified"] as const;

/** A statement of pgbench for one row, and one for many, in a table. */
const deeds: Readonly<Record<string, (table: string) => readonly [one: string, many: string]>> = {
  "insert": (table) => [
    `insert into ${table} values (nextval('ids'), 1, 'some text of a row');`,
    `insert into ${table} select nextval('ids'), 1, 'some text of a row' from generate_series(1, ${MANY});`,
  ],
  "update": (table) => [
    `\\set id random(1, ${ROWS})\nupdate ${table} set author_id = author_id + 1 where id = :id;`,
    `\\set id random(1, ${
      ROWS - MANY
    })\nupdate ${table} set author_id = author_id + 1 where id between :id and :id + ${MANY - 1};`,
  ],
  "delete": (table) => [
    `with one as (select nextval('gone') as id) delete from ${table} using one where ${table}.id = one.id;`,
    `with these as (select nextval('gone') as id from generate_series(1, ${MANY})) delete from ${table} using these where ${table}.id = these.id;`,
  ],
};

async function prepare(server: Server): Promise<void> {
  const names = tables.map((table) =>
    `create table ${table} (id bigint primary key, author_id int, title text);`
  );
  const groups = { key: ["id"], groups: ["author_id"] };
  await server.output("psql", [
    "-qv",
    "ON_ERROR_STOP=1",
    "-c",
    `create sequence ids; create sequence gone; ${names.join(" ")}
     ${migration({ watched: groups }).up}
     ${migration({ notified: groups }, { schema: "notifying", notify: true }).up}`,
  ]);
}

/** Puts the rows back, past the triggers. */
async function refill(server: Server, table: string): Promise<void> {
  const triggers = (state: string) => table === "plain" ? "" : `alter table ${table} ${state} trigger user;`;
  await server.output("psql", [
    "-q",
    "-c",
    `truncate ${table}; ${triggers("disable")}
     insert into ${table} select n, 1, 'some text of a row' from generate_series(1, ${ROWS}) n;
     ${triggers("enable always").replace("trigger user", "trigger stillfresh_insert")}
     ${triggers("enable always").replace("trigger user", "trigger stillfresh_update")}
     ${
      table === "notified"
        ? triggers("enable always").replace("trigger user", "trigger stillfresh_notify")
        : ""
    }
     truncate stillfresh.changes, notifying.changes;
     select setval('ids', ${10 * ROWS}), setval('gone', 1, false);`,
  ]);
  await server.output("psql", ["-q", "-c", `vacuum analyze ${table}`]);
  await server.output("psql", ["-q", "-c", "checkpoint"]);
}

/** Transactions a second, by pgbench. */
async function rate(server: Server, script: string, args: readonly string[]): Promise<number> {
  const path = await Deno.makeTempFile({ suffix: ".sql" });
  await Deno.writeTextFile(path, script);
  await Deno.chmod(path, 0o644);
  try {
    const said = await server.output("pgbench", ["-n", "-f", path, ...args]);
    return Number(/tps = ([\d.]+)/.exec(said)![1]);
  } finally {
    await Deno.remove(path);
  }
}

async function writers(server: Server): Promise<Row[]> {
  const rows: Row[] = [];
  for (const [deed, scripts] of Object.entries(deeds)) {
    for (const [n, count] of ["one row", `${MANY} rows`].entries()) {
      const windows = await alternate(tables, ROUNDS, async (table) => {
        await refill(server, table);
        const clients = n === 0
          ? ["-c", `${WRITERS}`, "-j", "2", "-T", `${WRITING}`]
          : ["-c", "1", "-t", `${BULK_TIMES}`];
        return await rate(server, scripts(table)[n]!, clients);
      });
      const cell = (table: string) => spread(compared(windows, table, "plain", (a, b) => a / b), 2);
      rows.push({
        name: `${deed}, ${count} a transaction`,
        cells: { "triggers": cell("watched"), "triggers and `notify`": cell("notified") },
      });
      console.error(`${rows.length} of ${Object.keys(deeds).length * 2}: ${rows.at(-1)!.name}`);
    }
  }
  return rows;
}

/** Feeds on connections of their own, each as one process has it. */
async function feeds(port: number, count: number, isPrepared: boolean): Promise<{ close(): Promise<void> }> {
  const all = await Promise.all(Array.from({ length: count }, async () => {
    const client = connection(port);
    await client.connect();
    const query: Query = isPrepared
      ? (text, values) => client.query({ name: `look ${text.length}`, text, values })
      : (text, parameters) => client.query(text, parameters);
    const reader = changes(query, { tables: ["watched"] }).batches();
    await reader.next();
    const reading = (async () => {
      while (!(await reader.next()).done);
    })();
    return async () => {
      await reader.return!();
      await reading;
      await client.end();
    };
  }));
  return { close: async () => void await Promise.all(all.map((close) => close())) };
}

/** ms of each commit, from the log of pgbench. */
async function commits(server: Server, seconds: number): Promise<number[]> {
  const folder = await Deno.makeTempDir();
  await Deno.chmod(folder, 0o777);
  try {
    const [script] = deeds["update"]!("watched");
    await rate(server, script, [
      ...["-c", "1", "-T", `${seconds}`, "-R", `${RATE}`, "-l", `--log-prefix=${folder}/log`],
    ]);
    const latencies: number[] = [];
    for await (const { name } of Deno.readDir(folder)) {
      for (const line of (await Deno.readTextFile(`${folder}/${name}`)).trim().split("\n")) {
        // Client, transaction, time, script, two of the clock, and by how much it began late: all in µs.
        const [, , time, , , , late] = line.split(" ").map(Number);
        latencies.push((time! - late!) / 1_000);
      }
    }
    return latencies.sort((a, b) => a - b);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function pollers(server: Server): Promise<Row[]> {
  const counts = ["0", "1", "10", "100", "100, prepared"];
  const [cpu, middle, tail]: Record<string, number[]>[] = [{}, {}, {}];
  await refill(server, "watched");
  const note = (to: Record<string, number[]>, name: string, figure: number) => (to[name] ??= []).push(figure);
  await alternate(counts, LOOKING_ROUNDS, async (count, round) => {
    const following = await feeds(server.port, parseInt(count), count.endsWith("prepared"));
    await new Promise((resolve) => setTimeout(resolve, LOOKING * 1_000));
    const before = server.cpuTime();
    const began = performance.now();
    const latencies = await commits(server, LOOKING);
    note(cpu!, count, (server.cpuTime() - before) / ((performance.now() - began) / 1_000) * 100);
    note(middle!, count, latencies[Math.floor(latencies.length / 2)]!);
    note(tail!, count, latencies[Math.floor(latencies.length * 0.99)]!);
    await following.close();
    console.error(`round ${round + 1}: ${count} feeds`);
    return 0;
  });
  const ratio = (windows: Windows, count: string) =>
    count === "0"
      ? `${quartiles(windows[count]!)[0].toFixed(1)} ms`
      : `× ${spread(compared(windows, count, "0", (a, b) => a / b), 2)}`;
  return counts.map((count) => ({
    name: count,
    cells: {
      "CPU of the database": `${spread(cpu![count]!, 1)} %`,
      "a commit, median": ratio(middle!, count),
      "a commit, 99 of 100": ratio(tail!, count),
    },
  }));
}

/** What was measured, as the tables of `docs/databases.md`. */
export interface Cost {
  readonly name: string;
  readonly head: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

/** Measures on a server of its own, with PostgreSQL's defaults. */
export async function measureCost(): Promise<readonly Cost[]> {
  const server = await Server.start();
  try {
    await prepare(server);
    return [
      {
        name: "postgres-writers",
        head: "what is written",
        columns: ["triggers", "triggers and `notify`"],
        rows: await writers(server),
      },
      {
        name: "postgres-followers",
        head: "feeds",
        columns: ["CPU of the database", "a commit, median", "a commit, 99 of 100"],
        rows: await pollers(server),
      },
    ];
  } finally {
    await server.stop();
  }
}
