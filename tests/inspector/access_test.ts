/** Who gets to the inspector over real connections: requests that pretend to come from this machine, and a proxy. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { EtagRegistry } from "../../mod.ts";
import { serve, type Server } from "../../examples/blog/serve.ts";
import { inspector } from "../../src/inspector/inspector.ts";
import { nginxProgram, startNginx } from "../support/nginx.ts";

async function withServer(use: (server: Server, faults: readonly unknown[]) => Promise<void>): Promise<void> {
  const inspect = inspector({ registry: new EtagRegistry({ manual: true }) });
  const faults: unknown[] = [];
  const server = await serve(async (request, connection) => {
    try {
      return await inspect(request, connection);
    } catch (error) {
      faults.push(error);
      return new Response(null, { status: 500 });
    }
  }, { hostname: "127.0.0.1", port: 0 });
  try {
    await use(server, faults);
  } finally {
    await server.close();
  }
}

/** The first line of the answer to a request that is written as it is. */
async function statusLine(port: number, request: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(`${request}\r\n`));
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk;
      if (!text.includes("\r\n")) return;
      resolve(text.slice(0, text.indexOf("\r\n")));
      socket.destroy();
    });
    socket.on("close", () => resolve("closed"));
    socket.on("error", reject);
  });
}

/** Requests, and whether they are those of this machine. */
const asked: Readonly<Record<string, readonly [request: string, isLocal: boolean]>> = {
  "localhost": ["GET /_stillfresh HTTP/1.1\r\nHost: localhost\r\n", true],
  "another Host": ["GET /_stillfresh HTTP/1.1\r\nHost: site.example\r\n", false],
  "a path that begins with //localhost": [
    "GET //localhost/_stillfresh HTTP/1.1\r\nHost: site.example\r\n",
    false,
  ],
  "a whole address": ["GET http://localhost/_stillfresh HTTP/1.1\r\nHost: site.example\r\n", false],
  "an empty Host": ["GET /_stillfresh HTTP/1.1\r\nHost: \r\n", false],
  "a Host of several": ["GET /_stillfresh HTTP/1.1\r\nHost: localhost, site.example\r\n", false],
  "a Host with a fragment": ["GET /_stillfresh HTTP/1.1\r\nHost: localhost#x\r\n", false],
  "a Host with a user": ["GET /_stillfresh HTTP/1.1\r\nHost: a@localhost\r\n", false],
};

for (const [what, [request, isLocal]] of Object.entries(asked)) {
  test(`inspector over a connection: ${what} is ${isLocal ? "answered" : "refused, and throws nothing"}`, () =>
    withServer(async ({ port }, faults) => {
      assert.equal(/ 200 /.test(await statusLine(port, request)), isLocal);
      assert.deepEqual(faults, []);
    }));
}

test(
  "inspector over a connection: a visitor of nginx on this machine is refused",
  { skip: nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false },
  () =>
    withServer(async ({ port }) => {
      // It passes a Host of this machine on, and adds no field that says so.
      const nginx = await startNginx([port]);
      try {
        const response = await fetch(`${nginx.origin}/_stillfresh`);
        assert.equal(response.status, 403);
        assert.match(await response.text(), /a proxy has passed the request on \(connection: close\)/);
      } finally {
        await nginx.close();
      }
    }),
);
