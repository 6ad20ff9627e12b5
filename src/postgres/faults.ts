/**
 * What a client throws, as a fault of the feed.
 *
 * @module
 */
import type { ChangesErrorCode } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";

/** SQLSTATEs (PostgreSQL documentation, appendix A), what they mean here, and what helps. */
const STATES: Readonly<Record<string, readonly [code: ChangesErrorCode, sentence: string]>> = {
  "28P01": ["unauthorized", "The server refuses the password"],
  "28000": ["unauthorized", "The server refuses the role"],
  "42501": ["forbidden", "The role lacks a privilege: give it to migration() as `role`"],
  "3D000": ["not-found", "The database does not exist"],
  "3F000": ["not-found", "The migration has not been run in this database: run `up` of migration()"],
  "42P01": ["not-found", "The migration has not been run in this database: run `up` of migration()"],
  "42883": [
    "not-found",
    "The migration has not been run in this database (run `up` of migration()), or the server lacks a function that it needs",
  ],
  "55000": ["bad-request", "The server is a standby, which cannot say what is running: follow the primary"],
  "25006": ["bad-request", "The server is a standby or read-only: follow the primary"],
};

/** The fault; the error of the client is its cause. */
export function faultOf(error: unknown): ChangesError {
  if (error instanceof ChangesError) return error;
  const state = sqlState(error);
  const [code, sentence] = state === undefined
    ? ["network", "The database did not answer"] as const
    : STATES[state] ?? ["server-error", `The server answered with the error ${state}`];
  return new ChangesError(code, sentence, { cause: error });
}

/** The SQLSTATE of an error, of one that it wraps, or undefined. */
function sqlState(error: unknown): string | undefined {
  for (let depth = 0, at = error; depth < 5 && typeof at === "object" && at !== null; depth++) {
    const { code, errno, fields, cause } = at as {
      readonly code?: unknown;
      readonly errno?: unknown;
      readonly fields?: { readonly code?: unknown };
      readonly cause?: unknown;
    };
    // `Bun.sql` has it in `errno`, `@db/postgres` in `fields`, the others in `code`.
    for (const state of [errno, fields?.code, code]) {
      if (typeof state === "string" && /^[0-9A-Z]{5}$/.test(state)) return state;
    }
    at = cause;
  }
  return undefined;
}
