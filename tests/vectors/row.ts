/**
 * The shape of the tables in this folder, and the words they are written in. Pure data, for any implementation: a
 * runner serves a resource with the validators of a row, sends its request and compares.
 *
 * @module
 */

/** Field lines, in the order sent; a name may come twice. */
export type Lines = readonly (readonly [name: string, value: string])[];

/** What an evaluation of preconditions may say. */
export type Outcome = "proceed" | 304 | 412;

/** Validators of the current representation; null: there is none. */
export type Known = { readonly etag?: string; readonly lastModified?: string } | null;

/** A request with preconditions, and what they say of the current representation. */
export interface PreconditionRow {
  /** Of RFC 9110. */
  readonly section: string;
  readonly name: string;
  /** The method that the row is named for. */
  readonly method: string;
  readonly headers: Lines;
  readonly current: Known;
  /** For `method`. */
  readonly expected: Outcome;
  /** For GET and HEAD. */
  readonly read: Outcome;
  /** For PUT, PATCH, DELETE and POST. */
  readonly write: Outcome;
}

/** A request with preconditions, the answer that it would get without them, and the one it gets. */
export interface AnswerRow {
  /** Of RFC 9110. */
  readonly section: string;
  readonly name: string;
  readonly headers: Lines;
  /** What the handler answers, to any method. */
  readonly response: { readonly status: number; readonly headers: Lines };
  /** The status for GET and HEAD. */
  readonly read: number;
  /** The status for an unsafe method whose target has the validators of `response`, if that is a 2xx. */
  readonly write: number;
  /** Names of fields that the answer to GET and HEAD has byte for byte as the 200 has them. */
  readonly kept?: readonly string[];
  /** Names of fields that it must not have. */
  readonly dropped?: readonly string[];
  /** Why a registry has no entry for it, where it has none: then only the handler's answer can be evaluated. */
  readonly unregistered?: string;
}

/** A row without its section. `special`: what `method` gets, where that is neither `read` nor `write`. */
export type Row = readonly [
  name: string,
  method: string,
  headers: Lines,
  current: Known,
  read: Outcome,
  write: Outcome,
  special?: Outcome,
];

/** Rows of one section. */
export function rows(section: string, table: readonly Row[]): readonly PreconditionRow[] {
  return table.map(([name, method, headers, current, read, write, special]) => {
    const expected = special ?? (method === "GET" || method === "HEAD" ? read : write);
    return { section, name, method, headers, current, expected, read, write };
  });
}

const lines = (name: string) => (...values: readonly string[]): Lines => values.map((value) => [name, value]);

/** `If-Match`, a line for each value. */
export const im: (...values: readonly string[]) => Lines = lines("if-match");
/** `If-None-Match`. */
export const inm: (...values: readonly string[]) => Lines = lines("if-none-match");
/** `If-Unmodified-Since`. */
export const ius: (...values: readonly string[]) => Lines = lines("if-unmodified-since");
/** `If-Modified-Since`. */
export const ims: (...values: readonly string[]) => Lines = lines("if-modified-since");
/** A `Range`, and the `If-Range` it depends on. */
export const ifRange = (value: string): Lines => [["range", "bytes=0-1"], ["if-range", value]];

export const OLDER = "Sun, 06 Nov 1994 08:49:36 GMT";
export const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
export const NEWER = "Sun, 06 Nov 1994 08:49:38 GMT";
export const DATE_850 = "Sunday, 06-Nov-94 08:49:37 GMT";
export const DATE_ASCTIME = "Sun Nov  6 08:49:37 1994";
export const STRONG: Known = { etag: '"a"' };
export const WEAK: Known = { etag: 'W/"a"' };
export const DATED: Known = { lastModified: DATE };
export const BOTH: Known = { etag: '"a"', lastModified: DATE };
export const BARE: Known = {};
export const GO = "proceed";
