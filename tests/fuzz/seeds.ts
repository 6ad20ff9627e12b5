/**
 * What fuzzing has found, made small, and kept: every row failed once.
 *
 * @module
 */
import type { WrapperCase } from "./wrapper.ts";

/** An input that a parser and the oracle once disagreed about. */
export interface ParserSeed {
  /** Its name in `PARSERS`. */
  readonly parser: string;
  readonly input: string;
  /** What was wrong. */
  readonly found: string;
}

/** All of them. */
export const PARSER_SEEDS: readonly ParserSeed[] = [
  {
    parser: "entity tag list",
    input: '""\xa0',
    found: "obs-text after a tag was trimmed as white space, and the tag legal",
  },
  { parser: "entity tag list", input: '"" ,\xa0""', found: "the same in a second member" },
  {
    parser: "cache control",
    input: "public\xa0",
    found: "obs-text was trimmed as white space, and the response public",
  },
  { parser: "cache control", input: '0,="\\', found: "a directive without a name" },
  { parser: "vary", input: "a b", found: "a name that is none, for which Headers throws" },
  { parser: "vary", input: "É", found: "the same" },
];

/** A case in which the wrapper and the oracle once disagreed. */
export interface WrapperSeed {
  readonly played: WrapperCase;
  readonly found: string;
}

/** All of them. */
export const WRAPPER_SEEDS: readonly WrapperSeed[] = [
  {
    played: {
      page: { status: 200, declares: "name", etag: '"a"', cookie: true },
      history: "suspended",
      method: "GET",
      fields: [["if-none-match", ""], ["if-none-match", " * "]],
      current: "undefined",
    },
    found: "an empty field line before a * is joined differently by one platform; the oracle had not known",
  },
  {
    played: {
      page: { status: 200, declares: "revision", vary: "a b", cacheControl: "public" },
      history: "primed",
      method: "GET",
      fields: [["if-none-match", '"$"']],
      current: "undefined",
    },
    found: "a Vary that names no field made Headers throw, for every request",
  },
  {
    played: {
      page: { status: 200, declares: "revision", lastModified: " Monday, 07-Nov-94 08:49:37 GMT" },
      history: "primed",
      method: "GET",
      fields: [["if-unmodified-since", "Sun Nov  6 08:49:37 1994"]],
      current: "null",
    },
    found:
      "a date with white space before it is a date; the oracle had not known that the platform takes it off",
  },
  {
    played: {
      page: { status: 200, declares: "revision", lastModified: " Sun Nov  6 08:49:39 1994" },
      history: "primed",
      method: "PUT",
      fields: [["if-unmodified-since", "Sunday, 06-Nov-94 08:49:37 GMT"]],
      current: "page",
    },
    found: "a date with white space before it was none where current() gave it: the write went through",
  },
];
