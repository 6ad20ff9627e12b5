/**
 * What a server with some deviations would answer. A disagreement is explained if the fewest deviations that a server
 * is known for give its answer.
 *
 * @module
 */
import { entityTag, entityTags, httpDate, wildcard } from "../support/oracle.ts";
import { type Deviation, KNOWN } from "./deviations.ts";
import type { Asked, Validators } from "./requests.ts";
import type { ServerName } from "./servers.ts";

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
  if (deviations.has("quotes paired throughout a member")) {
    return (list.match(/(?:"[^"]*(?:"|$)|[^",])+/g) ?? []).map((member) => member.trim());
  }
  if (!deviations.has("comma ends a tag") && !deviations.has("rest of a member not looked at")) {
    return wire(list);
  }
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
  const star = weak ? "* in a list of If-None-Match" : "* in a list of If-Match";
  if (deviations.has(star) && (/(^|,)[ \t]*\*/.test(value) || STAR_BEHIND_TAGS.test(value))) return true;
  const bare = (tag: string) => tag.replace(/^W\//, "");
  const list = !weak && deviations.has("weak member ends a strong list")
    ? value.replace(/W\/.*$/, "")
    : value;
  return members(list, deviations).some((member) => weak ? bare(member) === bare(etag) : member === etag);
}

/** How the modification may stand to a date field: its sign, several where the reading is anybody's guess. */
function compared(
  value: string | undefined,
  modified: number,
  deviations: With,
): readonly (number | undefined)[] {
  if (value === undefined) return [undefined];
  const date = httpDate(value, Date.now());
  if (date === undefined) return deviations.has("unreadable date read") ? [-1, 0, 1, undefined] : [undefined];
  if (deviations.has("future date refused") && date * 1000 > Date.now()) return [undefined, 1];
  const sign = Math.sign(modified - date);
  // Two digits for the year, the second after :59, and what is before the epoch are where readings differ.
  return deviations.has("legal date not read") && (/-\d\d |:60/.test(value) || date < 0)
    ? [sign, -1, 0, 1, undefined]
    : [sign];
}

function repeated({ lines }: Asked): boolean {
  return new Set(lines.map(([name]) => name)).size < lines.length;
}

/** Whether some member is no entity tag. */
function malformed(value: string): boolean {
  const legal = /^[ \t,]*(?:(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"[ \t]*(?:,[ \t,]*|$))*$/;
  return !wildcard(value) && !legal.test(value);
}

/** Whether a list names the tag: both, where that is anybody's guess; undefined where there is no such field. */
function named(
  value: string | undefined,
  etag: string,
  weak: boolean,
  deviations: With,
): readonly (boolean | undefined)[] {
  if (value === undefined) return [undefined];
  if (deviations.has("malformed list read in another way") && malformed(value)) return [true, false];
  return [names(value, etag, weak, deviations)];
}

/** Every status that a server with these deviations may answer. */
export function answers(
  asked: Asked,
  { etag, lastModified }: Validators,
  deviations: With,
): ReadonlySet<number> {
  const modified = httpDate(lastModified, Date.now())!;
  const read = (name: string) => field(asked, name, deviations);
  const ranged = read("range") !== undefined;
  const weakly = !(deviations.has("strong comparison beside Range") && ranged);
  const found = new Set<number>();
  for (const match of named(read("if-match"), etag, false, deviations)) {
    for (const unmodified of compared(read("if-unmodified-since"), modified, deviations)) {
      for (const none of named(read("if-none-match"), etag, weakly, deviations)) {
        for (const since of compared(read("if-modified-since"), modified, deviations)) {
          const heard = read("if-unmodified-since") !== undefined;
          found.add(statusOf({ match, unmodified, none, since, heard }, deviations));
        }
      }
    }
  }
  if (deviations.has("repeated field refused") && repeated(asked)) found.add(400);
  const conditional = ranged && read("if-range") !== undefined;
  if (deviations.has("If-Range before If-None-Match") && conditional && found.has(304)) found.add(200);
  if (deviations.has("range served") && found.has(200) && ranged) found.add(206).add(416);
  return found;
}

/** What the fields of a request say; undefined: absent, or to be ignored. */
interface Conditions {
  readonly match: boolean | undefined;
  readonly unmodified: number | undefined;
  readonly none: boolean | undefined;
  readonly since: number | undefined;
  /** Whether there is an If-Unmodified-Since, whatever it says. */
  readonly heard: boolean;
}

/** RFC 9110 §13.2.2, for GET and HEAD. */
function statusOf({ match, unmodified, none, since, heard }: Conditions, deviations: With): number {
  if (match === false) return 412;
  const heeded = match === undefined || deviations.has("unmodified beside If-Match");
  if (heeded && unmodified !== undefined && unmodified > 0) return 412;
  if (deviations.has("true condition ends the evaluation") && heard) return 200;
  const exactly = deviations.has("date compared as equal");
  const unchanged = since === undefined ? undefined : exactly ? since === 0 : since <= 0;
  if (none === undefined) return unchanged === true ? 304 : 200;
  if (!none) return 200;
  return deviations.has("modified beside If-None-Match") && unchanged === false ? 200 : 304;
}

/** The fewest known deviations, at most four, that explain what a server answered; undefined: nothing does. */
export function explain(
  server: ServerName,
  asked: Asked,
  validators: Validators,
  status: number,
): readonly Deviation[] | undefined {
  for (let size = 0; size <= 4; size++) {
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
