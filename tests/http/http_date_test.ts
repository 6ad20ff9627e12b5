import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { formatHttpDate, parseHttpDate } from "../../src/http/http_date.ts";

const NOW = Date.UTC(2026, 10, 22, 12, 0, 0);
const EXAMPLE = Date.UTC(1994, 10, 6, 8, 49, 37) / 1000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const two = (n: number): string => String(n).padStart(2, "0");

/** The three forms of RFC 9110 §5.6.7, written independently of the code under test. */
function forms(date: Date): { imf: string; rfc850: string; asctime: string } {
  const day = DAYS[date.getUTCDay()] ?? "";
  const month = MONTHS[date.getUTCMonth()] ?? "";
  const year = date.getUTCFullYear();
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(":");
  const long = String(year).padStart(4, "0");
  return {
    imf: `${day.slice(0, 3)}, ${two(date.getUTCDate())} ${month} ${long} ${time} GMT`,
    rfc850: `${day}, ${two(date.getUTCDate())}-${month}-${two(year % 100)} ${time} GMT`,
    asctime: `${day.slice(0, 3)} ${month} ${String(date.getUTCDate()).padStart(2, " ")} ${time} ${long}`,
  };
}

const seconds = (from: string, to: string): fc.Arbitrary<number> =>
  fc.integer({ min: Date.parse(from) / 1000, max: Date.parse(to) / 1000 });

test("parseHttpDate: the three forms (RFC 9110 §5.6.7)", () => {
  assert.equal(parseHttpDate("Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE);
  assert.equal(parseHttpDate("Sunday, 06-Nov-94 08:49:37 GMT", NOW), EXAMPLE);
  assert.equal(parseHttpDate("Sun Nov  6 08:49:37 1994"), EXAMPLE);
  assert.equal(parseHttpDate("Sun Nov 06 08:49:37 1994"), EXAMPLE);
});

test("parseHttpDate: agrees with Date.UTC in every form", () => {
  fc.assert(fc.property(seconds("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), (time) => {
    const { imf, asctime } = forms(new Date(time * 1000));
    assert.equal(parseHttpDate(imf), time);
    assert.equal(parseHttpDate(asctime), time);
  }));
  fc.assert(fc.property(seconds("1976-11-22T12:00:01Z", "2076-11-22T12:00:00Z"), (time) => {
    assert.equal(parseHttpDate(forms(new Date(time * 1000)).rfc850, NOW), time);
  }));
});

test("parseHttpDate: a two-digit year more than 50 years ahead lies in the past (RFC 9110 §5.6.7)", () => {
  const rows: readonly (readonly [date: string, now: string, expected: string])[] = [
    ["Sunday, 22-Nov-76 12:00:00 GMT", "2026-11-22T12:00:00Z", "2076-11-22T12:00:00Z"],
    ["Monday, 22-Nov-76 12:00:01 GMT", "2026-11-22T12:00:00Z", "1976-11-22T12:00:01Z"],
    ["Tuesday, 01-Jan-77 00:00:00 GMT", "2026-11-22T12:00:00Z", "1977-01-01T00:00:00Z"],
    ["Sunday, 22-Nov-26 12:00:00 GMT", "2026-11-22T12:00:00Z", "2026-11-22T12:00:00Z"],
    ["Wednesday, 31-Dec-75 23:59:59 GMT", "2026-11-22T12:00:00Z", "2075-12-31T23:59:59Z"],
    ["Saturday, 01-Jan-00 00:00:00 GMT", "1999-12-31T00:00:00Z", "2000-01-01T00:00:00Z"],
    ["Friday, 01-Jan-99 00:00:00 GMT", "2000-01-01T00:00:00Z", "1999-01-01T00:00:00Z"],
    ["Thursday, 01-Jan-05 00:00:00 GMT", "2099-06-01T00:00:00Z", "2105-01-01T00:00:00Z"],
    ["Tuesday, 29-Feb-00 00:00:00 GMT", "2026-11-22T12:00:00Z", "2000-02-29T00:00:00Z"],
    ["Saturday, 29-Feb-76 00:00:00 GMT", "2026-11-22T12:00:00Z", "2076-02-29T00:00:00Z"],
    ["Thursday, 28-Feb-74 12:00:00 GMT", "2024-02-29T12:00:00Z", "2074-02-28T12:00:00Z"],
  ];
  for (const [date, now, expected] of rows) {
    assert.equal(parseHttpDate(date, Date.parse(now)), Date.parse(expected) / 1000, `${date} at ${now}`);
  }
});

test("parseHttpDate: a two-digit year never means more than 50 years ahead, nor 50 or more years ago", () => {
  const digits = fc.integer({ min: 0, max: 99 });
  fc.assert(fc.property(digits, seconds("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z"), (year, now) => {
    const value = `Monday, 15-Jun-${two(year)} 00:00:00 GMT`;
    const date = new Date((parseHttpDate(value, now * 1000) ?? NaN) * 1000);
    assert.equal(date.getUTCFullYear() % 100, year);
    const horizon = new Date(now * 1000);
    assert.ok(date.getTime() <= horizon.setUTCFullYear(horizon.getUTCFullYear() + 50));
    assert.ok(date.getTime() > horizon.setUTCFullYear(horizon.getUTCFullYear() - 100));
  }));
});

test("parseHttpDate: days that exist, and no others", () => {
  fc.assert(fc.property(
    fc.integer({ min: 0, max: 9999 }),
    fc.integer({ min: 0, max: 11 }),
    fc.integer({ min: 0, max: 39 }),
    (year, month, day) => {
      const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
      const days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month] ?? 0;
      const exists = day >= 1 && day <= days;
      const long = String(year).padStart(4, "0");
      const value = `Mon, ${two(day)} ${MONTHS[month]} ${long} 00:00:00 GMT`;
      const iso = `${long}-${two(month + 1)}-${two(day)}T00:00:00Z`;
      assert.equal(parseHttpDate(value), exists ? Date.parse(iso) / 1000 : undefined, value);
    },
  ));
});

test("parseHttpDate: a leap second is the second after (RFC 9110 §5.6.7)", () => {
  const after = Date.UTC(2017, 0, 1) / 1000;
  assert.equal(parseHttpDate("Sat, 31 Dec 2016 23:59:60 GMT"), after);
  assert.equal(parseHttpDate("Saturday, 31-Dec-16 23:59:60 GMT", NOW), after);
  assert.equal(parseHttpDate("Sat Dec 31 23:59:60 2016"), after);
});

test("parseHttpDate: a day name that is not that date's does not matter", () => {
  assert.equal(parseHttpDate("Mon, 06 Nov 1994 08:49:37 GMT"), EXAMPLE);
  assert.equal(parseHttpDate("Monday, 06-Nov-94 08:49:37 GMT", NOW), EXAMPLE);
});

test("parseHttpDate: nothing that the grammar does not allow", () => {
  const values = [
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 +0000",
    "Sun, 06 Nov 1994 08:49:37 gmt",
    "sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 nov 1994 08:49:37 GMT",
    " Sun, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sun, 06 Nov 1994 08:49:37 GMT\n",
    "Sun,  06 Nov 1994 08:49:37 GMT",
    "Sun,06 Nov 1994 08:49:37 GMT",
    "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 94 08:49:37 GMT",
    "Sun, 06-Nov-1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 8:49:37 GMT",
    "Sun, 06 Nov 1994 08:49 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT",
    "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 31 Nov 1994 08:49:37 GMT",
    "Sun, 29 Feb 1900 08:49:37 GMT",
    "Sun, 06 Foo 1994 08:49:37 GMT",
    "Foo, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06 Nov 1994 08:49:37 GMT",
    "06 Nov 1994 08:49:37 GMT",
    "Sun, 06-Nov-94 08:49:37 GMT",
    "Tuesday, 06-Nov-1994 08:49:37 GMT",
    "Tueday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov 6 08:49:37 1994",
    "Sun Nov  6 08:49:37 94",
    "Sun Nov  6 08:49:37 1994 GMT",
    "Sun, Nov  6 08:49:37 1994",
    "Sun Nov  0 08:49:37 1994",
    "1994-11-06T08:49:37Z",
    "784111777",
    "0",
    "Sun, 06 Nov \u0661\u0669\u0669\u0664 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
  ];
  for (const value of values) assert.equal(parseHttpDate(value, NOW), undefined, value);
});

test("parseHttpDate: whatever is sent, it answers", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), (value) => {
    assert.equal(parseHttpDate(value), undefined);
  }));
  for (const unit of ["Sun, ", " ", "0", "Sun, 06 Nov 1994 08:49:37 GMT"]) {
    assert.equal(parseHttpDate(unit.repeat(200_000)), undefined);
  }
});

test("formatHttpDate: IMF-fixdate (RFC 9110 §5.6.7), fractions cut off", () => {
  assert.equal(formatHttpDate(EXAMPLE), "Sun, 06 Nov 1994 08:49:37 GMT");
  assert.equal(formatHttpDate(EXAMPLE + 0.999), "Sun, 06 Nov 1994 08:49:37 GMT");
  assert.equal(formatHttpDate(new Date(EXAMPLE * 1000 + 999)), "Sun, 06 Nov 1994 08:49:37 GMT");
  assert.equal(formatHttpDate(new Date(-1)), "Wed, 31 Dec 1969 23:59:59 GMT");
  assert.equal(formatHttpDate(0), "Thu, 01 Jan 1970 00:00:00 GMT");
});

test("formatHttpDate: parseHttpDate reads it back", () => {
  fc.assert(fc.property(seconds("0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), (time) => {
    assert.equal(parseHttpDate(formatHttpDate(time)), time);
    assert.equal(formatHttpDate(new Date(time * 1000)), forms(new Date(time * 1000)).imf);
  }));
});

test("formatHttpDate: refuses what four digits cannot say, and names it", () => {
  const values = [NaN, Infinity, -Infinity, 253402300800, -62167219201, Date.now() * 1000];
  for (const value of values) {
    assert.throws(
      () => formatHttpDate(value),
      (error: unknown) => error instanceof RangeError && error.message.includes(String(value)),
    );
  }
  assert.throws(() => formatHttpDate(new Date(NaN)), /Invalid Date/);
});
