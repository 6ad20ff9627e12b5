/** Clients over HTTP/1.1 and HTTP/2 that add nothing of their own. */
import http from "node:http";
import http2 from "node:http2";

/** An answer as it came. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
  /** Tells connections apart. */
  readonly port: number | undefined;
}

/** One that asks a server, over one connection where it can. */
export interface Client {
  ask(path: string, headers?: Readonly<Record<string, string>>, method?: string): Promise<Answer>;
  /** Leaves once so many bytes of the body are there; 0: as soon as the request is sent. */
  leave(path: string, bytes: number): Promise<void>;
  close(): void;
}

/** HTTP/1.1, kept alive. */
export function http1(origin: string): Client {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  return {
    ask: (path, headers = {}, method = "GET") =>
      new Promise((resolve, reject) => {
        const request = http.request(origin + path, { agent, headers, method }, (response) => {
          const port = response.socket?.localPort;
          let body = "";
          response.setEncoding("latin1");
          response.on("data", (chunk: string) => body += chunk);
          response.on("error", reject);
          response.on("end", () =>
            resolve({ status: response.statusCode!, headers: response.headers, body, port }));
        });
        request.on("error", reject);
        request.end();
      }),
    leave: (path, bytes) =>
      new Promise((resolve) => {
        let count = 0;
        const request = http.request(origin + path, { agent: false }, (response) => {
          response.on("error", () => {});
          response.on("data", (chunk: Uint8Array) => {
            count += chunk.length;
            if (count >= bytes) request.destroy();
          });
        });
        request.on("error", () => {});
        request.on("close", () => resolve());
        request.end(() => bytes === 0 && setTimeout(() => request.destroy()));
      }),
    close: () => agent.destroy(),
  };
}

/** HTTP/2 without TLS, by prior knowledge. */
export function http2Client(origin: string): Client {
  const session = http2.connect(origin);
  session.on("error", () => {});
  return {
    ask: (path, headers = {}, method = "GET") =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ":path": path, ":method": method, ...headers });
        let fields: Record<string, string | string[] | undefined> = {};
        let body = "";
        stream.setEncoding("latin1");
        stream.on("response", (received) => fields = { ...received } as typeof fields);
        stream.on("data", (chunk: string) => body += chunk);
        stream.on("error", reject);
        stream.on("end", () =>
          resolve({
            status: Number(fields[":status"]),
            headers: fields,
            body,
            port: session.socket?.localPort,
          }));
        stream.end();
      }),
    leave: (path, bytes) =>
      new Promise((resolve) => {
        const stream = session.request({ ":path": path });
        let count = 0;
        stream.on("error", () => {});
        stream.on("close", () => resolve());
        stream.on("data", (chunk: Uint8Array) => {
          count += chunk.length;
          if (count >= bytes) stream.close(http2.constants.NGHTTP2_CANCEL);
        });
        stream.end(() => bytes === 0 && setTimeout(() => stream.close(http2.constants.NGHTTP2_CANCEL)));
      }),
    close: () => session.destroy(),
  };
}
