/**
 * A database that has {@linkcode TOTAL} rows to send on its continuous feed, as CouchDB sends them: in chunks of up to
 * 1,490 bytes. Then it is silent but for heartbeats. Prints its URL.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { EMPTY_PAGE, INFORMATION, pieces } from "./rows.ts";

const body = pieces(1_490);

const server = createServer((request, response) => void answer(request, response));

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = request.url ?? "";
  response.setHeader("content-type", "application/json");
  if (!url.includes("_changes")) return void response.end(INFORMATION);
  if (!url.includes("continuous")) {
    return void response.end(EMPTY_PAGE.replace("1-x", url.includes("since=idle") ? "idle" : "1-x"));
  }
  response.on("error", () => {});
  const closed = new Promise<void>((resolve) => response.once("close", resolve));
  void closed.then(() => console.log(`closed ${performance.timeOrigin + performance.now()}`));
  if (!url.includes("since=idle")) {
    for (const piece of body) {
      if (response.destroyed) return;
      if (!response.write(piece)) {
        await Promise.race([new Promise((resolve) => response.once("drain", resolve)), closed]);
      }
    }
  }
  if (response.destroyed) return;
  const beat = setInterval(() => response.write("\n"), 1_000);
  void closed.then(() => clearInterval(beat));
  response.write("\n");
}

server.listen(
  0,
  "127.0.0.1",
  () => console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}/db`),
);
