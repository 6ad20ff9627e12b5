/**
 * Structured Fields, as far as HTTP Cache Groups needs them: a List of Strings with Parameters (RFC 9651 §3.1,
 * §3.1.2, §3.3.3), nothing more.
 *
 * @module
 */
import { skipOws } from "./white_space.ts";

const SPACE = 0x20;
const DQUOTE = 0x22;
const COMMA = 0x2c;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/** A member: a String with its Parameters (RFC 9651 §3.1.2, §3.3.3). */
export interface StringItem {
  /** Without quotes and escapes. */
  readonly value: string;
  /** By key, the last of equal keys; undefined where the value is not a String. */
  readonly parameters: ReadonlyMap<string, string | undefined>;
}

/** Where the parser stands. */
interface Cursor {
  readonly text: string;
  at: number;
}

const NO_PARAMETERS: ReadonlyMap<string, undefined> = new Map();
const KEY = /[a-z*][a-z0-9_.*-]*/y;

/**
 * Every Bare Item but the String: Integer or Decimal, Token, Byte Sequence, Boolean, Date, Display String (§3.3). What
 * is too long for a number is matched in part; then what follows is no separator, and the list fails there.
 */
const OTHER_BARE_ITEM = /* @__PURE__ */ new RegExp(
  /* @__PURE__ */ [
    "-?(?:[0-9]{1,12}\\.[0-9]{1,3}|[0-9]{1,15})",
    "[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*",
    ":[A-Za-z0-9+/]*={0,2}:",
    "\\?[01]",
    "@-?[0-9]{1,15}",
    '%"[\\x20\\x21\\x23-\\x7e]*"',
  ].join("|"),
  "y",
);

function peek(cursor: Cursor): number {
  return cursor.text.charCodeAt(cursor.at);
}

function accept(cursor: Cursor, code: number): boolean {
  if (peek(cursor) !== code) return false;
  cursor.at++;
  return true;
}

function skipSpaces(cursor: Cursor): void {
  while (peek(cursor) === SPACE) cursor.at++;
}

function take(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const found = pattern.exec(cursor.text)?.[0];
  if (found !== undefined) cursor.at += found.length;
  return found;
}

/** RFC 9651 §4.2.5. */
function parseString(cursor: Cursor): string | undefined {
  if (!accept(cursor, DQUOTE)) return undefined;
  const { text } = cursor;
  let value = "";
  let from = cursor.at;
  for (let code = peek(cursor); code !== DQUOTE; code = peek(cursor)) {
    // Past the end the code is NaN, which is in no range.
    if (!(code >= 0x20 && code <= 0x7e)) return undefined;
    if (code === BACKSLASH) {
      value += text.slice(from, cursor.at);
      from = ++cursor.at;
      if (peek(cursor) !== DQUOTE && peek(cursor) !== BACKSLASH) return undefined;
    }
    cursor.at++;
  }
  return value + text.slice(from, cursor.at++);
}

/** RFC 9651 §4.2.10: escapes are `%` and two lower-case digits, and together they must be UTF-8. */
function isDisplayString(item: string): boolean {
  if (/%(?![0-9a-f]{2})/.test(item.slice(1))) return false;
  try {
    decodeURIComponent(item.slice(1));
    return true;
  } catch {
    return false;
  }
}

function skipOtherBareItem(cursor: Cursor): boolean {
  const item = take(cursor, OTHER_BARE_ITEM);
  return item !== undefined && (!item.startsWith("%") || isDisplayString(item));
}

/** RFC 9651 §4.2.3.2. */
function parseParameters(cursor: Cursor): ReadonlyMap<string, string | undefined> | undefined {
  if (peek(cursor) !== SEMICOLON) return NO_PARAMETERS;
  const parameters = new Map<string, string | undefined>();
  while (accept(cursor, SEMICOLON)) {
    skipSpaces(cursor);
    const key = take(cursor, KEY);
    if (key === undefined) return undefined;
    let value: string | undefined;
    if (accept(cursor, EQUALS)) {
      if (peek(cursor) === DQUOTE) {
        value = parseString(cursor);
        if (value === undefined) return undefined;
      } else if (!skipOtherBareItem(cursor)) return undefined;
    }
    parameters.set(key, value);
  }
  return parameters;
}

/**
 * Parses a List whose members are all Strings (RFC 9651 §4.2.1), in linear time.
 *
 * A list that is malformed anywhere is malformed altogether, as is one with a member of another type: §4.2 has the
 * whole field ignored. Parameters may have values of any type.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseStringList } from "./structured_field_list.ts";
 *
 * const list = parseStringList('"post-1";rev="2-abc", "posts"');
 * assert.deepEqual(list?.map((item) => item.value), ["post-1", "posts"]);
 * assert.equal(list?.[0]?.parameters.get("rev"), "2-abc");
 * assert.equal(parseStringList('"post-1", posts'), undefined);
 * ```
 *
 * @param field The field value, several lines joined by `, `.
 * @returns The members, none for an empty value; undefined where the field is to be ignored.
 */
export function parseStringList(field: string): readonly StringItem[] | undefined {
  const items: StringItem[] = [];
  const cursor: Cursor = { text: field, at: 0 };
  skipSpaces(cursor);
  if (cursor.at === field.length) return items;
  for (;;) {
    const value = parseString(cursor);
    if (value === undefined) return undefined;
    const parameters = parseParameters(cursor);
    if (parameters === undefined) return undefined;
    items.push({ value, parameters });
    cursor.at = skipOws(field, cursor.at);
    if (cursor.at === field.length) return items;
    if (!accept(cursor, COMMA)) return undefined;
    // After a trailing comma no String follows, and the list fails, as §4.2.1 says it must.
    cursor.at = skipOws(field, cursor.at);
  }
}
