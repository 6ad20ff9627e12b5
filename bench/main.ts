/**
 * `deno task bench`: what everything costs, in one table a topic. Writes nothing. `deno task bench in-process http`
 * takes only those topics, `--quick` fewer and shorter windows. Figures move with the machine: compare within one run.
 *
 * @module
 */
import { overHttp } from "./http.ts";
import { inProcess } from "./in_process.ts";

/** Each measures and prints. */
const topics: Readonly<Record<string, (quick: boolean) => Promise<void>>> = {
  "in-process": inProcess,
  "http": overHttp,
};

const quick = Deno.args.includes("--quick");
const words = Deno.args.filter((word) => word !== "--quick");
const unknown = words.find((word) => !(word in topics));
if (unknown !== undefined) {
  console.log(`no topic is named ${unknown}; there are ${Object.keys(topics).join(", ")}`);
  Deno.exit(2);
}
for (const [name, measure] of Object.entries(topics)) {
  if (words.length === 0 || words.includes(name)) await measure(quick);
}
