/**
 * One long fuzzing run on the runtime that runs this: `run.ts PARSER_EXECUTIONS WRAPPER_EXECUTIONS SEED`. Prints
 * figures, and, where something is found, the rows to keep in `seeds.ts`; then its exit code is 1.
 *
 * @module
 */
import process from "node:process";
import { Random } from "../support/generate.ts";
import { wrapperCase } from "./cases.ts";
import { minimiseText } from "./minimise.ts";
import { disagreement, type Parser, PARSERS } from "./parsers.ts";
import { finding, World, type WrapperCase } from "./wrapper.ts";

/** Findings of one kind are hardly ever of different causes. */
const ENOUGH = 5;
/** Each of these must end at least this share of the wrapper's executions, or the run says little. */
const MUST_OCCUR = { statuses: [200, 304, 412], share: 0.1 } as const;

/** Executions, how long the slowest took in ms, and what was found. */
interface Outcome {
  readonly executions: number;
  readonly slowest: number;
  readonly found: readonly string[];
}

function parserRun(name: string, parser: Parser, executions: number, random: Random): Outcome {
  const found = new Set<string>();
  let [slowest, last] = [0, performance.now()];
  let done = 0;
  while (done < executions && found.size < ENOUGH) {
    const input = parser.generate(random);
    if (disagreement(parser, input) !== undefined) {
      const small = minimiseText(input, (text) => disagreement(parser, text) !== undefined);
      found.add(JSON.stringify({ parser: name, input: small, found: disagreement(parser, small) }));
    }
    done++;
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
  }
  return { executions: done, slowest, found: [...found] };
}

/** The same case with as few and as short fields as still fail. */
async function minimised(played: WrapperCase): Promise<WrapperCase> {
  let smallest = played;
  const fails = async (candidate: WrapperCase) => await finding(new World(), candidate) !== undefined;
  if (!await fails(played)) return played;
  for (let changed = true; changed;) {
    changed = false;
    for (const candidate of smaller(smallest)) {
      if (!await fails(candidate)) continue;
      [smallest, changed] = [candidate, true];
      break;
    }
  }
  return smallest;
}

function* smaller(played: WrapperCase): Generator<WrapperCase> {
  const { fields, page } = played;
  for (let at = 0; at < fields.length; at++) yield { ...played, fields: fields.toSpliced(at, 1) };
  for (const name of ["etag", "lastModified", "cacheControl", "vary", "cookie"] as const) {
    if (page[name] === undefined) continue;
    const { [name]: _left, ...rest } = page;
    yield { ...played, page: rest };
  }
  for (const [at, [name, value]] of fields.entries()) {
    for (let cut = 0; cut < value.length; cut++) {
      const shorter = value.slice(0, cut) + value.slice(cut + 1);
      yield { ...played, fields: fields.with(at, [name, shorter]) };
    }
  }
}

async function wrapperRun(executions: number, random: Random, ended: Map<number, number>): Promise<Outcome> {
  const world = new World();
  const play = world.play.bind(world);
  world.play = async (played) => {
    const seen = await play(played);
    const { status } = seen.response;
    ended.set(status, (ended.get(status) ?? 0) + 1);
    return seen;
  };
  const found = new Set<string>();
  let [slowest, last, done] = [0, performance.now(), 0];
  while (done < executions && found.size < ENOUGH) {
    const played = wrapperCase(random);
    const why = await finding(world, played);
    if (why !== undefined) {
      const small = await minimised(played);
      found.add(JSON.stringify({ played: small, found: await finding(new World(), small) ?? why }));
    }
    done++;
    const now = performance.now();
    slowest = Math.max(slowest, now - last);
    last = now;
  }
  return { executions: done, slowest, found: [...found] };
}

function report(name: string, start: number, { executions, slowest, found }: Outcome): boolean {
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `  ${name}: ${executions} executions in ${seconds} s, the slowest ${
      slowest.toFixed(0)
    } ms; found: ${found.length}`,
  );
  for (const row of found) console.log(`    ${row}`);
  return found.length === 0;
}

async function main([parsers = "0", wrapper = "0", seed = "1"]: readonly string[]): Promise<boolean> {
  const names = Object.keys(PARSERS);
  let clean = true;
  for (const [at, name] of names.entries()) {
    const start = performance.now();
    const random = new Random(Number(seed) + at);
    clean = report(
      name,
      start,
      parserRun(name, PARSERS[name]!, Math.ceil(Number(parsers) / names.length), random),
    ) &&
      clean;
  }
  const ended = new Map<number, number>();
  const start = performance.now();
  const outcome = await wrapperRun(Number(wrapper), new Random(Number(seed) + names.length), ended);
  clean = report("the wrapper", start, outcome) && clean;
  const shares = [...ended].sort(([a], [b]) => a - b).map(([status, count]) =>
    `${status}: ${(100 * count / outcome.executions).toFixed(1)} %`
  );
  console.log(`  answered ${shares.join(", ")}`);
  for (const status of MUST_OCCUR.statuses) {
    if ((ended.get(status) ?? 0) >= MUST_OCCUR.share * outcome.executions) continue;
    console.log(`  too few ended in ${status}`);
    clean = false;
  }
  return clean;
}

process.exitCode = await main(process.argv.slice(2)) ? 0 : 1;
