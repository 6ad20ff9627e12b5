/**
 * What the RFCs say, told a second time: with regular expressions and `split`, slowly, one sentence after the other,
 * and without a line of `src`. Two readings that agree on millions of inputs are hardly wrong in the same way.
 *
 * @module
 */

const trimOws = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** RFC 9110 §8.8.3: `entity-tag = [ weak ] opaque-tag`. */
const ENTITY_TAG = /^(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"$/;

/** A tag in two parts, or undefined. */
export function entityTag(wire: string): { weak: boolean; opaque: string } | undefined {
  const [, weak, opaque] = ENTITY_TAG.exec(wire) ?? [];
  return opaque === undefined ? undefined : { weak: weak !== undefined, opaque };
}

/**
 * The legal members of a list of tags (RFC 9110 §5.6.1, §8.8.3). A comma between quotes separates nothing; what begins
 * with a quote that nothing closes reaches to the end.
 */
export function entityTags(field: string): { weak: boolean; opaque: string }[] {
  const members = field.match(/[ \t]*(?:W\/)?"[^"]*(?:"[^,]*|$)|[^,]+/g) ?? [];
  return members.map((member) => entityTag(trimOws(member))).filter((tag) => tag !== undefined);
}

/** RFC 9110 §13.1.1: `If-Match = "*" / #entity-tag`. */
export function wildcard(field: string): boolean {
  return trimOws(field) === "*";
}

/** RFC 9110 §8.8.3.2, over a list. */
export function listed(field: string, etag: string, weak: boolean): boolean {
  const wanted = entityTag(etag);
  return wanted !== undefined &&
    entityTags(field).some((one) => one.opaque === wanted.opaque && (weak || (!one.weak && !wanted.weak)));
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const DAYS = "Sun Mon Tue Wed Thu Fri Sat".split(" ");
const LONG_DAYS = "Sunday Monday Tuesday Wednesday Thursday Friday Saturday".split(" ");
const two = (n: number | string, fill = "0"): string => String(n).padStart(2, fill);

function utc(year: number, month: number, day: number, time: readonly number[]): Date {
  const date = new Date(Date.UTC(2000, 0, 1, ...time as [number, number, number]));
  date.setUTCFullYear(year, month, day);
  return date;
}

/** RFC 9110 §5.6.7: taken apart by its separators, and right if writing it again gives the same. */
export function httpDate(value: string, now: number): number | undefined {
  // A leap second is the one after :59.
  const leap = /:60(?= )/.test(value);
  const text = value.replace(/:60(?= )/, ":59");
  const parts = text.split(/[ ,:-]+/);
  const [name = ""] = parts;
  const asctime = !text.includes(",");
  const [, a = "", b = "", c = "", d = "", e = "", f = ""] = parts;
  const [day, month, year, ...time] = asctime ? [b, a, f, c, d, e] : [a, b, c, d, e, f];
  const at = MONTHS.indexOf(month ?? "");
  const numbers = time.map(Number);
  let full = Number(year);
  const obsolete = text.includes("-");
  if (obsolete) {
    // "the most recent year in the past that had the same last two digits", if it is over 50 years ahead.
    const limit = new Date(now);
    limit.setUTCFullYear(limit.getUTCFullYear() + 50);
    full += Math.floor(limit.getUTCFullYear() / 100) * 100;
    while (utc(full, at, Number(day), numbers).getTime() + (leap ? 1000 : 0) > limit.getTime()) full -= 100;
  }
  const date = utc(full, at, Number(day), numbers);
  if (at < 0 || Number.isNaN(date.getTime()) || full > 9999) return undefined;
  const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map((n) => two(n)).join(":");
  const [dd, mm, yyyy] = [
    date.getUTCDate(),
    MONTHS[date.getUTCMonth()] ?? "",
    String(full).padStart(4, "0"),
  ];
  const again = obsolete
    ? `${name}, ${two(dd)}-${mm}-${yyyy.slice(2)} ${clock} GMT`
    : asctime
    ? `${name} ${mm} ${two(dd, text.includes(`${mm} 0`) ? "0" : " ")} ${clock} ${yyyy}`
    : `${name}, ${two(dd)} ${mm} ${yyyy} ${clock} GMT`;
  if (again !== text || !(obsolete ? LONG_DAYS : DAYS).includes(name)) return undefined;
  return date.getTime() / 1000 + (leap ? 1 : 0);
}

const STRING = `"(?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\["\\\\])*"`;
const DISPLAY = `%"(?:[\\x20\\x21\\x23\\x24\\x26-\\x7e]|%[0-9a-f]{2})*"`;
const OTHERS = [
  "-?(?:[0-9]{1,12}\\.[0-9]{1,3}|[0-9]{1,15})",
  "[A-Za-z*][!#$%&'*+.^_`|~:/0-9A-Za-z-]*",
  ":[A-Za-z0-9+/]*={0,2}:",
  "\\?[01]",
  "@-?[0-9]{1,15}",
];
const PARAMETER = `; *([a-z*][a-z0-9_.*-]*)(?:=(${[STRING, DISPLAY, ...OTHERS].join("|")}))?`;
const ITEM = `(${STRING})((?:${PARAMETER.replace(/\((?!\?)/g, "(?:")})*)`;
const LIST = new RegExp(
  `^ *(?:${`${ITEM}(?:[ \\t]*,[ \\t]*${ITEM})*`.replace(/\((?!\?)/g, "(?:")}[ \\t]*)?$`,
);

const unquote = (text: string): string => text.slice(1, -1).replace(/\\(.)/g, "$1");

function isUtf8(display: string): boolean {
  try {
    decodeURIComponent(display.slice(2, -1));
    return true;
  } catch {
    return false;
  }
}

/** RFC 9651 §3.1 for Strings: values, and parameters by key, undefined where their value is no String. */
export function stringList(
  field: string,
): { value: string; parameters: Map<string, string | undefined> }[] | undefined {
  if (!LIST.test(field)) return undefined;
  const items = [];
  for (const [, value = "", tail = ""] of field.matchAll(new RegExp(ITEM, "g"))) {
    const parameters = new Map<string, string | undefined>();
    for (const [, key = "", given] of tail.matchAll(new RegExp(PARAMETER, "g"))) {
      if (given?.startsWith("%") && !isUtf8(given)) return undefined;
      parameters.set(key, given?.startsWith('"') ? unquote(given) : undefined);
    }
    items.push({ value: unquote(value), parameters });
  }
  return items;
}

/** RFC 9875: a List of Strings, each a percent-encoded name. */
export function cacheGroups(field: string): string[] | undefined {
  const items = stringList(field);
  if (!items?.length) return undefined;
  try {
    const names = items.map(({ value }) => decodeURIComponent(value));
    return names.includes("") ? undefined : names;
  } catch {
    return undefined;
  }
}

/** RFC 9111 §5.2: names in lower case; a comma in a quoted argument separates nothing. */
export function directives(field: string): string[] {
  const members = field.match(/(?:[^",]|"(?:[^"\\]|\\[^])*(?:"|\\?$))+/g) ?? [];
  const names = members.map((member) => trimOws(member.replace(/=[^]*/, "")).toLowerCase());
  return [...new Set(names.filter((name) => name !== ""))].sort();
}

/** RFC 9110 §12.5.5; what is no field name (§5.6.2) names nothing that a request can have. */
export function varied(field: string): string[] | undefined {
  const names = field.toLowerCase().split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (names.some((name) => !/^[\w!#$%&'*+.^`|~-]+$/.test(name))) return undefined;
  return [...new Set(names)].sort();
}

/** What is known of the current representation. */
export interface Current {
  /** Most have one or none; a write may be meant for any tag of a revision. */
  readonly etags: readonly string[];
  readonly lastModified?: string | undefined;
}

/** RFC 9110 §13.2.2, step by step. `fields` have lower-case names; `null`: nothing is there. */
export function preconditions(
  method: string,
  fields: ReadonlyMap<string, string>,
  current: Current | null,
  now: number,
): "proceed" | 304 | 412 {
  if (["CONNECT", "OPTIONS", "TRACE"].includes(method)) return "proceed";
  const reads = ["GET", "HEAD", "QUERY"].includes(method);
  const dateOf = (value: string | undefined) => value === undefined ? undefined : httpDate(value, now);
  const modified = dateOf(current?.lastModified);
  const names = (field: string, weak: boolean) =>
    wildcard(field) || current?.etags.some((etag) => listed(field, etag, weak)) === true;
  const [match, none] = [fields.get("if-match"), fields.get("if-none-match")];
  const [unmodified, since] = [
    dateOf(fields.get("if-unmodified-since")),
    dateOf(fields.get("if-modified-since")),
  ];
  // 1. and 2.
  if (match !== undefined) {
    if (current === null || !names(match, false)) return 412;
  } else if (unmodified !== undefined && modified !== undefined && modified > unmodified) return 412;
  // 3. and 4.
  if (none !== undefined) {
    if (current !== null && names(none, true)) return reads ? 304 : 412;
  } else if (reads && since !== undefined && modified !== undefined && modified <= since) return 304;
  // 5. is of whoever serves ranges; 6.
  return "proceed";
}
