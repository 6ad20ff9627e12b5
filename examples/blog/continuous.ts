/**
 * `GET /{db}/_changes?feed=continuous` for the embedded database, closer to CouchDB than express-pouchdb's own:
 * headers are sent at once, the feed ends with its connection, and it ends when its database is deleted.
 */
import type { IncomingMessage, ServerResponse } from "node:http";

/** The part of a PouchDB constructor that a feed needs. */
interface Pouch {
  new (name: string): { changes(options: Record<string, unknown>): LiveChanges };
  allDbs(): Promise<string[]>;
}

interface LiveChanges {
  on(event: "change", listener: (row: { seq: unknown }) => void): this;
  on(event: "complete" | "error", listener: () => void): this;
  cancel(): void;
}

interface ChangesRequest extends IncomingMessage {
  readonly params: { readonly db: string };
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** CouchDB's default for `timeout` and the upper limit of `heartbeat`. */
const changesTimeout = 60_000;

/** Express middleware; a request for another feed, or for an unknown database, goes on to the next one. */
export function continuousChanges(
  Pouch: Pouch,
): (request: ChangesRequest, response: ServerResponse, next: (error?: unknown) => void) => void {
  return (request, response, next) => {
    if (request.query["feed"] !== "continuous") return next();
    Pouch.allDbs().then((names) => {
      if (!names.includes(request.params.db)) return next();
      send(new Pouch(request.params.db).changes(changesOptions(request.query)), request, response);
    }).catch(next);
  };
}

function send(feed: LiveChanges, request: ChangesRequest, response: ServerResponse): void {
  let last: unknown = null;
  const beat = Math.min(Number(request.query["heartbeat"]) || changesTimeout, changesTimeout);
  const heartbeat = setInterval(() => response.write("\n"), beat);
  response.writeHead(200, { "content-type": "application/json" });
  response.write("\n");
  feed.on("change", (row) => {
    last = row.seq;
    response.write(`${JSON.stringify(row)}\n`);
  });
  const end = () => response.end(`${JSON.stringify({ last_seq: last })}\n`);
  feed.on("complete", end).on("error", end);
  response.on("close", () => {
    clearInterval(heartbeat);
    feed.cancel();
  });
}

function changesOptions(query: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const since = query["since"] ?? "0";
  return {
    live: true,
    since: since === "now" ? since : Number(since),
    style: query["style"] ?? "main_only",
    include_docs: query["include_docs"] === "true",
    ...(query["doc_ids"] === undefined ? {} : { doc_ids: JSON.parse(query["doc_ids"]) }),
  };
}
