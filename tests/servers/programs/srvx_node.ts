import http from "node:http";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { toNodeHandler } from "srvx/node";
import { site } from "../site.ts";

const handler = toNodeHandler((request) => site(request)) as unknown as http.RequestListener;
const server = process.argv.includes("http2")
  ? http2.createServer(handler as unknown as Parameters<typeof http2.createServer>[1] & (() => void))
  : http.createServer(handler);
server.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});
