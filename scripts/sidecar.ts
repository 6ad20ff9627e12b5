/**
 * `deno task sidecar`: the sidecar in front of the applications in Python and Go of `examples/sidecar`, under load for ten
 * minutes, while posts are edited in the database and through the sidecar, and the applications are killed and started
 * anew. Each response is compared with what the database held.
 *
 * `deno task sidecar 2m` takes another time, `deno task sidecar 2m python` only one application.
 *
 * @module
 */
import { run } from "./run.ts";
import { sidecarRun, type SidecarTally } from "../tests/proxy/sidecar_run.ts";
import { findProgram } from "../tests/proxy/sidecar_support.ts";

/** Seconds between two lines of progress. */
const INTERVAL = 30;

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000 };

/** The command of each application; undefined: what it needs is not installed. */
async function commands(folder: string): Promise<Record<string, readonly string[] | undefined>> {
  const [python, go] = [findProgram("python3"), findProgram("go")];
  const binary = `${folder}/blog`;
  if (go !== undefined) {
    const { code, output } = await run(go, ["build", "-o", binary, "examples/sidecar/main.go"]);
    if (code !== 0) throw new Error(output);
  }
  return {
    python: python === undefined ? undefined : [python, "examples/sidecar/app.py"],
    go: go === undefined ? undefined : [binary],
  };
}

function summary(name: string, tally: SidecarTally): string {
  const { requests, notModified, whileAway, edits, kills, unavailable, delay, wrong, hung } = tally;
  return `${name}: ${requests} requests, ${notModified} of them 304, ${whileAway} while the application was away; ` +
    `${edits} edits, seen after ${
      delay.toFixed(0)
    } ms at most; killed ${kills} times, ${unavailable} times 502; ` +
    `${wrong.length} wrong, ${hung} hung`;
}

async function main([duration = "10m", only]: readonly string[]): Promise<number> {
  const [, amount, unit = ""] = /^([0-9]+)(s|m)$/.exec(duration) ?? [];
  if (amount === undefined) throw new RangeError(`the time is a number with s or m, not ${duration}`);
  const folder = await Deno.makeTempDir();
  let failures = 0;
  try {
    const all = Object.entries(await commands(folder)).filter(([name]) =>
      only === undefined || name === only
    );
    if (all.length === 0) throw new RangeError(`the applications are python and go, not ${only}`);
    for (const [name, command] of all) {
      if (command === undefined) {
        console.log(`SKIPPED: ${name} is not installed`);
        continue;
      }
      let told = performance.now();
      const tally = await sidecarRun(command, {
        ms: Number(amount) * UNITS[unit]! / all.length,
        onProgress: (tally) => {
          if (performance.now() - told < INTERVAL * 1_000) return;
          told = performance.now();
          console.log(summary(name, tally));
        },
      });
      console.log(summary(`done, ${name}`, tally));
      for (const complaint of tally.wrong.slice(0, 10)) console.log(`  ${complaint}`);
      const isIdle = tally.whileAway === 0 || tally.edits === 0 || tally.kills === 0 ||
        tally.notModified === 0;
      if (isIdle) console.log("  the run has not shown what it is for: too short");
      failures += tally.wrong.length + tally.hung + Number(isIdle);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return failures === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
