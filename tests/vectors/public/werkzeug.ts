/** Werkzeug: is_resource_modified, make_conditional, and its lists of tags and dates. */
import { im, ims, inm, type Lines } from "../row.ts";
import { GET, type PublicTable, says } from "./row.ts";

const AT_12_00 = "Tue, 01 Jan 2008 12:00:00 GMT";
const AT_12_30 = "Tue, 01 Jan 2008 12:30:00 GMT";
const AT_13_00 = "Tue, 01 Jan 2008 13:00:00 GMT";
const AT_13_30 = "Tue, 01 Jan 2008 13:30:00 GMT";
const AT_14_00 = "Tue, 01 Jan 2008 14:00:00 GMT";
const etag = (value: string): Lines => [["etag", value]];
const modified = (value: string): Lines => [["last-modified", value]];
const ranged = (ifRange: string): Lines => [["range", ""], ["if-range", ifRange]];
const CREATED = "Sun, 06 Nov 1994 08:49:37 GMT";
const unquoted = { ours: 200, why: "Unquoted tags" } as const;

/** The table. */
export const WERKZEUG: PublicTable = {
  project: "Werkzeug",
  source: "pallets/werkzeug tests/test_http.py, tests/test_wrappers.py",
  rows: [
    says("POST without a condition", "13.2.1", ["POST"], [], etag('"testing"'), 200),
    says("the tag, without quotes", "13.1.2", GET, inm("abc"), etag('"abc"'), 304, unquoted),
    says(
      "the same, modified before the date",
      "13.2.2",
      GET,
      [...inm("abc"), ...ims(AT_12_30)],
      [
        ...modified(AT_12_00),
      ],
      304,
      { ours: 200, why: "No validator and a date" },
    ),
    says("the same, modified after the date", "13.2.2", GET, [...inm("abc"), ...ims(AT_12_30)], [
      ...modified(AT_13_00),
    ], 200),
    says("If-Range without Range is ignored", "13.1.5", GET, [...ims(AT_12_30), ["if-range", '"x"']], [
      ...etag('"y"'),
      ...modified(AT_12_30),
    ], 304),
    says(
      "If-Range of the tag and If-Modified-Since",
      "13.1.5",
      GET,
      [...ims(AT_12_30), ...ranged('"x"')],
      etag('"x"'),
      304,
      {
        ours: 200,
        why: "Ranges are the handler's",
      },
    ),
    says("If-Range of another tag", "13.1.5", GET, [...ims(AT_12_30), ...ranged('"x"')], etag('"y"'), 200),
    says(
      "If-Range of an earlier date",
      "13.1.5",
      GET,
      [...ims(AT_12_30), ...ranged(AT_13_30)],
      modified(AT_14_00),
      200,
    ),
    says(
      "If-Range of the date",
      "13.1.5",
      GET,
      [...ims(AT_12_30), ...ranged(AT_13_30)],
      modified(AT_13_30),
      304,
      {
        ours: 200,
        why: "Ranges are the handler's",
      },
    ),
    says("If-Range ignored, modified later", "13.1.5", GET, [...ims(AT_12_30), ["if-range", AT_13_30]], [
      ...modified(AT_13_30),
    ], 200),
    says("make_conditional: 304", "13.1.2", GET, inm('"0a4d"'), [...etag('"0a4d"'), [
      "cache-control",
      "max-age=60",
    ]], 304),
    says("make_conditional: 412", "13.1.1", GET, im('"0a4dxyz"'), etag('"0a4d"'), 412),
    says("a list: first", "8.8.3", GET, inm('"foo", "bar", W/"baz", blar'), etag('"foo"'), 304),
    says("a list: second", "8.8.3", GET, inm('"foo", "bar", W/"baz", blar'), etag('"bar"'), 304),
    says(
      "a list: a weak member, strongly",
      "8.8.3.2",
      GET,
      im('"foo", "bar", W/"baz", blar'),
      etag('"baz"'),
      412,
    ),
    says(
      "a list: a weak member, weakly",
      "8.8.3.2",
      GET,
      inm('"foo", "bar", W/"baz", blar'),
      etag('"baz"'),
      304,
    ),
    says(
      "a list: a member without quotes",
      "8.8.3",
      GET,
      inm('"foo", "bar", W/"baz", blar'),
      etag('"blar"'),
      304,
      unquoted,
    ),
    says("a date with white space around it", "5.6.7", GET, ims(` ${CREATED}    `), modified(CREATED), 304),
    says("an rfc850-date", "5.6.7", GET, ims("Sunday, 06-Nov-94 08:49:37 GMT"), modified(CREATED), 304),
    says("an asctime-date", "5.6.7", GET, ims(" Sun Nov  6 08:49:37 1994"), modified(CREATED), 304),
    says("a word is no date", "5.6.7", GET, ims("foo"), modified(CREATED), 200),
    says(
      "the 33rd of January is no date",
      "5.6.7",
      GET,
      ims("Thu, 33 Jan 2070 00:00:00 GMT"),
      modified(CREATED),
      200,
    ),
  ],
};
