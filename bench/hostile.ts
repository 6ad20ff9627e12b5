/**
 * What 64 KB of hostile `If-None-Match` cost, next to 64 KB of well-formed tags, and what doubling the length does.
 * Figures are ratios, of the fastest of many rounds; the exit code is 1 where a bound is broken.
 *
 * Runs on every runtime: `deno run bench/hostile.ts`, `bun bench/hostile.ts`, `node bench/hostile.ts`.
 *
 * @module
 */
import process from "node:process";
import { CurrentDocuments, judgeTag } from "../src/handler/current_state.ts";
import { TagKey } from "../src/handler/tag_key.ts";
import { someListedTag } from "../src/http/entity_tag_list.ts";
import { evaluatePreconditions } from "../src/http/preconditions.ts";

const LENGTH = 64 * 1024;
const ROUNDS = 40;
/** Microseconds that a round takes at least: one evaluation is over in less than a clock can tell. */
const ROUND = 300;
const ATTEMPTS = 3;
/** A hostile field may cost so many times a well-formed one. */
const MOST = 3;
/** Doubling the length may double the time; the rest is what such a measurement is off by. */
const DOUBLING = 2 * 1.15;

const long = "a".repeat(60);
const etag = `"${long}"`;

/** What is repeated until the field is long enough. */
const HOSTILE: Readonly<Record<string, string>> = {
  "quotes": '"',
  "commas": ",",
  "commas and quotes": '",',
  "quotes and commas": ',"',
  "white space": " ",
  "tabs and commas": "\t,",
  "W/": "W/",
  "W/ and a quote": 'W/"',
  "stars": "*",
  "stars and commas": "*,",
  "letters, no quote": "a",
  "letters and commas": "a,",
  "one tag that is never closed": `"${"x".repeat(LENGTH * 2)}`,
  "empty tags": '"",',
  "the tag's beginning": `"${long.slice(1)},`,
  "the tag but for its last character": `"${long.slice(1)}b",`,
  "the tag and garbage": `${etag}x,`,
  "the tag, weakly, and garbage": `W/${etag}x,`,
  "the tag and white space": `${etag}${" ".repeat(40)}x,`,
  "backslashes": '"\\",',
  "obs-text": "\xff\xa0,",
};

/** In one piece in memory, as a server has it from the wire: a string put together by a program is slower to read. */
function received(text: string): string {
  return new TextDecoder("latin1").decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
}

function filled(piece: string, length: number): string {
  return received(piece.repeat(Math.ceil(length / piece.length)).slice(0, length));
}

/** Tags of the length that one derived from one document has. */
const wellFormed = (length: number): string =>
  filled(`"${"b".repeat(58)}", `, length - 1).replace(/,[^,]*$/, "");

/** Evaluates a field again and again. */
type Evaluation = (field: string) => () => void;

const evaluations: Readonly<Record<string, Evaluation>> = {
  "the tag is known": (field) => {
    const request = { method: "GET", headers: new Headers({ "if-none-match": field }) };
    return () => evaluatePreconditions(request, { etag });
  },
  "the revision is known": (field) => {
    const documents = new CurrentDocuments([{ _id: "a", _rev: "1-a" }], false, new TagKey());
    return () => someListedTag(field, true, (tag) => judgeTag(tag, documents) === "current");
  },
};

function timed(evaluate: () => void, repeats: number): number {
  const start = performance.now();
  for (let n = 0; n < repeats; n++) evaluate();
  return (performance.now() - start) * 1000 / repeats;
}

/** Microseconds of one evaluation in the fastest of many rounds, for each field; in turn, so that all meet the same machine. */
function fastest(evaluation: Evaluation, fields: readonly string[]): number[] {
  const evaluations = fields.map((field) => evaluation(field));
  const warm = evaluations.map((evaluate) => Math.min(timed(evaluate, 5), timed(evaluate, 20)));
  const repeats = warm.map((each) => Math.max(1, Math.ceil(ROUND / each)));
  const least = fields.map(() => Infinity);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [at, evaluate] of evaluations.entries()) {
      least[at] = Math.min(least[at]!, timed(evaluate, repeats[at]!));
    }
  }
  return least;
}

function measure(evaluation: Evaluation): boolean {
  let kept = true;
  for (const [name, piece] of Object.entries(HOSTILE)) {
    const fields = [wellFormed(LENGTH), filled(piece, LENGTH), filled(piece, 2 * LENGTH)];
    let [basis, times, doubled, broken] = [NaN, NaN, NaN, true];
    // Somebody else's work only ever makes it slower, so a bound is broken if it is each time.
    for (let attempt = 0; broken && attempt < ATTEMPTS; attempt++) {
      const [well = NaN, once = NaN, twice = NaN] = fastest(evaluation, fields);
      [basis, times, doubled] = [well, once / well, twice / once];
      broken = !(times <= MOST && doubled <= DOUBLING);
    }
    kept &&= !broken;
    const figures = `${times.toFixed(2).padStart(6)} × ${basis.toFixed(0)} µs, doubled: ${
      doubled.toFixed(2)
    }`;
    console.log(`  ${name.padEnd(36)}${figures}${broken ? "  TOO MUCH" : ""}`);
  }
  return kept;
}

let kept = true;
for (const [name, evaluation] of Object.entries(evaluations)) {
  console.log(`${LENGTH / 1024} KB of If-None-Match next to well-formed tags; ${name}`);
  kept = measure(evaluation) && kept;
}
process.exitCode = kept ? 0 : 1;
