/**
 * `deno task postgres`: a site over a real PostgreSQL of its own, for a minute of killed connections, crashes, failovers
 * to a replica that lost commits, two-phase commits, writes past the triggers and pruning: no 304 may be wrong. Then the
 * same with one rule of the feed taken away at a time, which has to be found.
 *
 * `deno task postgres 60 7` says for how many seconds, and the seed; `deno task postgres 20 7 "two statements"` runs one
 * of the weakened feeds alone, and `none` none of them.
 *
 * @module
 */
import { firstLookRun } from "../tests/postgres/first_look_run.ts";
import { ledgerRun, type Outcome } from "../tests/postgres/ledger_run.ts";
import { programs, Server } from "../tests/postgres/server.ts";
import { weakenings } from "../tests/postgres/weakened.ts";
import { conclude, runLedgers } from "./ledger_runs.ts";

/** Seconds for a weakened feed, on a busy machine: the run ends when it is found. */
const WEAKENED = 45;

/** Settings with which a crash undoes the commits of the last seconds. */
const FORGETFUL = ["synchronous_commit = off", "wal_writer_delay = 10s"];

/** 304s of a run of a minute. */
const LEAST_HITS = 100_000;

function report(name: string, outcome: Outcome): void {
  const { hits, wrong, written, kills, bypasses, held, undone, events } = outcome;
  const faults = Object.entries(undone).map(([kind, { times, rows }]) =>
    `${times} times ${kind} (${rows} commits undone)`
  );
  console.log(
    `${name}: ${hits} 304s of the registries, ${wrong.length} wrong; ${written} writes, ${kills} connections ended, ` +
      `${
        faults.join(", ")
      }, ${held} two-phase commits held over that, ${bypasses} writes past the triggers; ` +
      JSON.stringify(events),
  );
}

/** What a run of the whole feed has to have seen, so that it says something. */
function omissions({ hits, held, bypasses, undone }: Outcome, seconds: number): string[] {
  // Too short a run is one for looking at.
  if (seconds < 60) return [];
  return [
    ...(hits < LEAST_HITS ? [`only ${hits} 304s of the registries`] : []),
    ...(held === 0 ? ["no two-phase commit was held over a crash"] : []),
    ...(bypasses === 0 ? ["no write went past the triggers"] : []),
    ...Object.entries(undone).filter(([, { rows }]) => rows === 0).map(([kind]) =>
      `no commit was undone by ${kind}`
    ),
  ];
}

async function main([seconds = "60", seed = "7", only]: readonly string[]): Promise<number> {
  const asked = { seconds: Number(seconds), seed: Number(seed), only };
  if (programs === undefined) {
    console.log("NOT RUN: no PostgreSQL; apt-get install postgresql");
    return 0;
  }
  const server = await Server.start(FORGETFUL);
  const found: string[] = [];
  try {
    if (only === undefined || only === "none") {
      await firstLookRun(server);
      console.log("a restart during the first look: waited out");
    }
    const run = (plan: Parameters<typeof ledgerRun>[1]) => ledgerRun(server, plan);
    found.push(...await runLedgers(asked, { run, weakenings, weakened: WEAKENED, report, omissions }));
  } finally {
    await server.stop();
  }
  return conclude(found, only);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
