/**
 * HTTP dates (RFC 9110 §5.6.7), to and from whole seconds since the epoch.
 *
 * @module
 */

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MONTH = /* @__PURE__ */ (() => `(?<month>${MONTHS.join("|")})`)();
const DAY_NAME = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
const LONG_DAY_NAME = "(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day";
const TIME = "(?<hour>[01][0-9]|2[0-3]):(?<minute>[0-5][0-9]):(?<second>[0-5][0-9]|60)";

/** The three forms; none matches a value longer than `LONGEST`. */
const IMF_FIXDATE =
  /* @__PURE__ */ (() =>
    new RegExp(`^${DAY_NAME}, (?<day>[0-9]{2}) ${MONTH} (?<year>[0-9]{4}) ${TIME} GMT$`))();
const RFC850_DATE =
  /* @__PURE__ */ (() =>
    new RegExp(`^${LONG_DAY_NAME}, (?<day>[0-9]{2})-${MONTH}-(?<year>[0-9]{2}) ${TIME} GMT$`))();
const ASCTIME_DATE =
  /* @__PURE__ */ (() =>
    new RegExp(`^${DAY_NAME} ${MONTH} (?<day>[0-9]{2}| [0-9]) ${TIME} (?<year>[0-9]{4})$`))();
const LONGEST = "Wednesday, 06-Nov-94 08:49:37 GMT".length;

/** 9999-12-31T23:59:59Z: the last second that four digits can name. */
const LAST_SECOND = 253402300799;
/** 0000-01-01T00:00:00Z. */
const FIRST_SECOND = -62167219200;

type Fields = { readonly [name: string]: string | undefined };

/** Midnight of the date in that year; a day that the month does not have runs over into the next. */
function midnight(fields: Fields, year: number): Date {
  // Date.UTC() would take the years 0 to 99 for 1900 to 1999.
  const date = new Date(0);
  date.setUTCFullYear(year, MONTHS.indexOf(fields["month"] ?? ""), Number(fields["day"]));
  return date;
}

function secondsIn(fields: Fields, year: number): number {
  const time = Number(fields["hour"]) * 3600 + Number(fields["minute"]) * 60 + Number(fields["second"]);
  return midnight(fields, year).getTime() / 1000 + time;
}

/** The latest year with these two last digits in which the date is not more than 50 years ahead of `now`. */
function fourDigitYear(fields: Fields, now: number): number {
  const limit = new Date(now);
  const latest = limit.getUTCFullYear() + 50;
  limit.setUTCFullYear(latest);
  let year = latest - latest % 100 + Number(fields["year"]);
  while (secondsIn(fields, year) * 1000 > limit.getTime()) year -= 100;
  return year;
}

/**
 * Parses an HTTP-date, strictly, in any of its three forms (RFC 9110 §5.6.7).
 *
 * Case and white space count, the day must exist in its month, and `:60` is the second after `:59`, as a leap second
 * is in POSIX time. The day name must be one, but not that date's: clients send back what an origin wrote, and the
 * rest names the day already. A two-digit year more than 50 years ahead lies in the past.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseHttpDate } from "./http_date.ts";
 *
 * assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), 784111777);
 * assert.equal(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT"), 784111777);
 * assert.equal(parseHttpDate("Sun Nov  6 08:49:37 1994"), 784111777);
 * assert.equal(parseHttpDate("1994-11-06T08:49:37Z"), undefined);
 * ```
 *
 * @param value The field value.
 * @param now The current time in milliseconds since the epoch, for two-digit years; default `Date.now()`.
 * @returns Seconds since the epoch, or undefined where it is no HTTP-date.
 */
export function parseHttpDate(value: string, now: number = Date.now()): number | undefined {
  if (value.length > LONGEST) return undefined;
  const fields = (IMF_FIXDATE.exec(value) ?? RFC850_DATE.exec(value) ?? ASCTIME_DATE.exec(value))?.groups;
  if (fields === undefined) return undefined;
  const year = fields["year"]?.length === 2 ? fourDigitYear(fields, now) : Number(fields["year"]);
  if (midnight(fields, year).getUTCDate() !== Number(fields["day"])) return undefined;
  return secondsIn(fields, year);
}

/**
 * Writes an HTTP-date in the one form that may be sent, IMF-fixdate (RFC 9110 §5.6.7).
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { formatHttpDate } from "./http_date.ts";
 *
 * assert.equal(formatHttpDate(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
 * assert.equal(formatHttpDate(new Date(784111777999)), "Sun, 06 Nov 1994 08:49:37 GMT");
 * ```
 *
 * @param time Seconds since the epoch, or a Date; a fraction of a second is cut off.
 * @returns The date.
 * @throws {RangeError} Where it is no time, or its year has not four digits.
 */
export function formatHttpDate(time: number | Date): string {
  const seconds = Math.floor(typeof time === "number" ? time : time.getTime() / 1000);
  if (!(seconds >= FIRST_SECOND && seconds <= LAST_SECOND)) {
    throw new RangeError(`An HTTP-date cannot express ${typeof time === "number" ? time : String(time)}`);
  }
  return new Date(seconds * 1000).toUTCString();
}
