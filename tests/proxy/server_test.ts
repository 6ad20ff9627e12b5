/** The proxy over sockets, in front of an application on `node:http`. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { nodeTransport } from "../../src/proxy/command/node_transport.ts";
import { listen, urlOf } from "../../src/proxy/command/server.ts";
import { tunnel } from "../../src/proxy/command/tunnel.ts";
import { proxy, type UpstreamFault } from "../../src/proxy/proxy.ts";
import { send } from "../support/http.ts";

/** What the application sends where a test waits for the end of something. */
function signal(): { readonly given: Promise<void>; give(): void } {
  let give!: () => void;
  return { given: new Promise((resolve) => give = resolve), give: () => give() };
}

interface Staged extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly faults: UpstreamFault[];
  close(grace: number): Promise<void>;
}

async function stage(
  application: (request: IncomingMessage, response: ServerResponse) => void,
  options: {
    readonly onUpgrade?: (request: IncomingMessage, socket: Socket) => void;
    readonly upstream?: string;
    readonly fetch?: boolean;
  } = {},
): Promise<Staged> {
  const server = createServer(application);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  if (options.onUpgrade !== undefined) server.on("upgrade", options.onUpgrade);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  const upstream = options.upstream ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const timeouts = { connectTimeout: 2_000, firstByteTimeout: 300, idleTimeout: 300 };
  const transport = nodeTransport(upstream, timeouts);
  const faults: UpstreamFault[] = [];
  const handler = proxy<[IncomingMessage]>({
    ...{ upstream, manual: true, ...timeouts, onFault: (fault) => void faults.push(fault) },
    ...options.fetch ? {} : { send: transport.send },
  });
  const listening = await listen(handler, { hostname: "127.0.0.1", port: 0 }, {
    onUpgrade: (request, _incoming, socket, head) =>
      tunnel(socket, head, {
        ...{ origin: upstream, timeout: 2_000, target: new URL(request.url).pathname },
        ...{ headers: new Headers({ host: "site.example" }), onAnswer: () => {} },
      }),
  });
  return {
    ...{ url: `http://127.0.0.1:${listening.port}`, port: listening.port, faults },
    close: (grace) => listening.close(grace),
    async [Symbol.asyncDispose]() {
      await listening.close(0);
      transport.close();
      for (const socket of sockets) socket.destroy();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** What comes back to these bytes until the connection ends, or until what has come is enough. */
function exchange(
  port: number,
  text: string,
  isEnough: (got: string) => boolean = () => false,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(port, "127.0.0.1", () => socket.write(text));
    let got = "";
    socket.on("data", (piece) => {
      got += String(piece);
      if (isEnough(got)) socket.destroy();
    });
    socket.on("error", reject);
    socket.on("close", () => resolve(got));
  });
}

const isWhole = (got: string): boolean =>
  got.includes("0\r\n\r\n") || /content-length: \d+\r\n[^]*\r\n\r\n./i.test(got);

for (const fetch of [false, true]) {
  const over = fetch ? "fetch" : "node:http";

  test(`proxy over ${over}: a response is sent on while it is made`, async () => {
    const more = signal();
    await using staged = await stage((_request, response) => {
      response.write("one");
      more.given.then(() => response.end("two"));
    }, { fetch });
    const body = (await globalThis.fetch(staged.url)).body!.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await body.read()).value, "one");
    more.give();
    assert.equal((await body.read()).value, "two");
    assert.equal((await body.read()).done, true);
  });

  test(`proxy over ${over}: the application learns that the client is gone`, async () => {
    const gone = signal();
    await using staged = await stage((_request, response) => {
      response.write("one");
      response.on("close", gone.give);
    }, { fetch });
    const response = await globalThis.fetch(staged.url);
    await response.body!.cancel();
    await gone.given;
  });

  test(`proxy over ${over}: a request is sent on while it is made`, async () => {
    const arrived = signal();
    await using staged = await stage((request, response) => {
      request.once("data", arrived.give);
      request.pipe(response);
    }, { fetch });
    const client = net.connect(staged.port, "127.0.0.1");
    client.write(
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\none\r\n",
    );
    // The end of the request is not sent before its beginning has arrived.
    await arrived.given;
    client.write("3\r\ntwo\r\n0\r\n\r\n");
    let got = "";
    for await (const piece of client) got += String(piece);
    assert.match(got, /^HTTP\/1\.1 200 [^]*one[^]*two/);
  });

  test(`proxy over ${over}: content of a write arrives whole, and so does its answer`, async () => {
    await using staged = await stage((request, response) => void request.pipe(response), { fetch });
    const text = "0123456789".repeat(50_000);
    const response = await globalThis.fetch(staged.url, { method: "POST", body: text });
    assert.equal(await response.text(), text);
  });

  test(`proxy over ${over}: redirects and cookies are the client's`, async () => {
    await using staged = await stage((_request, response) => {
      response.writeHead(303, { "location": "/next", "set-cookie": ["a=1", "b=2"] }).end();
    }, { fetch });
    const { status, headers } = await send(staged.url);
    assert.deepEqual([status, headers.location, headers["set-cookie"]], [303, "/next", ["a=1", "b=2"]]);
  });

  test(`proxy over ${over}: an application that is silent is given up, before or within its response`, async () => {
    await using staged = await stage((request, response) => {
      if (request.url === "/never") return;
      response.writeHead(200, { "content-length": "10" });
      response.write("one");
    }, { fetch });
    const never = await send(`${staged.url}/never`);
    assert.equal(never.status, 504);
    assert.equal(never.headers["proxy-status"], "stillfresh; error=http_response_timeout");
    await assert.rejects(async () => await (await globalThis.fetch(staged.url)).text());
  });

  test(`proxy over ${over}: a response that is cut is cut for the client as well`, async () => {
    for (const fields of [{ "content-length": "10" }, {}]) {
      await using staged = await stage((_request, response) => {
        response.writeHead(200, fields);
        response.write("one", () => response.destroy());
      }, { fetch });
      await assert.rejects(async () => await (await globalThis.fetch(staged.url)).text());
    }
  });

  test(`proxy over ${over}: an application that is not there is a 502`, async () => {
    const closed = net.createServer();
    await new Promise<void>((listening) => closed.listen(0, "127.0.0.1", () => listening()));
    const upstream = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
    await new Promise((done) => closed.close(done));
    await using staged = await stage(() => {}, { upstream, fetch });
    const { status, headers, body } = await send(staged.url);
    assert.equal(status, 502);
    assert.equal(headers["content-type"], "application/problem+json");
    assert.equal(JSON.parse(body).status, 502);
    assert.equal(staged.faults[0]?.error, fetch ? "destination_unavailable" : "connection_refused");
  });
}

test("nodeTransport: a coding stays as it is, with the Host of the client", async () => {
  await using staged = await stage((request, response) => {
    const body = gzipSync(`${request.headers.host} ${request.headers["accept-encoding"]}`);
    response.writeHead(200, { "content-encoding": "gzip", "content-length": body.length }).end(body);
  });
  const got = await new Promise<Buffer>((resolve) => {
    const pieces: Buffer[] = [];
    const socket = net.connect(
      staged.port,
      "127.0.0.1",
      () =>
        socket.write(
          "GET / HTTP/1.1\r\nHost: site.example\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n",
        ),
    );
    socket.on("data", (piece: Buffer) => pieces.push(piece));
    socket.on("close", () => resolve(Buffer.concat(pieces)));
  });
  const text = got.toString("latin1");
  assert.match(text, /content-encoding: gzip/i);
  assert.match(text, /content-length: \d+\r\n/i);
  assert.equal(String(gunzipSync(got.subarray(got.indexOf("\r\n\r\n") + 4))), "site.example gzip");
});

test("nodeTransport: what is no HTTP, and a connection that ends at once, are named", async () => {
  for (
    const [text, error] of [["nonsense\r\n\r\n", "http_protocol_error"], [
      "",
      "connection_terminated",
    ]] as const
  ) {
    const server = net.createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", () => socket.end(text));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
    await using staged = await stage(() => {}, {
      upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    });
    const { headers } = await send(staged.url);
    assert.equal(headers["proxy-status"], `stillfresh; error=${error}`);
    await new Promise((closed) => server.close(closed));
  }
});

test("nodeTransport: a GET on a kept connection that the application has closed is sent again, a POST is not", async () => {
  let requests = 0;
  // Answers the first request of each connection, and closes it upon the second.
  const server = net.createServer((socket) => {
    let isUsed = false;
    socket.on("error", () => {});
    socket.on("data", () => {
      requests++;
      if (isUsed) return void socket.destroy();
      isUsed = true;
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", () => listening()));
  await using staged = await stage(() => {}, {
    upstream: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  });
  assert.equal((await send(staged.url)).status, 200);
  assert.equal((await send(staged.url)).status, 200);
  assert.equal(requests, 3);
  server.close();
});

const refused: readonly (readonly [name: string, request: string, status: number])[] = [
  [
    "Transfer-Encoding and Content-Length",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["two lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400],
  ["several hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["a host that is a URL", "GET / HTTP/1.1\r\nHost: a/b?\r\n\r\n", 400],
  ["a host with user information", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400],
  ["a host that is no address", "GET / HTTP/1.1\r\nHost: 999.1.1.1\r\n\r\n", 400],
  ["a port that is none", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400],
  ["content in a GET", "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\na", 400],
  ["an asterisk", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["another scheme", "GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["an unknown expectation", "POST / HTTP/1.1\r\nHost: a\r\nExpect: odd\r\nContent-Length: 0\r\n\r\n", 417],
  ["an upgrade to HTTP/2", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n", 400],
];

for (const [name, request, status] of refused) {
  test(`listen: ${name} is refused, and the application not asked`, async () => {
    let asked = 0;
    await using staged = await stage((_request, response) => {
      asked++;
      response.end("asked");
    });
    const got = await exchange(staged.port, request, (got) => got.includes("\r\n\r\n"));
    assert.equal(Number(got.slice(9, 12)), status);
    assert.equal(asked, 0);
  });
}

for (
  const [target, host, expected] of [
    ["//evil.example/x", "site.example", "//evil.example/x site.example"],
    ["http://other.example/x?y", "site.example", "/x?y other.example"],
    ["/a/%2e%2e/b", "site.example", "/b site.example"],
    ["/\\evil.example", "site.example", "//evil.example site.example"],
  ] as const
) {
  test(`listen: the target ${target} is passed on to the application as ${expected}`, async () => {
    await using staged = await stage(({ url, headers }, response) =>
      void response.end(`${url} ${headers.host}`)
    );
    const got = await exchange(
      staged.port,
      `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      isWhole,
    );
    assert.ok(got.includes(expected), got);
  });
}

test("listen: a client that expects a 100 gets it, and sends its content then", async () => {
  await using staged = await stage((request, response) => {
    response.setHeader("x-expect", String(request.headers.expect));
    request.pipe(response);
  });
  const got = await new Promise<string>((resolve) => {
    const socket = net.connect(
      staged.port,
      "127.0.0.1",
      () =>
        socket.write(
          "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n",
        ),
    );
    let text = "";
    socket.on("data", (piece) => {
      text += String(piece);
      if (/^HTTP\/1\.1 100[^\r]*\r\n\r\n$/.test(text)) socket.write("one");
    });
    socket.on("close", () => resolve(text));
  });
  assert.match(got, /^HTTP\/1\.1 100/);
  assert.match(got, /x-expect: undefined/i);
  assert.ok(got.includes("one"));
});

const HANDSHAKE = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

test("tunnel: a WebSocket is passed through, in both directions", async () => {
  await using staged = await stage(() => {}, {
    onUpgrade: ({ url }, socket) => {
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Path: ${url}\r\n\r\n`,
      );
      socket.on("data", (piece: Uint8Array) => void socket.write(`echo ${piece}`));
    },
  });
  const got = await new Promise<string>((resolve) => {
    const socket = net.connect(staged.port, "127.0.0.1", () => socket.write(HANDSHAKE));
    let text = "";
    socket.on("data", (piece) => {
      text += String(piece);
      if (text.endsWith("\r\n\r\n")) socket.write("ping");
      if (text.endsWith("echo ping")) socket.destroy();
    });
    socket.on("close", () => resolve(text));
  });
  assert.match(got, /^HTTP\/1\.1 101 [^]*x-path: \/chat\r\n[^]*\r\necho ping$/i);
});

test("tunnel: another answer than 101 ends the connection, with what was sent behind it unread", async () => {
  let asked = 0;
  await using staged = await stage((_request, response) => {
    asked++;
    response.end("no socket");
  }, {
    onUpgrade: (_request, socket) => {
      asked++;
      socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
    },
  });
  const got = await exchange(staged.port, `${HANDSHAKE}GET /secret HTTP/1.1\r\nHost: a\r\n\r\n`);
  assert.match(got, /^HTTP\/1\.1 403 [^]*no$/);
  assert.equal(asked, 1);
});

test("listen: close() waits for what is under way, and takes nothing more", async () => {
  const [begun, more] = [signal(), signal()];
  await using staged = await stage((_request, response) => {
    response.write("one");
    begun.give();
    more.given.then(() => response.end("two"));
  });
  const asked = globalThis.fetch(staged.url).then((response) => response.text());
  await begun.given;
  const closed = staged.close(5_000);
  await assert.rejects(() => send(staged.url));
  more.give();
  assert.equal(await asked, "onetwo");
  await closed;
});

test("listen: close() cuts what takes longer than its grace", async () => {
  const begun = signal();
  await using staged = await stage((_request, response) => {
    response.write("one");
    begun.give();
  });
  const asked = globalThis.fetch(staged.url).then((response) => response.text());
  asked.catch(() => {});
  await begun.given;
  await staged.close(20);
  await assert.rejects(() => asked);
});

test("urlOf: is what URL makes of the same host and path, or nothing", () => {
  const hosts = [
    "a",
    "A.b",
    "a.b:80",
    "a:8080",
    "127.0.0.1:3000",
    "1.2",
    "[::1]:1",
    "a_b-c.d",
    "0x7f.1",
    "a.1",
  ];
  const paths = [
    "/",
    "/a/b?c=d",
    "/a/../b",
    "/.",
    "//a",
    "/%2e%2e/a",
    "/a'b",
    '/a"b',
    "/ä",
    "/a?b'c",
    "/a?b%27|c",
    "/a#b",
  ];
  for (const host of hosts) {
    for (const path of paths) {
      const url = urlOf(
        { url: path, method: "GET", headers: { host }, rawHeaders: [] } as unknown as IncomingMessage,
      );
      if (typeof url === "string") assert.equal(url, new URL(`http://${host}${path}`).href);
      else assert.equal(URL.canParse(`http://${host}${path}`), false);
    }
  }
});
