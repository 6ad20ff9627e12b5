/**
 * What a response that is not what was asked for means.
 *
 * @module
 */
import type { ChangesErrorCode, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";

/** Whoever asks for more than this is not waited for. */
const LONGEST_RETRY_AFTER = 3_600_000;

/** Kept beside the errors, since it concerns nobody outside. */
const retryAfters = new WeakMap<ChangesError, number>();

/** Milliseconds the server asked to wait before the next request (RFC 9110 §10.2.3); 0 if it did not ask. */
export function retryAfterOf(error: ChangesError): number {
  return retryAfters.get(error) ?? 0;
}

/**
 * The fault an HTTP status stands for.
 *
 * @param response Whose status is not 200.
 * @param body The response's body, as far as it could be read.
 * @param now The wall clock, in milliseconds.
 */
export function statusFault(response: Response, body: string, now: number): ChangesError {
  const { status } = response;
  const reason = reasonIn(body);
  const code = codeOfStatus(status, reason);
  const error = new ChangesError(code, `The database answered ${status}${reason ? `: ${reason}` : ""}`, {
    status,
  });
  const retryAfter = parseRetryAfter(response.headers.get("retry-after"), now);
  if (retryAfter > 0) retryAfters.set(error, retryAfter);
  return error;
}

/** The fault an object stands for that came where rows were due, under status 200. */
export function errorObjectFault(value: { readonly [key: string]: unknown }, since?: Since): ChangesError {
  const message = `The database sent an error: ${String(value["error"])} (${String(value["reason"])})`;
  return new ChangesError("server-error", message, since === undefined ? {} : { since });
}

function codeOfStatus(status: number, reason: string | undefined): ChangesErrorCode {
  if (status >= 500 || status === 408 || status === 412) return "server-error";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 404) return codeOfNotFound(reason);
  if (status === 429) return "too-many-requests";
  return "bad-request";
}

/** What is missing: the database, or only what the filter is made of. */
function codeOfNotFound(reason: string | undefined): ChangesErrorCode {
  // A proxy's error page says nothing about the database.
  if (reason === undefined) return "not-json";
  if (reason.includes("ddoc_updated")) return "server-error";
  return /\((missing|deleted)/.test(reason) ? "bad-request" : "not-found";
}

function reasonIn(body: string): string | undefined {
  try {
    const value = JSON.parse(body);
    return typeof value?.error === "string" ? `${value.error} (${value.reason})` : undefined;
  } catch {
    return undefined;
  }
}

function parseRetryAfter(field: string | null, now: number): number {
  if (field === null) return 0;
  const ms = /^\d+$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER);
}
