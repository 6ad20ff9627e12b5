/** `If-Unmodified-Since` (RFC 9110 §13.1.4). */
import {
  DATE,
  DATE_850,
  DATE_ASCTIME,
  DATED,
  GO,
  ius,
  NEWER,
  OLDER,
  type PreconditionRow,
  rows,
  STRONG,
} from "./row.ts";

/** The table. */
export const IF_UNMODIFIED_SINCE: readonly PreconditionRow[] = rows("13.1.4", [
  ["modified later", "PUT", ius(OLDER), DATED, 412, 412],
  ["modified then", "PUT", ius(DATE), DATED, GO, GO],
  ["modified before", "PUT", ius(NEWER), DATED, GO, GO],
  ["modified later, PATCH", "PATCH", ius(OLDER), DATED, 412, 412],
  ["modified later, DELETE", "DELETE", ius(OLDER), DATED, 412, 412],
  ["modified later, POST", "POST", ius(OLDER), DATED, 412, 412],
  ["modified later, GET", "GET", ius(OLDER), DATED, 412, 412],
  ["modified later, HEAD", "HEAD", ius(OLDER), DATED, 412, 412],
  ["modified then, GET", "GET", ius(DATE), DATED, GO, GO],
  ["rfc850-date", "PUT", ius(DATE_850), DATED, GO, GO],
  ["asctime-date", "PUT", ius(DATE_ASCTIME), DATED, GO, GO],
  ["ignored without a date to compare", "PUT", ius(OLDER), STRONG, GO, GO],
  ["ignored without a representation", "PUT", ius(OLDER), null, GO, GO],
  ["ignored: two dates", "PUT", ius(OLDER, OLDER), DATED, GO, GO],
  ["ignored: no HTTP-date", "PUT", ius("1994-11-05"), DATED, GO, GO],
  ["ignored: empty", "PUT", ius(""), DATED, GO, GO],
  ["ignored: an unreadable current date", "PUT", ius(OLDER), { lastModified: "then" }, GO, GO],
]);
