import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { serve } from "srvx";
import { toFetchHandler } from "srvx/node";
import { dependsOn, withEtag } from "../../../mod.ts";

const application = (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { "cache-control": "public, no-cache", ...dependsOn("post-1") });
  response.end("page");
};
const fetchHandler = toFetchHandler(application as never);
const server = serve({
  fetch: withEtag((request: Request) => fetchHandler(request as never), { manual: true }),
  port: 0,
  hostname: "127.0.0.1",
  silent: true,
});
await server.ready();
const { headers } = await fetch(server.url!);
const declared = [...headers.keys()].some((name) => name.startsWith("stillfresh"));
console.log(JSON.stringify({ tag: headers.get("etag"), declared }));
process.exit();
