/** `If-Range` beside the preconditions (RFC 9110 §13.1.5); only a server of ranges evaluates it. */
import { BOTH, DATE, GO, ifRange, im, ims, inm, ius, OLDER, type PreconditionRow, rows } from "./row.ts";

/** The table. */
export const IF_RANGE: readonly PreconditionRow[] = rows("13.1.5", [
  ["If-Range with the tag is no precondition here", "GET", ifRange('"a"'), BOTH, GO, GO],
  ["If-Range with another tag", "GET", ifRange('"b"'), BOTH, GO, GO],
  ["If-Range with the date", "GET", ifRange(DATE), BOTH, GO, GO],
  ["If-None-Match before If-Range", "GET", [...inm('"a"'), ...ifRange('"a"')], BOTH, 304, 412],
  ["If-Match before If-Range", "GET", [...im('"b"'), ...ifRange('"a"')], BOTH, 412, 412],
  ["If-None-Match of another tag and If-Range", "GET", [...inm('"b"'), ...ifRange('"a"')], BOTH, GO, GO],
  ["If-Range with a weak tag", "GET", ifRange('W/"a"'), BOTH, GO, GO],
  ["If-Range with a date in the past", "GET", ifRange(OLDER), BOTH, GO, GO],
  ["If-Range with neither tag nor date", "GET", ifRange("a"), BOTH, GO, GO],
  ["If-Range without Range", "GET", [["if-range", '"a"']], BOTH, GO, GO],
  ["Range without If-Range", "GET", [["range", "bytes=0-1"]], BOTH, GO, GO],
  ["If-Range, HEAD", "HEAD", ifRange('"b"'), BOTH, GO, GO],
  ["If-Range, PUT", "PUT", ifRange('"b"'), BOTH, GO, GO],
  ["If-Range, nothing there", "GET", ifRange('"a"'), null, GO, GO],
  ["If-Match of the tag and If-Range of another", "GET", [...im('"a"'), ...ifRange('"b"')], BOTH, GO, GO],
  ["If-None-Match before If-Range of another", "GET", [...inm('"a"'), ...ifRange('"b"')], BOTH, 304, 412],
  ["If-None-Match * before If-Range", "HEAD", [...inm("*"), ...ifRange('"a"')], BOTH, 304, 412],
  ["If-Modified-Since true, If-Range", "GET", [...ims(OLDER), ...ifRange(DATE)], BOTH, GO, GO],
  ["If-Unmodified-Since true, If-Range", "GET", [...ius(DATE), ...ifRange(DATE)], BOTH, GO, GO],
  ["If-Unmodified-Since false, If-Range, PUT", "PUT", [...ius(OLDER), ...ifRange(DATE)], BOTH, 412, 412],
]);
