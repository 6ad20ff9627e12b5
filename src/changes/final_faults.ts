/**
 * Which faults of a source of one's own are final.
 *
 * @module
 */
import type { ChangesErrorCode } from "./change.ts";

/** Codes of faults that waiting does not mend. A source that is asked waits even for these once it has been read. */
export const FINAL: ReadonlySet<ChangesErrorCode> = /* @__PURE__ */ new Set<ChangesErrorCode>([
  "unauthorized",
  "forbidden",
  "not-found",
  "bad-request",
]);
