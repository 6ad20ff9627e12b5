/**
 * `deno task mysql`: a site over a real MariaDB of its own, for a minute of killed connections, crashes, two-phase
 * commits, writes past the triggers and pruning: no 304 may be wrong. Then the same with one rule of the feed taken away
 * at a time, which has to be found.
 *
 * `deno task mysql 60 7` says for how many seconds, and the seed; `deno task mysql 20 7 "no floor"` runs one
 * of the weakened feeds alone, `none` none of them, `statements` each kind of statement alone,
 * and `deno task mysql 2 7 cost` measures what the triggers cost.
 *
 * @module
 */
import { costRun } from "../tests/mysql/cost.ts";
import { ledgerRun, type Outcome } from "../tests/mysql/ledger_run.ts";
import { programs, Server } from "../tests/mysql/server.ts";
import { statementRun } from "../tests/mysql/statements.ts";
import { weakenings } from "../tests/mysql/weakened.ts";
import { conclude, runLedgers } from "./ledger_runs.ts";

/** Seconds for a weakened feed: the run ends when it is found. */
const WEAKENED = 60;

/** A crash undoes the commits of the last seconds, as a failover to a replica does that lost them; the log is a second store. */
const SETTINGS = [
  "--innodb-flush-log-at-trx-commit=0",
  "--innodb-flush-log-at-timeout=10",
  "--log-bin=binlog",
  "--binlog-format=ROW",
  "--server-id=1",
];

function report(
  name: string,
  { hits, wrong, written, kills, crashes, bypasses, adopted, events }: Outcome,
): void {
  console.log(
    `${name}: ${hits} 304s of the registries, ${wrong.length} wrong; ${written} writes, ${kills} connections killed, ` +
      `${crashes} crashes, ${bypasses} writes past the triggers, ${adopted} prepared transactions finished by another connection; ${
        JSON.stringify(events)
      }`,
  );
}

async function main([seconds = "60", seed = "7", only]: readonly string[]): Promise<number> {
  const asked = { seconds: Number(seconds), seed: Number(seed), only };
  if (programs === undefined) {
    console.log("NOT RUN: no MariaDB; apt-get install mariadb-server");
    return 0;
  }
  const server = await Server.start(SETTINGS);
  const found: string[] = [];
  try {
    if (only === undefined || only === "statements") {
      let kinds = 0;
      const count = () => ++kinds % 20 === 0 && console.log(`${kinds} kinds of statements …`);
      const say = only === undefined ? count : console.log;
      const ran = await statementRun(server, say).catch((error) => {
        // At once: connections that the test has left may end the process.
        console.log(`${error.message}: ${error.cause?.message}`);
        found.push(error.message);
        return 0;
      });
      console.log(`${ran} kinds of statements`);
    }
    if (only === "cost") console.log("cost", JSON.stringify(await costRun(server, Number(seconds))));
    const run = (plan: Parameters<typeof ledgerRun>[1]) => ledgerRun(server, plan);
    found.push(...await runLedgers(asked, { run, weakenings, weakened: WEAKENED, report }));
  } finally {
    await server.stop();
  }
  return conclude(found, only);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
