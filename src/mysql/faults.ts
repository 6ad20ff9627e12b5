/**
 * What a client throws, as a fault of the feed.
 *
 * @module
 */
import type { ChangesErrorCode } from "../changes/change.ts";
import { ChangesError } from "../changes/changes_error.ts";

const LACKS = "The account lacks a privilege: give it to migration() as `role`";
const DEFINER =
  "The account that has run the migration lacks a privilege, such as PROCESS, or is gone: run the migration as another";
const MISSING = "The migration has not been run in this database: run each statement in `up` of migration()";
const READ_ONLY = "The server is read-only, as a replica is: follow the primary";

/** Numbers of errors (MariaDB documentation, "MariaDB Error Codes"), what they mean here, and what helps. */
const ERRORS: Readonly<Record<number, readonly [code: ChangesErrorCode, sentence: string]>> = {
  1044: ["forbidden", "The account may not use the database"],
  1045: ["unauthorized", "The server refuses the account or its password"],
  1046: ["not-found", "The client is connected to no database"],
  1049: ["not-found", "The database does not exist"],
  1064: ["bad-request", "The server does not understand the statement: MariaDB 10.11 or newer is needed"],
  1142: ["forbidden", LACKS],
  1143: ["forbidden", LACKS],
  1146: ["not-found", MISSING],
  1193: [
    "bad-request",
    "The server lacks a variable that is needed: MariaDB 10.11 or newer is needed, and no MySQL",
  ],
  1227: ["forbidden", DEFINER],
  1290: ["bad-request", READ_ONLY],
  1305: ["not-found", MISSING],
  1356: ["forbidden", DEFINER],
  1370: ["forbidden", LACKS],
  1449: ["forbidden", DEFINER],
  1698: ["unauthorized", "The server refuses the account or its password"],
  1836: ["bad-request", READ_ONLY],
};

/** The fault; the error of the client is its cause. */
export function faultOf(error: unknown): ChangesError {
  if (error instanceof ChangesError) return error;
  const number = errorNumber(error);
  const [code, sentence] = number === undefined
    ? ["network", "The database did not answer"] as const
    : ERRORS[number] ?? ["server-error", `The server answered with the error ${number}`];
  return new ChangesError(code, sentence, { cause: error });
}

/** The number of an error of the server, of one that it wraps, or undefined. Numbers below 1000 are of the system. */
function errorNumber(error: unknown): number | undefined {
  for (let depth = 0, at = error; depth < 5 && typeof at === "object" && at !== null; depth++) {
    const { errno, cause } = at as { readonly errno?: unknown; readonly cause?: unknown };
    if (typeof errno === "number" && errno >= 1000 && errno < 5000) return errno;
    at = cause;
  }
  return undefined;
}
