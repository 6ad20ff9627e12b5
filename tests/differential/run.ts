/**
 * `deno task differential`: 20,000 random requests to each of nginx, Apache httpd and Go's file server, and to a
 * wrapped handler with the same validators. Every disagreement is explained by what RFC 9110 says, or the run fails.
 *
 * `deno task differential 1000 42` says how many, and the seed.
 *
 * @module
 */
import process from "node:process";
import { anySeed } from "../support/generate.ts";
import { compare } from "./compare.ts";
import { type Deviation, DEVIATIONS } from "./deviations.ts";
import { missingPackages, SERVER_NAMES, startServer } from "./servers.ts";

async function main([count = "20000", given]: readonly string[]): Promise<boolean> {
  const missing = missingPackages();
  if (missing.length > 0) {
    console.log(`missing Debian packages: ${missing.join(" ")}`);
    return false;
  }
  const seed = given === undefined ? anySeed() : Number(given);
  const used = new Set<Deviation>();
  let clean = true;
  console.log(`seed ${seed}`);
  for (const name of SERVER_NAMES) {
    const start = performance.now();
    const server = await startServer(name);
    const { asked, ended, explained, unexplained } = await compare(server, Number(count), seed)
      .finally(() => server.close());
    const disagreements = [...explained.values()].reduce((sum, n) => sum + n, unexplained.length);
    const statuses = [...ended].sort().map(([status, n]) => `${status}: ${n}`).join(", ");
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(
      `\n${name}: ${asked} requests in ${seconds} s (ours: ${statuses}), ${disagreements} disagreements`,
    );
    for (const [why, n] of [...explained].sort(([, a], [, b]) => b - a)) {
      console.log(`${String(n).padStart(7)}  ${why}`);
      for (const one of why.split(" + ")) used.add(one as Deviation);
    }
    for (const sentence of unexplained.slice(0, 10)) console.log(`  UNEXPLAINED ${sentence}`);
    if (unexplained.length > 10) console.log(`  and ${unexplained.length - 10} more`);
    clean &&= unexplained.length === 0;
  }
  console.log("\nWhat RFC 9110 says:");
  for (const one of used) console.log(`  ${one}: ${DEVIATIONS[one]}`);
  return clean;
}

process.exitCode = await main(process.argv.slice(2)) ? 0 : 1;
