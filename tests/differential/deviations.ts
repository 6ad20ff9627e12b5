/**
 * In which ways servers deviate from RFC 9110 §13, each with the sentence that decides it, and what a server with some
 * of them would answer. A disagreement is explained if the fewest deviations that a server is known for give its answer.
 *
 * @module
 */
import { entityTag, entityTags, httpDate, wildcard } from "../support/oracle.ts";
import type { Asked, Validators } from "./requests.ts";
import type { ServerName } from "./servers.ts";

/** The deviations, each with what RFC 9110 says. */
export const DEVIATIONS = {
  "unmodified beside If-Match":
    "§13.1.4: A recipient MUST ignore the If-Unmodified-Since header field if the request contains an If-Match header field",
  "modified beside If-None-Match":
    "§13.1.3: A recipient MUST ignore If-Modified-Since if the request contains an If-None-Match header field",
  "date compared as equal":
    "§13.1.3: If the selected representation's last modification date is earlier or equal to the date provided in the field value, the condition is false",
  "future date refused":
    "§13.1.3: A recipient MUST ignore the If-Modified-Since header field if the received field value is not a valid HTTP-date (one in the future is valid)",
  "unreadable date read":
    "§13.1.3, §13.1.4: A recipient MUST ignore the field if the received field value is not a valid HTTP-date",
  "legal date not read": "§5.6.7: A recipient that parses a timestamp value in an HTTP field MUST accept all three HTTP-date formats",
  "comma ends a tag": "§8.8.3: etagc = %x21 / %x23-7E / obs-text, and so a comma may stand in a tag",
  "malformed member ends the list":
    "§5.6.1.2, §13.1.2: nothing says what a malformed member does; ours skips it, so that one bad member does not hide a good one",
  "rest of a member not looked at": "§8.8.3: entity-tag = [ weak ] opaque-tag; what goes on after it is none",
  "first line only":
    "§5.3: A recipient MAY combine multiple field lines within a field section that have the same field name into one field line, and for a list the lines mean that",
  "last line only": "§5.3, as for the first line only",
  "* in a list": '§13.1.1, §13.1.2: "*" / #entity-tag: the * is no member of a list',
  "weak member ends a strong list": "§13.1.1: the condition is true if any of the listed tags match",
  "strong comparison beside Range":
    "§13.1.2: A recipient MUST use the weak comparison function when comparing entity tags for If-None-Match",
  "empty field ignored": "§13.1.1: If the field value is a list of entity tags, the condition is false if none of the listed tags match",
  "range served": "§14.2: A server MAY ignore the Range header field; ours leaves it to the handler, and this one has none",
  "true condition ends the evaluation":
    "§13.2.2: when If-Unmodified-Since is true, continue to step 3: a matching If-None-Match still means 304",
  "If-Range before If-None-Match": "§13.2.2: If-Range is evaluated in step 5, If-None-Match in step 3",
  "repeated field refused": "§5.3: a list may come on several field lines, and its members are those of all",
} as const;

/** The name of one. */
export type Deviation = keyof typeof DEVIATIONS;

/** What each server is known for. A disagreement that needs another one is a finding, theirs or ours. */
export const KNOWN: Readonly<Record<ServerName, readonly Deviation[]>> = {
  "nginx": [
    "unmodified beside If-Match",
    "modified beside If-None-Match",
    "date compared as equal",
    "unreadable date read",
    "legal date not read",
    "comma ends a tag",
    "rest of a member not looked at",
    "first line only",
    "last line only",
    "malformed member ends the list",
    "empty field ignored",
    "* in a list",
    "range served",
    "repeated field refused",
  ],
  "Apache httpd": [
    "unmodified beside If-Match",
    "modified beside If-None-Match",
    "future date refused",
    "unreadable date read",
    "legal date not read",
    "comma ends a tag",
    "rest of a member not looked at",
    "malformed member ends the list",
    "first line only",
    "last line only",
    "empty field ignored",
    "* in a list",
    "true condition ends the evaluation",
    "If-Range before If-None-Match",
    "weak member ends a strong list",
    "strong comparison beside Range",
    "range served",
  ],
  "Go net/http": [
    "unreadable date read",
    "legal date not read",
    "malformed member ends the list",
    "rest of a member not looked at",
    "first line only",
    "* in a list",
    "empty field ignored",
    "range served",
  ],
};

type With = ReadonlySet<Deviation>;

function field({ lines }: Asked, name: string, deviations: With): string | undefined {
  const values = lines.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value);
  const value = deviations.has("first line only")
    ? values[0]
    : deviations.has("last line only")
    ? values.at(-1)
    : values.length === 0
    ? undefined
    : values.join(", ");
  return value === "" && deviations.has("empty field ignored") ? undefined : value;
}

/** The members as that server sees them, as wire strings. */
function members(value: string, deviations: With): readonly string[] {
  let list = value;
  if (deviations.has("malformed member ends the list")) list = legalStart(value);
  const wire = (text: string) => entityTags(text).map(({ weak, opaque }) => `${weak ? "W/" : ""}"${opaque}"`);
  if (!deviations.has("comma ends a tag") && !deviations.has("rest of a member not looked at")) return wire(list);
  const split = deviations.has("comma ends a tag") ? list.split(",") : list.match(/(?:W\/)?"[^"]*"/g) ?? [];
  return split.map((member) => member.trim()).map((member) =>
    deviations.has("rest of a member not looked at") ? /^(?:W\/)?"[^"]*"/.exec(member)?.[0] ?? member : member
  ).filter((member) => entityTag(member) !== undefined);
}

/** Up to the first member that is none. */
function legalStart(value: string): string {
  return /^(?:[ \t,]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*/.exec(value)?.[0] ?? "";
}

/** Tags that nothing separates, and a star. */
const STAR_BEHIND_TAGS = /^(?:[ \t,]*(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")*[ \t,]*\*/;

function names(value: string, etag: string, weak: boolean, deviations: With): boolean {
  if (wildcard(value)) return true;
  if (deviations.has("* in a list") && (/(^|,)[ \t]*\*/.test(value) || STAR_BEHIND_TAGS.test(value))) return true;
  const bare = (tag: string) => tag.replace(/^W\//, "");
  const list = !weak && deviations.has("weak member ends a strong list") ? value.replace(/W\/.*$/, "") : value;
  return members(list, deviations).some((member) => weak ? bare(member) === bare(etag) : member === etag);
}

/** How the modification may stand to a date field: its sign, several where the reading is anybody's guess. */
function compared(value: string | undefined, modified: number, deviations: With): readonly (number | undefined)[] {
  if (value === undefined) return [undefined];
  const date = httpDate(value, Date.now());
  if (date === undefined) return deviations.has("unreadable date read") ? [-1, 0, 1, undefined] : [undefined];
  if (deviations.has("future date refused") && date * 1000 > Date.now()) return [undefined, 1];
  const sign = Math.sign(modified - date);
  // Two digits for the year, and the second after :59, are where readings of a legal date differ.
  return deviations.has("legal date not read") && (/-\d\d /.test(value) || value.includes(":60"))
    ? [sign, -1, 0, 1, undefined]
    : [sign];
}

function repeated({ lines }: Asked): boolean {
  return new Set(lines.map(([name]) => name)).size < lines.length;
}

/** Every status that a server with these deviations may answer. */
export function answers(asked: Asked, { etag, lastModified }: Validators, deviations: With): ReadonlySet<number> {
  const modified = httpDate(lastModified, Date.now())!;
  const match = field(asked, "if-match", deviations);
  const none = field(asked, "if-none-match", deviations);
  const unmodifieds = compared(field(asked, "if-unmodified-since", deviations), modified, deviations);
  const sinces = compared(field(asked, "if-modified-since", deviations), modified, deviations);
  const ranged = field(asked, "range", deviations) !== undefined;
  const found = new Set<number>();
  for (const unmodified of unmodifieds) {
    for (const since of sinces) found.add(status(unmodified, since));
  }
  if (deviations.has("repeated field refused") && repeated(asked)) found.add(400);
  const conditional = ranged && field(asked, "if-range", deviations) !== undefined;
  if (deviations.has("If-Range before If-None-Match") && conditional && found.has(304)) found.add(200);
  if (deviations.has("range served") && found.has(200) && ranged) found.add(206).add(416);
  return found;

  function status(unmodified: number | undefined, since: number | undefined): number {
    if (match !== undefined && !names(match, etag, false, deviations)) return 412;
    const heeded = match === undefined || deviations.has("unmodified beside If-Match");
    if (heeded && unmodified !== undefined && unmodified > 0) return 412;
    const unchanged = since === undefined
      ? undefined
      : deviations.has("date compared as equal")
      ? since === 0
      : since <= 0;
    const heard = field(asked, "if-unmodified-since", deviations) !== undefined;
    if (deviations.has("true condition ends the evaluation") && heard) return 200;
    if (none === undefined) return unchanged === true ? 304 : 200;
    const strongly = deviations.has("strong comparison beside Range") && ranged;
    if (!names(none, etag, !strongly, deviations)) return 200;
    return deviations.has("modified beside If-None-Match") && unchanged === false ? 200 : 304;
  }
}

/** The fewest known deviations, at most three, that explain what a server answered; undefined: nothing does. */
export function explain(
  server: ServerName,
  asked: Asked,
  validators: Validators,
  status: number,
): readonly Deviation[] | undefined {
  for (let size = 0; size <= 3; size++) {
    for (const some of combinations(KNOWN[server], size)) {
      if (answers(asked, validators, new Set(some)).has(status)) return some;
    }
  }
  return undefined;
}

function* combinations<T>(values: readonly T[], size: number): Generator<readonly T[]> {
  if (size === 0) yield [];
  else {
    for (const [at, value] of values.entries()) {
      for (const rest of combinations(values.slice(at + 1), size - 1)) yield [value, ...rest];
    }
  }
}
