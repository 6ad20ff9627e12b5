/**
 * `deno task cluster`: the promise on a cluster of CouchDB nodes. `COUCHDB_CLUSTER_URLS` names three of them, separated
 * by spaces: the one that is followed, the one that is read, the one that is written.
 *
 * `COUCHDB_CLUSTER_NODE` may name a program that is called with `pause 2 1500` or `restart 2 1500`: it stops that node
 * for so many milliseconds, and comes back when the node has; and with `save 3 0` and `restore 3 0`: it keeps a copy of the
 * node's files while it runs, and starts the node again with that copy. Without it no node is troubled.
 *
 * `deno task cluster 120 42 default,0,1000` says for how many seconds, the seed, and a registry for each `replicaLag`.
 *
 * @module
 */
import { cluster, type Outcome, type Plan, type Tally } from "../tests/cluster/cluster.ts";

const percent = (part: number, whole: number): string => `${(100 * part / Math.max(whole, 1)).toFixed(1)} %`;

function report(tally: Tally): void {
  const { replicaLag = "default", requests, conditional, hits, current, currentHits, wrong, wrongBy } = tally;
  console.log(
    `replicaLag ${replicaLag}: ${requests} requests, ${conditional} conditional, ${hits} answered 304 by the registry`,
  );
  console.log(`  hit rate of current copies ${percent(currentHits, current)}`);
  console.log(`  ${wrong} wrong${wrong === 0 ? "" : `, by up to ${wrongBy.toFixed(0)} ms`}`);
  console.log(
    `  ${tally.apart} that another reader of the node would have refused, for up to ${
      tally.apartBy.toFixed(0)
    } ms`,
  );
  if (tally.ofOneCopy > 0) {
    console.log(`  ${tally.ofOneCopy} of pages read from one copy (r=1) while nodes are troubled`);
  }
  for (const example of tally.examples) console.log(`    ${example}`);
}

/** The share of readings that were older than the feed, over all registries: they see the same cluster. */
function reportReadings(tallies: readonly Tally[]): void {
  for (const kind of Object.keys(tallies[0]!.readings)) {
    const readings = tallies.map((tally) => tally.readings[kind]!);
    const all = readings.reduce((sum, reading) => sum + reading.all, 0);
    const by = readings.flatMap((reading) => reading.by).toSorted((a, b) => a - b);
    const [median = 0, most = 0] = [by[by.length >> 1], by.at(-1)];
    const ages = by.length === 0 ? "" : `, median ${median.toFixed(0)} ms, at most ${most.toFixed(0)} ms`;
    console.log(
      `read by ${kind}: ${all}, older than the feed ${by.length} (${percent(by.length, all)})${ages}`,
    );
  }
}

/** What is found wrong: with the default, and with a run that could not have shown anything. */
function complaints({ tallies }: Outcome): string[] {
  const wrong = tallies.filter(({ replicaLag, wrong }) => replicaLag === undefined && wrong > 0);
  const blind = tallies.filter(({ replicaLag, wrong }) => replicaLag === 0 && wrong === 0);
  return [
    ...wrong.map((tally) => `${tally.wrong} wrong 304s`),
    ...blind.map(() => "nothing was wrong without settling either: the run shows nothing"),
  ];
}

function troubleWith(program: string): Plan["trouble"] {
  return async (deed, node, ms) => {
    const args = [deed, String(node), ms.toFixed(0)];
    const { success } = await new Deno.Command(program, { args, stdout: "null", stderr: "inherit" }).output();
    if (!success) throw new Error(`${program} ${args.join(" ")} failed`);
  };
}

async function main(
  [seconds = "300", seed = String(Math.floor(Math.random() * 2 ** 31)), settles = "default,0"]:
    readonly string[],
): Promise<number> {
  const servers = Deno.env.get("COUCHDB_CLUSTER_URLS")?.split(" ").filter((url) => url !== "") ?? [];
  if (servers.length !== 3) {
    console.log(
      "NOT RUN: set COUCHDB_CLUSTER_URLS to three nodes of one CouchDB cluster, separated by spaces",
    );
    return 0;
  }
  const name = `stillfresh-cluster-${crypto.randomUUID()}`;
  const urls = servers.map((server) => new URL(name, server.replace(/\/?$/, "/"))) as unknown as Plan["urls"];
  const program = Deno.env.get("COUCHDB_CLUSTER_NODE");
  console.log(`${seconds} s, seed ${seed}${program === undefined ? ", no node is troubled" : ""}`);
  const outcome = await cluster({
    seed: Number(seed),
    urls,
    seconds: Number(seconds),
    settles: settles.split(",").map((replicaLag) =>
      replicaLag === "default" ? undefined : Number(replicaLag)
    ),
    trouble: program === undefined ? undefined : troubleWith(program),
    say: console.log,
  });
  console.log(`written: ${JSON.stringify(outcome.writes)}; troubled: ${JSON.stringify(outcome.troubles)}`);
  console.log(
    `numbers of purges told at the end: ${outcome.purgeCounts.join(", ")}; resets: ${outcome.resets[0]}, ` +
      `${outcome.resets[1]} of them after the last purge`,
  );
  reportReadings(outcome.tallies);
  outcome.tallies.forEach(report);
  const found = complaints(outcome);
  console.log(found.length === 0 ? "0 wrong" : `NOT CLEAN: ${found.join("; ")}`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
