/**
 * A WebSocket passed through: its handshake is a request like any other, and after a 101 the bytes of both sides are
 * passed on as they are. What the upstream answers instead of a 101 ends the connection, so that no client gets a
 * connection to the upstream that this proxy does not read.
 *
 * @module
 */
import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { faultOf, recordOf } from "./node_transport.ts";
import { UpstreamFault } from "../upstream_fault.ts";

/** Where to, and what is told. */
export interface TunnelOptions {
  /** That of the upstream. */
  readonly origin: string;
  /** Milliseconds until the upstream has answered. */
  readonly timeout: number;
  /** Path and query. */
  readonly target: string;
  /** All fields but those of the upgrade. */
  readonly headers: Headers;
  /** Told once of what the client was answered. */
  readonly onAnswer: (status: number, fault?: UpstreamFault) => void;
}

/** Passes an upgrade on, and then what follows. */
export function tunnel(
  socket: Socket,
  head: Uint8Array,
  { origin, timeout, target, headers, onAnswer }: TunnelOptions,
): void {
  const { hostname, port } = new URL(origin);
  const sent = (origin.startsWith("https:") ? https : http).request({
    host: hostname.replace(/^\[|\]$/g, ""),
    ...port === "" ? {} : { port: Number(port) },
    ...{ agent: false, method: "GET", path: target },
    headers: { ...recordOf(headers), connection: "Upgrade", upgrade: "websocket" },
  });
  let isAnswered = false;
  const answer = (status: number, text: string, fields: Headers, fault?: UpstreamFault) => {
    isAnswered = true;
    clearTimeout(timer);
    onAnswer(status, fault);
    let lines = `HTTP/1.1 ${status} ${text}\r\n`;
    fields.forEach((value, name) => lines += `${name}: ${value}\r\n`);
    socket.write(`${lines}\r\n`, "latin1");
  };
  const fail = (error: unknown) => {
    sent.destroy();
    if (isAnswered) return void socket.destroy();
    const fault = faultOf(error);
    const fields = new Headers({ "connection": "close", "content-length": "0", "cache-control": "no-store" });
    answer(fault.status, fault.status === 504 ? "Gateway Timeout" : "Bad Gateway", fields, fault);
    socket.end();
  };
  const timer = setTimeout(() => fail(new UpstreamFault("http_response_timeout")), timeout);
  socket.once("close", () => {
    clearTimeout(timer);
    sent.destroy();
  });
  sent.on("error", fail);
  sent.once("upgrade", (incoming, upstream, upstreamHead) => {
    const fields = fieldsOf(incoming.rawHeaders);
    answer(101, "Switching Protocols", fields);
    if (upstreamHead.length > 0) socket.write(upstreamHead);
    if (head.length > 0) upstream.write(head);
    upstream.on("error", () => socket.destroy());
    upstream.once("close", () => socket.destroy());
    socket.once("close", () => upstream.destroy());
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  sent.once("response", (incoming) => {
    const fields = fieldsOf(incoming.rawHeaders);
    for (const name of ["transfer-encoding", "keep-alive", "upgrade"]) fields.delete(name);
    fields.set("connection", "close");
    answer(incoming.statusCode ?? 502, incoming.statusMessage ?? "", fields);
    incoming.on("error", () => socket.destroy());
    incoming.pipe(socket);
  });
  sent.end();
}

function fieldsOf(rawHeaders: readonly string[]): Headers {
  const fields = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) fields.append(rawHeaders[at]!, rawHeaders[at + 1]!);
  return fields;
}
