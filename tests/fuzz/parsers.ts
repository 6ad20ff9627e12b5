/**
 * Every parser against the oracle: the same input to both, and the same answer from both.
 *
 * @module
 */
import { parseCacheGroups } from "../../src/http/cache_groups.ts";
import { cacheDirectives } from "../../src/http/cache_control.ts";
import { isWildcard, matchesList, parseEntityTag, someListedTag } from "../../src/http/entity_tag.ts";
import { parseHttpDate } from "../../src/http/http_date.ts";
import { parseStringList } from "../../src/http/structured_field_list.ts";
import { varyFields } from "../../src/http/vary.ts";
import {
  dateField,
  directiveField,
  type Random,
  stringListField,
  strung,
  tagField,
  varyField,
} from "../support/generate.ts";
import * as oracle from "../support/oracle.ts";

/** 2026-11-22: the year that two digits are read by must not move with the day a test runs. */
const NOW = Date.UTC(2026, 10, 22);
const LOOKED_FOR = ['"a"', 'W/"a"', '"a,b"', '""', "a", '"a b"'] as const;

/** One parser: inputs for it, and its answer and the oracle's as text, so that they can be compared. */
export interface Parser {
  readonly generate: (random: Random) => string;
  readonly ours: (input: string) => string;
  readonly theirs: (input: string) => string;
}

type Items = readonly {
  readonly value: string;
  readonly parameters: ReadonlyMap<string, string | undefined>;
}[];

function itemsText(items: Items | undefined): string {
  if (items === undefined) return "malformed";
  let text = "";
  for (const { value, parameters } of items) {
    text += `\n${value}`;
    for (const [key, given] of parameters) text += given === undefined ? `\n;${key}` : `\n;${key}=${given}`;
  }
  return text;
}

/** By name. */
export const PARSERS: Readonly<Record<string, Parser>> = {
  "entity tag": {
    generate: (random) =>
      random.oneIn(2) ? random.pick(LOOKED_FOR) : strung(random, ["W/", '"', "a", "w/", " "], 6),
    ours: (input) => JSON.stringify(parseEntityTag(input)) ?? "malformed",
    theirs: (input) => JSON.stringify(oracle.entityTag(input)) ?? "malformed",
  },
  "entity tag list": {
    generate: (random) => tagField(random),
    ours: (input) => {
      let text = String(isWildcard(input));
      for (const tag of LOOKED_FOR) {
        text += `${matchesList(input, tag, true)}${matchesList(input, tag, false)}`;
      }
      someListedTag(input, true, (tag) => (text += tag, false));
      return text;
    },
    theirs: (input) => {
      let text = String(oracle.wildcard(input));
      for (const tag of LOOKED_FOR) {
        text += `${oracle.listed(input, tag, true)}${oracle.listed(input, tag, false)}`;
      }
      for (const { opaque } of oracle.entityTags(input)) text += `"${opaque}"`;
      return text;
    },
  },
  "http date": {
    generate: (random) => dateField(random, random.below(2 ** 32) - random.below(2 ** 30)),
    ours: (input) => String(parseHttpDate(input, NOW)),
    theirs: (input) => String(oracle.httpDate(input, NOW)),
  },
  "string list": {
    generate: stringListField,
    ours: (input) => itemsText(parseStringList(input)),
    theirs: (input) => itemsText(oracle.stringList(input)),
  },
  "cache groups": {
    generate: stringListField,
    ours: (input) => JSON.stringify(parseCacheGroups(input)) ?? "malformed",
    theirs: (input) => JSON.stringify(oracle.cacheGroups(input)) ?? "malformed",
  },
  "cache control": {
    generate: directiveField,
    ours: (input) => [...cacheDirectives(input)].sort().join("\n"),
    theirs: (input) => oracle.directives(input).join("\n"),
  },
  "vary": {
    generate: varyField,
    ours: (input) => String(varyFields(input)?.join("\n")),
    theirs: (input) => String(oracle.varied(input)?.join("\n")),
  },
};

/** Why an input is a finding; undefined where both agree. A throw of ours is one. */
export function disagreement(parser: Parser, input: string): string | undefined {
  let ours: string;
  try {
    ours = parser.ours(input);
  } catch (error) {
    return `threw ${error}`;
  }
  const theirs = parser.theirs(input);
  return ours === theirs ? undefined : `gave ${JSON.stringify(ours)}, the oracle ${JSON.stringify(theirs)}`;
}
