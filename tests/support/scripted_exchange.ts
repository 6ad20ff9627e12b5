/** A request to a scripted database, and what answers it. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Asking, Kind } from "./scripted_selection.ts";

/** Answers instead of the database; returns false to let the database answer after all. */
export type Fault = (request: Asked, response: ServerResponse) => void | false;

export interface Asked extends Asking {
  readonly method: string;
  readonly headers: IncomingMessage["headers"];
  readonly kind: Kind;
  /** Resolves when the client has gone. */
  readonly closed: Promise<void>;
}

/** Answers with JSON, or what is said to be. */
export function json(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(body);
}
