import type { IncomingMessage, ServerResponse } from "node:http";
import process from "node:process";
import { toFetchHandler } from "srvx/node";

const application = (_request: IncomingMessage, response: ServerResponse) => {
  response.writeHead(200, { "content-type": "text/plain" });
  const timer = setInterval(() => response.write("more"), 5);
  response.on("close", () => clearInterval(timer));
};
const response = await toFetchHandler(application as never)(new Request("http://localhost/") as never);
const reader = response.body!.getReader();
await reader.read();
await reader.cancel();
setTimeout(() => {
  console.log("still there");
  process.exit();
}, 500);
