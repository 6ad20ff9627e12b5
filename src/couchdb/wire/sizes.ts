/**
 * The most that is read of a server that is broken or hostile.
 *
 * @module
 */
import { ChangesError } from "../../changes/changes_error.ts";

/** Bytes of an answer that is no error, without documents: 16 KiB for each of a thousand rows. */
const MOST = 16_777_216;

/** The same where rows hold documents, or where all rows come in one answer. */
const MOST_WITH_DOCUMENTS = 268_435_456;

/** Bytes of an answer that is an error: of more than that, the status alone counts. */
export const MOST_OF_AN_ERROR = 65_536;

/**
 * The most bytes of one page, and of one line of a live feed.
 *
 * @param documents Whether rows may hold documents, or more rows may come than were asked for at once.
 */
export function mostBytes(documents: boolean): number {
  return documents ? MOST_WITH_DOCUMENTS : MOST;
}

/** The fault of an answer or a line that is longer. */
export function tooLarge(what: string, most: number): ChangesError {
  return new ChangesError("too-large", `${what} is longer than ${most / 1_048_576} MiB`);
}
