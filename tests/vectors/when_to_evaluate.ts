/** When preconditions are evaluated, by method (RFC 9110 §13.2.1). */
import { BOTH, DATE, GO, im, ims, inm, ius, OLDER, type PreconditionRow, rows } from "./row.ts";

/** The table. */
export const WHEN_TO_EVALUATE: readonly PreconditionRow[] = rows("13.2.1", [
  ["no preconditions, GET", "GET", [], BOTH, GO, GO],
  ["no preconditions, PUT", "PUT", [], BOTH, GO, GO],
  ["no preconditions, nothing there", "GET", [], null, GO, GO],
  ["OPTIONS ignores If-Match", "OPTIONS", im('"b"'), BOTH, 412, 412, GO],
  ["OPTIONS ignores If-None-Match", "OPTIONS", inm('"a"'), BOTH, 304, 412, GO],
  ["OPTIONS ignores If-Unmodified-Since", "OPTIONS", ius(OLDER), BOTH, 412, 412, GO],
  ["OPTIONS ignores If-Modified-Since", "OPTIONS", ims(DATE), BOTH, 304, GO, GO],
  ["TRACE ignores If-Match", "TRACE", im('"b"'), BOTH, 412, 412, GO],
  ["TRACE ignores If-None-Match", "TRACE", inm("*"), BOTH, 304, 412, GO],
  ["CONNECT ignores If-Match", "CONNECT", im("*"), null, 412, 412, GO],
  ["CONNECT ignores If-None-Match", "CONNECT", inm('"a"'), BOTH, 304, 412, GO],
  ["no preconditions, HEAD", "HEAD", [], BOTH, GO, GO],
  ["no preconditions, DELETE, nothing there", "DELETE", [], null, GO, GO],
  ["an unknown method evaluates If-Match", "MKCOL", im('"b"'), BOTH, 412, 412],
  ["an unknown method evaluates If-None-Match", "MKCOL", inm("*"), BOTH, 304, 412],
  ["an unknown method ignores If-Modified-Since", "MKCOL", ims(DATE), BOTH, 304, GO],
  ["methods are compared by case", "options", im('"b"'), BOTH, 412, 412],
]);
