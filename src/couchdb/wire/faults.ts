/**
 * The faults that a response stands for when it is not the one that was asked for.
 *
 * @module
 */
import type { ChangesErrorCode, Since } from "../../changes/change.ts";
import { ChangesError } from "../../changes/changes_error.ts";

/** The longest `Retry-After` that is obeyed, in milliseconds. */
const LONGEST_RETRY_AFTER = 3_600_000;

/** Kept beside the errors: the back-off needs it, and no user of the error does. */
const retryAfters = new WeakMap<ChangesError, number>();

/** Milliseconds that the server asked to wait before the next request (RFC 9110 §10.2.3); 0 if it did not ask. */
export function retryAfterOf(error: ChangesError): number {
  return retryAfters.get(error) ?? 0;
}

/**
 * The fault that an HTTP status stands for.
 *
 * @param response A response with a status other than 200.
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

/** The fault that an error object stands for where rows were expected, under status 200. */
export function errorObjectFault(value: { readonly [key: string]: unknown }, since?: Since): ChangesError {
  const message = `The database sent an error: ${show(value["error"])} (${show(value["reason"])})`;
  return new ChangesError("server-error", message, since === undefined ? {} : { since });
}

function codeOfStatus(status: number, reason: string | undefined): ChangesErrorCode {
  if (status >= 500 || status === 408 || status === 412) return "server-error";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status === 429) return "too-many-requests";
  // Without a reason in JSON, this is the page of a proxy and says nothing about the database or the request.
  if (reason === undefined) return "not-json";
  return status === 404 ? codeOfNotFound(reason) : "bad-request";
}

/** A 404 says by its reason what is missing: the database, or only the design document that a filter is made of. */
function codeOfNotFound(reason: string): ChangesErrorCode {
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

/** A member of an error object; an object in its place may be nested too deeply, or have a `toString` that throws. */
function show(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}

function parseRetryAfter(field: string | null, now: number): number {
  if (field === null) return 0;
  const ms = /^\d+$/.test(field) ? Number(field) * 1000 : Date.parse(field) - now;
  return Number.isNaN(ms) ? 0 : Math.min(Math.max(0, ms), LONGEST_RETRY_AFTER);
}
