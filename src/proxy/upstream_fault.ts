/**
 * Why the upstream gave no response, in the words of RFC 9209, and what the client is told instead.
 *
 * @module
 */
import { problemResponse } from "../http/problem_details.ts";

/** A fault by its name in RFC 9209 §2.3. */
export type ProxyErrorType =
  | "dns_error"
  | "destination_unavailable"
  | "connection_refused"
  | "connection_timeout"
  | "connection_terminated"
  | "connection_read_timeout"
  | "connection_write_timeout"
  | "http_response_timeout"
  | "http_response_incomplete"
  | "http_response_content_coding"
  | "http_protocol_error"
  | "proxy_loop_detected";

/** What each fault is answered with: a status and a title, and for people a sentence. */
const FAULTS: Readonly<Record<ProxyErrorType, readonly [status: number, title: string, detail: string]>> = {
  dns_error: [502, "Bad Gateway", "The name of the application's host cannot be resolved."],
  destination_unavailable: [502, "Bad Gateway", "The application cannot be reached."],
  connection_refused: [502, "Bad Gateway", "The application does not accept connections."],
  connection_timeout: [504, "Gateway Timeout", "No connection to the application was made in time."],
  connection_terminated: [502, "Bad Gateway", "The application closed the connection before it answered."],
  connection_read_timeout: [504, "Gateway Timeout", "The application stopped sending its response."],
  connection_write_timeout: [504, "Gateway Timeout", "The application stopped reading the request."],
  http_response_timeout: [504, "Gateway Timeout", "The application did not begin its response in time."],
  http_response_incomplete: [
    502,
    "Bad Gateway",
    "The application closed the connection within its response.",
  ],
  http_response_content_coding: [502, "Bad Gateway", "The application sent a coding that was not asked for."],
  http_protocol_error: [502, "Bad Gateway", "The application sent something that is no HTTP response."],
  proxy_loop_detected: [
    508,
    "Loop Detected",
    "The request has been here before: the upstream is this proxy.",
  ],
};

/**
 * The upstream gave no response, or not all of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { UpstreamFault } from "@stillfresh/etag/proxy";
 *
 * const fault = new UpstreamFault("http_response_timeout");
 * assert.equal(fault.status, 504);
 * assert.equal(fault.message, "The application did not begin its response in time.");
 * ```
 *
 * @see RFC 9209 §2.3
 */
export class UpstreamFault extends Error {
  /** Its name. */
  override readonly name = "UpstreamFault";
  /** What it is, as the field `Proxy-Status` says. */
  readonly error: ProxyErrorType;
  /** The status that a client is answered with: 502, 504 or 508. */
  readonly status: number;

  /**
   * Makes one.
   *
   * @param error What it is.
   * @param options Its `cause`.
   */
  constructor(error: ProxyErrorType, options?: ErrorOptions) {
    super(FAULTS[error][2], options);
    this.error = error;
    this.status = FAULTS[error][0];
  }
}

/** The response in the place of the one that the upstream did not give. */
export function faultResponse(
  request: Request,
  { error, status, message }: UpstreamFault,
  name: string,
): Response {
  const fields = { "proxy-status": `${name}; error=${error}` };
  return problemResponse(request, { status, title: FAULTS[error][1], detail: message }, fields);
}
