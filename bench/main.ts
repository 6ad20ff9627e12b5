/**
 * `deno task bench`: what everything costs, in one table a topic. Writes nothing.
 *
 * `deno task bench in-process http` takes only those topics, `deno task bench http:Bun.serve` one server of a topic;
 * `--quick` makes fewer windows. Figures move with the machine: compare within one run.
 *
 * @module
 */
import { root } from "../scripts/run.ts";
import { overHttp } from "./http.ts";
import { inProcess } from "./in_process.ts";
import { pages } from "./page.ts";

/** How one topic is measured and printed. */
type Topic = (quick: boolean, part: string | undefined) => Promise<void>;

/** A topic that is a program of its own, if it is there. */
function program(...paths: readonly string[]): Topic {
  return async () => {
    for (const path of paths) {
      console.log(`\n${path}`);
      const args = ["run", "-A", "-q", `${root}${path}`];
      const { code } = await new Deno.Command(Deno.execPath(), { args, cwd: root }).spawn().status;
      if (code !== 0) Deno.exitCode = 1;
    }
  };
}

const topics: Readonly<Record<string, Topic>> = {
  "in-process": inProcess,
  "http": overHttp,
  "page": pages,
  "feed": program("bench/feed.ts"),
  "followers": program("bench/followers.ts"),
  "hostile": program("bench/hostile.ts"),
  "flood": program("bench/flood.ts"),
};

const quick = Deno.args.includes("--quick");
const words = Deno.args.filter((word) => word !== "--quick").map((word) => word.split(":"));
const unknown = words.find(([name = ""]) => !(name in topics));
if (unknown !== undefined) {
  console.log(`no topic is named ${unknown[0]}; there are ${Object.keys(topics).join(", ")}`);
  Deno.exit(2);
}
for (const [name, measure] of Object.entries(topics)) {
  if (words.length === 0) await measure(quick, undefined);
  for (const [, part] of words.filter(([word]) => word === name)) await measure(quick, part);
}
