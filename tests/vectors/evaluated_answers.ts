/**
 * Which answers preconditions are evaluated for (RFC 9110 §13.2.1: "a server MUST ignore all received preconditions if
 * its response to the same request without those conditions, prior to processing the request content, would have been
 * a status code other than a 2xx (Successful) or 412"), and what becomes of ranges (§13.1.5).
 *
 * @module
 */
import { type AnswerRow, DATE, ifRange, im, ims, inm, ius, type Lines, NEWER, OLDER } from "./row.ts";

const VALIDATORS: Lines = [["etag", '"a"'], ["last-modified", DATE]];

/** Ignored: whatever would be answered is. */
function ignored(name: string, status: number, headers: Lines, more: Lines = []): AnswerRow {
  return {
    section: "13.2.1",
    name,
    headers,
    response: { status, headers: [...VALIDATORS, ...more] },
    read: status,
    write: status,
    unregistered: "only a 200 is registered",
  };
}

/** Evaluated: a 2xx. */
function heeded(name: string, status: number, headers: Lines, read: number, write: number): AnswerRow {
  return {
    section: "13.2.1",
    name,
    headers,
    response: { status, headers: VALIDATORS },
    read,
    write,
    ...(status === 200 ? {} : { unregistered: "only a 200 is registered" }),
  };
}

const ALL: Lines = [...im('"b"'), ...inm('"a"'), ...ius(OLDER), ...ims(DATE)];

const OTHER_THAN_2XX: readonly AnswerRow[] = [
  ignored("301, all fields false", 301, ALL, [["location", "/"]]),
  ignored("302, If-None-Match of the tag", 302, inm('"a"'), [["location", "/"]]),
  ignored("303, If-Match of another tag", 303, im('"b"'), [["location", "/"]]),
  ignored("304 of the handler's own", 304, im('"b"')),
  ignored("307, If-Modified-Since", 307, ims(DATE), [["location", "/"]]),
  ignored("400, all fields false", 400, ALL),
  ignored("401, If-None-Match *", 401, inm("*"), [["www-authenticate", "Basic"]]),
  ignored("403, If-None-Match of the tag", 403, inm('"a"')),
  ignored("403, If-Match *", 403, im("*")),
  ignored("404, If-Match *", 404, im("*")),
  ignored("404, If-None-Match of its tag", 404, inm('"a"')),
  ignored("405, If-Unmodified-Since", 405, ius(OLDER), [["allow", "GET"]]),
  ignored("409, If-Match of another tag", 409, im('"b"')),
  ignored("410, If-Modified-Since", 410, ims(NEWER)),
  ignored("412 of the handler's own", 412, inm('"a"')),
  ignored("429, all fields false", 429, ALL),
  ignored("500, If-None-Match of the tag", 500, inm('"a"')),
  ignored("503, If-None-Match and If-Modified-Since", 503, [...inm('"a"'), ...ims(DATE)]),
];

const SUCCESSFUL: readonly AnswerRow[] = [
  heeded("200, If-None-Match of the tag", 200, inm('"a"'), 304, 412),
  heeded("200, If-Match of another tag", 200, im('"b"'), 412, 412),
  heeded("201, If-None-Match of the tag", 201, inm('"a"'), 304, 412),
  heeded("202, If-Match of another tag", 202, im('"b"'), 412, 412),
  heeded("203, If-Modified-Since", 203, ims(DATE), 304, 203),
  heeded("204, If-None-Match *", 204, inm("*"), 304, 412),
  heeded("204, If-Unmodified-Since", 204, ius(OLDER), 412, 412),
  heeded("226, If-Match of the tag", 226, im('"a"'), 226, 226),
];

/** Ranges come last (§13.2.2, §14.2): a 206 or 416 is what is left where each precondition is true. */
function ranged(name: string, status: number, headers: Lines, read: number, write: number): AnswerRow {
  const range = status === 206 ? "bytes 0-1/4" : "bytes */4";
  return {
    section: "13.1.5",
    name,
    headers,
    response: { status, headers: [...VALIDATORS, ["content-range", range]] },
    read,
    write,
    dropped: read === 304 ? ["content-range"] : [],
    unregistered: "only a 200 is registered",
  };
}

const OF_RANGES: readonly AnswerRow[] = [
  ranged("206 to If-Range with the tag", 206, ifRange('"a"'), 206, 206),
  ranged("206 to If-Range with the date", 206, ifRange(DATE), 206, 206),
  ranged("206, If-None-Match of the tag", 206, [...inm('"a"'), ...ifRange('"a"')], 304, 412),
  ranged("206, If-None-Match of another tag", 206, [...inm('"b"'), ...ifRange('"a"')], 206, 206),
  ranged("206, If-Match of another tag", 206, [...im('"b"'), ...ifRange('"a"')], 412, 412),
  ranged("206, If-Modified-Since", 206, [...ims(DATE), ...ifRange(DATE)], 304, 206),
  ranged("416 to If-Range with the tag", 416, ifRange('"a"'), 416, 416),
  ranged("416, If-None-Match of the tag", 416, [...inm('"a"'), ...ifRange('"a"')], 304, 416),
  ranged("416, If-None-Match of another tag", 416, [...inm('"b"'), ...ifRange('"a"')], 416, 416),
  ranged("416, If-Match of another tag", 416, [...im('"b"'), ...ifRange('"a"')], 412, 416),
];

/** The table. */
export const EVALUATED_ANSWERS: readonly AnswerRow[] = [...OTHER_THAN_2XX, ...SUCCESSFUL, ...OF_RANGES];
