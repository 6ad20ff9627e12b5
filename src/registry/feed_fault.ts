/**
 * What a feed has met, as it may be shown: the message of an error may hold a credential.
 *
 * @module
 */
import { ChangesError } from "../changes/changes_error.ts";

/** The last fault of a feed. */
export interface FeedFault {
  /** A sentence without a secret. */
  readonly what: string;
  /** ms since the epoch. */
  readonly at: number;
  /** How many attempts have failed in a row, this one included. */
  readonly attempts: number;
  /** Whether it has ended the feed. */
  readonly isFinal: boolean;
}

/** How deep in its causes the code of an error is looked for. */
const MOST_CAUSES = 5;

/** Codes of the system and of runtimes, such as `ECONNREFUSED`, `EAI_AGAIN` and `UND_ERR_SOCKET`. */
const SYSTEM_CODE = /^(?:E[A-Z0-9]{2,20}|[A-Z]+(?:_[A-Z0-9]+){1,6})$/;

/** Of a fault that is not of this package only the name and the code of the system are shown. */
export function shownFault(error: unknown): string {
  const code = systemCode(error);
  if (error instanceof ChangesError) {
    const said = `${error.code}: ${error.message}`;
    return code === undefined || said.includes(code) ? said : `${said} (${code})`;
  }
  const kind = error instanceof Error ? error.name : kindOf(error);
  return code === undefined ? kind : `${kind} ${code}`;
}

/** How often the feed has tried, in words. */
export function attempts({ attempts }: FeedFault): string {
  return attempts === 1 ? "1 attempt" : `${attempts} attempts in a row`;
}

/** The class of an object, such as the event that a socket ends with; else the type. */
function kindOf(value: unknown): string {
  const name = typeof value === "object" ? value?.constructor?.name : undefined;
  return typeof name === "string" && name !== "" ? name : typeof value;
}

function systemCode(error: unknown): string | undefined {
  for (let depth = 0; depth < MOST_CAUSES && typeof error === "object" && error !== null; depth++) {
    const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
    if (typeof code === "string" && SYSTEM_CODE.test(code)) return code;
    error = cause;
  }
  return undefined;
}
