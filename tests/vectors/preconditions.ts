/**
 * What RFC 9110 §13 says about preconditions, as a table. Pure data, for any implementation: whoever runs it serves a
 * resource with these validators and compares.
 *
 * @module
 */

/** One case. */
export interface PreconditionRow {
  /** Of RFC 9110. */
  readonly section: string;
  readonly name: string;
  readonly method: string;
  /** Field lines, in the order sent; a name may come twice. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Validators of the current representation; null: there is none. */
  readonly current: { readonly etag?: string; readonly lastModified?: string } | null;
  readonly expected: "proceed" | 304 | 412;
}

type Lines = PreconditionRow["headers"];
type Row = readonly [
  name: string,
  method: string,
  headers: Lines,
  current: PreconditionRow["current"],
  expected: PreconditionRow["expected"],
];

const im = (...values: readonly string[]): Lines => values.map((value) => ["if-match", value]);
const inm = (...values: readonly string[]): Lines => values.map((value) => ["if-none-match", value]);
const ius = (...values: readonly string[]): Lines => values.map((value) => ["if-unmodified-since", value]);
const ims = (...values: readonly string[]): Lines => values.map((value) => ["if-modified-since", value]);
const ifRange = (value: string): Lines => [["range", "bytes=0-1"], ["if-range", value]];

const OLDER = "Sun, 06 Nov 1994 08:49:36 GMT";
const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const NEWER = "Sun, 06 Nov 1994 08:49:38 GMT";
const DATE_850 = "Sunday, 06-Nov-94 08:49:37 GMT";
const DATE_ASCTIME = "Sun Nov  6 08:49:37 1994";
const STRONG = { etag: '"a"' };
const WEAK = { etag: 'W/"a"' };
const DATED = { lastModified: DATE };
const BOTH = { etag: '"a"', lastModified: DATE };
const BARE = {};
const GO = "proceed";

function rows(section: string, table: readonly Row[]): readonly PreconditionRow[] {
  return table.map(([name, method, headers, current, expected]) => (
    { section, name, method, headers, current, expected }
  ));
}

/** The table. */
export const PRECONDITIONS: readonly PreconditionRow[] = [
  ...rows("13.1.1", [
    ["* with a representation", "PUT", im("*"), STRONG, GO],
    ["* with a weak tag", "PUT", im("*"), WEAK, GO],
    ["* with a date alone", "PUT", im("*"), DATED, GO],
    ["* without validators", "PUT", im("*"), BARE, GO],
    ["* without a representation", "PUT", im("*"), null, 412],
    ["* without a representation, DELETE", "DELETE", im("*"), null, 412],
    ["* in white space", "PUT", im(" * "), STRONG, GO],
    ["* before a tag is no * form", "PUT", im('*, "b"'), STRONG, 412],
    ["* before the tag is skipped", "PUT", im('*, "a"'), STRONG, GO],
    ["* on two lines is no * form", "PUT", im("*", "*"), STRONG, 412],
    ["the tag", "PUT", im('"a"'), STRONG, GO],
    ["the tag, PATCH", "PATCH", im('"a"'), STRONG, GO],
    ["the tag, DELETE", "DELETE", im('"a"'), STRONG, GO],
    ["the tag, POST", "POST", im('"a"'), STRONG, GO],
    ["the tag, GET", "GET", im('"a"'), STRONG, GO],
    ["another tag", "PUT", im('"b"'), STRONG, 412],
    ["another tag, PATCH", "PATCH", im('"b"'), STRONG, 412],
    ["another tag, DELETE", "DELETE", im('"b"'), STRONG, 412],
    ["another tag, POST", "POST", im('"b"'), STRONG, 412],
    ["another tag, GET", "GET", im('"b"'), STRONG, 412],
    ["another tag, HEAD", "HEAD", im('"b"'), STRONG, 412],
    ["opaque parts are compared by case", "PUT", im('"A"'), STRONG, 412],
    ["a prefix of the tag", "PUT", im('"a"'), { etag: '"ab"' }, 412],
    ["a tag of which the tag is a prefix", "PUT", im('"ab"'), STRONG, 412],
    ["strong comparison: the field's is weak", "PUT", im('W/"a"'), STRONG, 412],
    ["strong comparison: the current is weak", "PUT", im('"a"'), WEAK, 412],
    ["strong comparison: both are weak", "PUT", im('W/"a"'), WEAK, 412],
    ["weak and strong in a list", "PUT", im('W/"a", "a"'), STRONG, GO],
    ["first of a list", "PUT", im('"a", "b", "c"'), STRONG, GO],
    ["middle of a list", "PUT", im('"b", "a", "c"'), STRONG, GO],
    ["last of a list", "PUT", im('"b", "c", "a"'), STRONG, GO],
    ["not in a list", "PUT", im('"b", "c", "d"'), STRONG, 412],
    ["second of two lines", "PUT", im('"b"', '"a"'), STRONG, GO],
    ["a list, no tag to compare", "PUT", im('"a"'), DATED, 412],
    ["a list, no validators", "PUT", im('"a"'), BARE, 412],
    ["a list, no representation", "PUT", im('"a"'), null, 412],
    ["the empty tag", "PUT", im('""'), { etag: '""' }, GO],
    ["the empty tag is not any tag", "PUT", im('""'), STRONG, 412],
    ["an unquoted tag is malformed", "PUT", im("a"), STRONG, 412],
    ["only malformed members", "PUT", im('a, "a, W/b'), STRONG, 412],
    ["nothing but commas", "PUT", im(",,,"), STRONG, 412],
    ["a malformed member before the tag", "PUT", im('b, "a"'), STRONG, GO],
    ["a malformed member after the tag", "PUT", im('"a", b'), STRONG, GO],
    ["a malformed current tag is absent", "PUT", im('"a"'), { etag: "a" }, 412],
    ["a malformed current tag, field alike", "PUT", im("a"), { etag: "a" }, 412],
    ["* with a malformed current tag", "PUT", im("*"), { etag: "a" }, GO],
  ]),
  ...rows("13.1.2", [
    ["* with a representation, GET", "GET", inm("*"), STRONG, 304],
    ["* with a representation, HEAD", "HEAD", inm("*"), STRONG, 304],
    ["* with a representation, PUT", "PUT", inm("*"), STRONG, 412],
    ["* with a weak tag", "GET", inm("*"), WEAK, 304],
    ["* with a date alone", "GET", inm("*"), DATED, 304],
    ["* without validators", "PUT", inm("*"), BARE, 412],
    ["* without a representation, PUT", "PUT", inm("*"), null, GO],
    ["* without a representation, GET", "GET", inm("*"), null, GO],
    ["* before a tag is no * form", "PUT", inm('*, "b"'), STRONG, GO],
    ["* on two lines is no * form", "PUT", inm("*", "*"), STRONG, GO],
    ["the tag, GET", "GET", inm('"a"'), STRONG, 304],
    ["the tag, HEAD", "HEAD", inm('"a"'), STRONG, 304],
    ["the tag, PUT", "PUT", inm('"a"'), STRONG, 412],
    ["the tag, PATCH", "PATCH", inm('"a"'), STRONG, 412],
    ["the tag, DELETE", "DELETE", inm('"a"'), STRONG, 412],
    ["the tag, POST", "POST", inm('"a"'), STRONG, 412],
    ["the tag, QUERY: safe, but no 304", "QUERY", inm('"a"'), STRONG, 412],
    ["another tag, GET", "GET", inm('"b"'), STRONG, GO],
    ["another tag, HEAD", "HEAD", inm('"b"'), STRONG, GO],
    ["another tag, PUT", "PUT", inm('"b"'), STRONG, GO],
    ["another tag, QUERY", "QUERY", inm('"b"'), STRONG, GO],
    ["opaque parts are compared by case", "GET", inm('"A"'), STRONG, GO],
    ["a prefix of the tag", "GET", inm('"a"'), { etag: '"ab"' }, GO],
    ["a tag of which the tag is a prefix", "GET", inm('"ab"'), STRONG, GO],
    ["weak comparison: the field's is weak", "GET", inm('W/"a"'), STRONG, 304],
    ["weak comparison: the current is weak", "GET", inm('"a"'), WEAK, 304],
    ["weak comparison: both are weak", "GET", inm('W/"a"'), WEAK, 304],
    ["weak comparison: other opaque part", "GET", inm('W/"b"'), WEAK, GO],
    ["weak comparison, PUT", "PUT", inm('W/"a"'), STRONG, 412],
    ["first of a list", "GET", inm('"a", "b", "c"'), STRONG, 304],
    ["middle of a list", "GET", inm('"b", W/"a", "c"'), STRONG, 304],
    ["last of a list", "GET", inm('"b", "c", "a"'), STRONG, 304],
    ["not in a list", "GET", inm('"b", "c", "d"'), STRONG, GO],
    ["second of two lines", "GET", inm('"b"', '"a"'), STRONG, 304],
    ["a list, no tag to compare", "GET", inm('"a"'), DATED, GO],
    ["a list, no validators", "GET", inm('"a"'), BARE, GO],
    ["a list, no representation", "GET", inm('"a"'), null, GO],
    ["a list, no representation, PUT", "PUT", inm('"a"'), null, GO],
    ["only malformed members, GET", "GET", inm('a, "a, W/b'), STRONG, GO],
    ["only malformed members, PUT", "PUT", inm('a, "a, W/b'), STRONG, GO],
    ["a malformed current tag is absent", "GET", inm("a"), { etag: "a" }, GO],
    ["* with a malformed current tag", "GET", inm("*"), { etag: "a" }, 304],
  ]),
  ...rows("8.8.3", [
    ["w/ in lower case is malformed", "GET", inm('w/"a"'), STRONG, GO],
    ["W without a slash is malformed", "GET", inm('W"a"'), STRONG, GO],
    ["W/ twice is malformed", "GET", inm('W/W/"a"'), STRONG, GO],
    ["white space after W/ is malformed", "GET", inm('W/ "a"'), STRONG, GO],
    ["single quotes are malformed", "GET", inm("'a'"), STRONG, GO],
    ["white space in a tag is malformed", "GET", inm('"a b"'), { etag: '"a b"' }, GO],
    ["an unterminated tag is malformed", "GET", inm('"a'), STRONG, GO],
    ["an unopened tag is malformed", "GET", inm('a"'), STRONG, GO],
    ["a backslash escapes nothing", "GET", inm('"\\"'), { etag: '"\\"' }, 304],
    ["a backslash is a character", "GET", inm('"\\a"'), STRONG, GO],
    ["a comma in the tag", "GET", inm('"a,b"'), { etag: '"a,b"' }, 304],
    ["a comma in another tag", "GET", inm('"x,y", "a"'), STRONG, 304],
    ["a comma and the tag inside another", "GET", inm('"x,a,y"'), STRONG, GO],
    ["a tag that is a comma is no separator", "GET", inm('"x","y"'), { etag: '","' }, GO],
    ["a tag that is a comma", "GET", inm('"x",",","y"'), { etag: '","' }, 304],
    ["a tag that is an asterisk", "GET", inm('"*"'), { etag: '"*"' }, 304],
    ["a tag that is an asterisk is no *", "GET", inm('"*"'), STRONG, GO],
    ["%x21", "GET", inm('"!"'), { etag: '"!"' }, 304],
    ["%x7E", "GET", inm('"~"'), { etag: '"~"' }, 304],
    ["obs-text", "GET", inm('"\xe9\x80\xff"'), { etag: '"\xe9\x80\xff"' }, 304],
    ["percent signs mean nothing", "GET", inm('"%61"'), STRONG, GO],
  ]),
  ...rows("5.6.1", [
    ["no white space after a comma", "GET", inm('"b","a"'), STRONG, 304],
    ["tabs around a comma", "GET", inm('"b"\t,\t"a"'), STRONG, 304],
    ["white space before a comma", "GET", inm('"a"  , "b"'), STRONG, 304],
    ["empty members first", "GET", inm(', ,"a"'), STRONG, 304],
    ["empty members between", "GET", inm('"b", , ,"a"'), STRONG, 304],
    ["empty members last", "GET", inm('"a", ,'), STRONG, 304],
    ["nothing but empty members, GET", "GET", inm(" , ,"), STRONG, GO],
    ["two tags without a comma", "GET", inm('"a" "b"'), STRONG, GO],
    ["garbage after the tag", "GET", inm('"a"b'), STRONG, GO],
    ["garbage after a tag, then the tag", "GET", inm('"b"c, "a"'), STRONG, 304],
    ["a malformed member before the tag", "GET", inm('b, "a"'), STRONG, 304],
    ["a malformed tag with a comma, then the tag", "GET", inm('"b c, d", "a"'), STRONG, 304],
    ["the tag within a malformed tag", "GET", inm('"b c,"a",d'), STRONG, GO],
    ["a stray quote before a comma", "GET", inm('b", "a"'), STRONG, 304],
    ["parameters are not of this grammar", "GET", inm('"a";q=1'), STRONG, GO],
    ["semicolons do not separate", "GET", inm('"b"; "a"'), STRONG, GO],
  ]),
  ...rows("13.1.3", [
    ["modified later", "GET", ims(OLDER), DATED, GO],
    ["modified then, GET", "GET", ims(DATE), DATED, 304],
    ["modified then, HEAD", "HEAD", ims(DATE), DATED, 304],
    ["modified before", "GET", ims(NEWER), DATED, 304],
    ["modified later, HEAD", "HEAD", ims(OLDER), DATED, GO],
    ["rfc850-date", "GET", ims(DATE_850), DATED, 304],
    ["asctime-date", "GET", ims(DATE_ASCTIME), DATED, 304],
    ["current in rfc850-date", "GET", ims(DATE), { lastModified: DATE_850 }, 304],
    ["current in asctime-date", "GET", ims(OLDER), { lastModified: DATE_ASCTIME }, GO],
    ["a date in the future", "GET", ims("Fri, 31 Dec 9999 23:59:59 GMT"), DATED, 304],
    ["ignored for PUT", "PUT", ims(DATE), DATED, GO],
    ["ignored for POST", "POST", ims(DATE), DATED, GO],
    ["ignored for DELETE", "DELETE", ims(DATE), DATED, GO],
    ["ignored for PATCH", "PATCH", ims(DATE), DATED, GO],
    ["ignored for QUERY", "QUERY", ims(DATE), DATED, GO],
    ["ignored without a date to compare", "GET", ims(DATE), STRONG, GO],
    ["ignored without validators", "GET", ims(DATE), BARE, GO],
    ["ignored without a representation", "GET", ims(DATE), null, GO],
    ["ignored: two dates", "GET", ims(DATE, DATE), DATED, GO],
    ["ignored: ISO 8601", "GET", ims("1994-11-06T08:49:37Z"), DATED, GO],
    ["ignored: seconds", "GET", ims("784111777"), DATED, GO],
    ["ignored: another zone", "GET", ims("Sun, 06 Nov 1994 08:49:37 UTC"), DATED, GO],
    ["ignored: no such day", "GET", ims("Thu, 31 Feb 2095 08:49:37 GMT"), DATED, GO],
    ["ignored: no such hour", "GET", ims("Sun, 06 Nov 2095 24:00:00 GMT"), DATED, GO],
    ["ignored: other case", "GET", ims("sun, 06 nov 1994 08:49:37 gmt"), DATED, GO],
    ["ignored: length after a semicolon", "GET", ims(`${DATE}; length=3`), DATED, GO],
    ["ignored: empty", "GET", ims(""), DATED, GO],
    ["ignored: an entity tag", "GET", ims('"a"'), BOTH, GO],
    ["ignored: an unreadable current date", "GET", ims(DATE), { lastModified: "then" }, GO],
  ]),
  ...rows("13.1.4", [
    ["modified later", "PUT", ius(OLDER), DATED, 412],
    ["modified then", "PUT", ius(DATE), DATED, GO],
    ["modified before", "PUT", ius(NEWER), DATED, GO],
    ["modified later, PATCH", "PATCH", ius(OLDER), DATED, 412],
    ["modified later, DELETE", "DELETE", ius(OLDER), DATED, 412],
    ["modified later, POST", "POST", ius(OLDER), DATED, 412],
    ["modified later, GET", "GET", ius(OLDER), DATED, 412],
    ["modified later, HEAD", "HEAD", ius(OLDER), DATED, 412],
    ["modified then, GET", "GET", ius(DATE), DATED, GO],
    ["rfc850-date", "PUT", ius(DATE_850), DATED, GO],
    ["asctime-date", "PUT", ius(DATE_ASCTIME), DATED, GO],
    ["ignored without a date to compare", "PUT", ius(OLDER), STRONG, GO],
    ["ignored without a representation", "PUT", ius(OLDER), null, GO],
    ["ignored: two dates", "PUT", ius(OLDER, OLDER), DATED, GO],
    ["ignored: no HTTP-date", "PUT", ius("1994-11-05"), DATED, GO],
    ["ignored: empty", "PUT", ius(""), DATED, GO],
    ["ignored: an unreadable current date", "PUT", ius(OLDER), { lastModified: "then" }, GO],
  ]),
  ...rows("13.1.5", [
    ["If-Range with the tag is no precondition here", "GET", ifRange('"a"'), BOTH, GO],
    ["If-Range with another tag", "GET", ifRange('"b"'), BOTH, GO],
    ["If-Range with the date", "GET", ifRange(DATE), BOTH, GO],
    ["If-None-Match before If-Range", "GET", [...inm('"a"'), ...ifRange('"a"')], BOTH, 304],
    ["If-Match before If-Range", "GET", [...im('"b"'), ...ifRange('"a"')], BOTH, 412],
    ["If-None-Match of another tag and If-Range", "GET", [...inm('"b"'), ...ifRange('"a"')], BOTH, GO],
  ]),
  ...rows("13.2.1", [
    ["no preconditions, GET", "GET", [], BOTH, GO],
    ["no preconditions, PUT", "PUT", [], BOTH, GO],
    ["no preconditions, nothing there", "GET", [], null, GO],
    ["OPTIONS ignores If-Match", "OPTIONS", im('"b"'), BOTH, GO],
    ["OPTIONS ignores If-None-Match", "OPTIONS", inm('"a"'), BOTH, GO],
    ["OPTIONS ignores If-Unmodified-Since", "OPTIONS", ius(OLDER), BOTH, GO],
    ["OPTIONS ignores If-Modified-Since", "OPTIONS", ims(DATE), BOTH, GO],
    ["TRACE ignores If-Match", "TRACE", im('"b"'), BOTH, GO],
    ["TRACE ignores If-None-Match", "TRACE", inm("*"), BOTH, GO],
    ["CONNECT ignores If-Match", "CONNECT", im("*"), null, GO],
    ["CONNECT ignores If-None-Match", "CONNECT", inm('"a"'), BOTH, GO],
  ]),
  ...rows("13.2.2", [
    ["If-Match true: unmodified ignored", "PUT", [...im('"a"'), ...ius(OLDER)], BOTH, GO],
    ["If-Match false: unmodified ignored", "PUT", [...im('"b"'), ...ius(NEWER)], BOTH, 412],
    ["If-Match malformed: still present", "PUT", [...im("a"), ...ius(NEWER)], BOTH, 412],
    ["If-Match *: unmodified ignored", "PUT", [...im("*"), ...ius(OLDER)], BOTH, GO],
    ["none-match false: modified ignored", "GET", [...inm('"a"'), ...ims(OLDER)], BOTH, 304],
    ["none-match true: modified ignored", "GET", [...inm('"b"'), ...ims(DATE)], BOTH, GO],
    ["both say unchanged", "GET", [...inm('"a"'), ...ims(DATE)], BOTH, 304],
    ["both say changed", "GET", [...inm('"b"'), ...ims(OLDER)], BOTH, GO],
    ["If-None-Match malformed: still present", "GET", [...inm("a"), ...ims(DATE)], BOTH, GO],
    ["If-None-Match of commas: still present", "GET", [...inm(","), ...ims(DATE)], BOTH, GO],
    ["If-None-Match, no tag: still present", "GET", [...inm('"a"'), ...ims(DATE)], DATED, GO],
    ["If-None-Match *, nothing there", "GET", [...inm("*"), ...ims(DATE)], null, GO],
    ["If-Match true, If-None-Match false, GET", "GET", [...im('"a"'), ...inm('"a"')], BOTH, 304],
    ["If-Match true, If-None-Match false, PUT", "PUT", [...im('"a"'), ...inm('"a"')], BOTH, 412],
    ["If-Match true, If-None-Match true", "GET", [...im('"a"'), ...inm('"b"')], BOTH, GO],
    ["If-Match false, If-None-Match false", "GET", [...im('"b"'), ...inm('"a"')], BOTH, 412],
    ["If-Match false, If-None-Match true", "GET", [...im('"b"'), ...inm('"b"')], BOTH, 412],
    ["If-Match *, If-None-Match *: there", "PUT", [...im("*"), ...inm("*")], BOTH, 412],
    ["If-Match *, If-None-Match *: not there", "PUT", [...im("*"), ...inm("*")], null, 412],
    ["If-Match true, If-Modified-Since false", "GET", [...im('"a"'), ...ims(DATE)], BOTH, 304],
    ["If-Match true, If-Modified-Since true", "GET", [...im('"a"'), ...ims(OLDER)], BOTH, GO],
    ["If-Match false, If-Modified-Since false", "GET", [...im('"b"'), ...ims(DATE)], BOTH, 412],
    ["If-Match true, If-Modified-Since, PUT", "PUT", [...im('"a"'), ...ims(DATE)], BOTH, GO],
    ["unmodified true, none-match false", "GET", [...ius(DATE), ...inm('"a"')], BOTH, 304],
    ["the same, PUT", "PUT", [...ius(DATE), ...inm('"a"')], BOTH, 412],
    ["unmodified false, none-match false", "GET", [...ius(OLDER), ...inm('"a"')], BOTH, 412],
    ["unmodified true, none-match true", "PUT", [...ius(DATE), ...inm("*")], null, GO],
    ["If-Unmodified-Since malformed, If-None-Match", "GET", [...ius("x"), ...inm('"a"')], BOTH, 304],
    ["both dates, equal", "GET", [...ius(DATE), ...ims(DATE)], BOTH, 304],
    ["both dates, a window", "GET", [...ius(NEWER), ...ims(OLDER)], BOTH, GO],
    ["both dates, modified after the window", "GET", [...ius(OLDER), ...ims(OLDER)], BOTH, 412],
    ["all fields, proceed", "GET", [...im("*"), ...ius(NEWER), ...inm('"b"'), ...ims(OLDER)], BOTH, GO],
    ["all fields, tag known", "GET", [...im("*"), ...ius(OLDER), ...inm('"a"'), ...ims(OLDER)], BOTH, 304],
    ["all fields, tag lost", "GET", [...im('"b"'), ...ius(NEWER), ...inm('"a"'), ...ims(DATE)], BOTH, 412],
  ]),
];
