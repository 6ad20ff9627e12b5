import { createAdaptorServer } from "@hono/node-server";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { site } from "../site.ts";

const options = process.argv.includes("http2") ? { createServer: http2.createServer } : {};
const server = createAdaptorServer(
  { fetch: (request) => site(request), ...options } as Parameters<
    typeof createAdaptorServer
  >[0],
);
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
