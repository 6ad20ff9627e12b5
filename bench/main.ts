/**
 * `deno task bench`: what everything costs, in one table a topic. Writes nothing.
 *
 * `deno task bench in-process http` takes only those topics, `deno task bench http:Bun.serve` one server of a topic;
 * `--quick` makes fewer windows. Figures move with the machine: compare within one run.
 *
 * @module
 */
import { deno, root } from "../scripts/run.ts";
import { denoRuntime, type Runtime } from "../scripts/runtimes.ts";
import { compression, compressionServers } from "./compression.ts";
import { httpServers, overHttp } from "./http.ts";
import { inProcess } from "./in_process.ts";
import { pages, pageServers } from "./page.ts";
import { runners } from "./runners.ts";

/** How one topic is measured and printed. */
interface Topic {
  /** What may be named after a colon, to take nothing else. */
  readonly parts: readonly string[];
  readonly measure: (quick: boolean, part: string | undefined) => Promise<void>;
}

const runtimeNames = ["Deno", "Bun", "Node"];

/** A topic that is a program of its own, started by Deno. */
function program(path: string): Topic {
  return { parts: [], measure: async () => await started(denoRuntime(), ["run", "-A", "-q", path]) };
}

/** Without it some programs cannot tell what is held from what is only not collected yet. */
const collectable: Partial<Record<Runtime["name"], string>> = {
  Deno: "--v8-flags=--expose-gc",
  Node: "--expose-gc",
};

/** Programs that run on every runtime, or on the one named. */
function everywhere(...paths: readonly string[]): Topic {
  const measure: Topic["measure"] = async (_quick, only) => {
    for (const runner of await runners(only)) {
      const flags = [...runner.flags, ...[collectable[runner.name] ?? []].flat()];
      for (const path of paths) await started(runner, [...flags, path]);
    }
  };
  return { parts: runtimeNames, measure };
}

async function started({ name, version, path }: Runtime, args: readonly string[]): Promise<void> {
  console.log(`\n${name} ${version}: ${args.at(-1)}`);
  const { code } = await new Deno.Command(path, { args: [...args], cwd: root, stdin: "null" }).spawn().status;
  if (code !== 0) Deno.exitCode = 1;
}

const topics: Readonly<Record<string, Topic>> = {
  "in-process": { parts: runtimeNames, measure: inProcess },
  "http": { parts: httpServers, measure: overHttp },
  "page": { parts: pageServers, measure: pages },
  "compression": { parts: compressionServers, measure: compression },
  "registry": everywhere(...["size", "lookup", "invalidation"].map((name) => `bench/registry/${name}.ts`)),
  "row": everywhere("bench/row.ts"),
  "feed": program("bench/feed.ts"),
  "followers": program("bench/followers.ts"),
  "hostile": everywhere("bench/hostile.ts"),
  "flood": everywhere("bench/flood.ts"),
  "strangers": everywhere("bench/strangers.ts"),
};

/** Topics, each with a part or none; throws for what is neither. */
function asked(words: readonly string[]): { topic: Topic; part: string | undefined }[] {
  return words.map((word) => {
    const [name = "", part] = word.split(":");
    const topic = topics[name];
    if (topic === undefined) {
      throw new RangeError(`no topic is ${name}; there are ${Object.keys(topics).join(", ")}`);
    }
    if (part !== undefined && !topic.parts.includes(part)) {
      throw new RangeError(`no part of ${name} is ${part}; there are ${topic.parts.join(", ") || "none"}`);
    }
    return { topic, part };
  });
}

const words = Deno.args.filter((word) => word !== "--quick");
const chosen = asked(words.length === 0 ? Object.keys(topics) : words);
// So that Bun and Node find the peers too.
const entries = ["bench/main.ts", "bench/http/serve.ts", "bench/http/autocannon.ts"];
const { code, output } = await deno(["install", "-q", "--entrypoint", ...entries]);
if (code !== 0) throw new Error(output);
for (const { topic, part } of chosen) await topic.measure(Deno.args.includes("--quick"), part);
