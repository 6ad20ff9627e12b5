/**
 * An embedded, CouchDB-compatible database in memory: PouchDB behind express-pouchdb, from npm alone.
 *
 * It stands in for CouchDB where none is at hand: in this demo, and in tests. It writes no file.
 */
import "./quiet.ts";
import express from "express";
import expressPouchDB from "express-pouchdb";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import PouchDB from "pouchdb-core";
import memoryAdapter from "pouchdb-adapter-memory";
import { continuousChanges } from "./continuous.ts";

/** What `startDatabase` gives: where it listens, and how to end it. */
export interface Database {
  /** Its root, without a trailing slash: `http://127.0.0.1:12345`. Create databases under it with `PUT`. */
  readonly url: string;
  /** Ends open feeds and frees the port. What was stored is gone. */
  close(): Promise<void>;
}

const Pouch = PouchDB.plugin(memoryAdapter).defaults({ adapter: "memory" });
// Each open database adds one.
Pouch.setMaxListeners(0);

const app = express();
app.use("/:db/_changes", continuousChanges(Pouch));
// Without "compression", which would hold the rows of a live feed back until its buffer is full.
app.use(expressPouchDB(Pouch, {
  mode: "minimumForPouchDB",
  overrideMode: { include: ["routes/find"], exclude: ["compression"] },
}));

let started = 0;

/** Starts an empty database server on the loopback interface; port 0, the default, takes a free one. */
export async function startDatabase(options: { readonly port?: number } = {}): Promise<Database> {
  // PouchDB tells databases apart by name, process-wide: those of a second server get one that CouchDB does not allow.
  const scope = started++ === 0 ? "" : `${started}-`;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    request.url = request.url?.replace(/^\/(?=[a-z])/, `/${scope}`);
    app(request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, "127.0.0.1", () => resolve());
  });
  const stopIgnoring = ignoreRejectionsOfPouchDB();
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
      await destroyAll(scope);
      stopIgnoring();
    },
  };
}

async function destroyAll(scope: string): Promise<void> {
  const names: string[] = await Pouch.allDbs();
  const own = names.filter((name) => scope === "" ? /^[a-z]/.test(name) : name.startsWith(scope));
  await Promise.all(own.map((name) => new Pouch(name).destroy()));
}

/**
 * express-pouchdb leaves promises without a `catch` when a request is aborted halfway. Those are ignored; every
 * other unhandled rejection goes on to be the fatal error it would have been.
 */
function ignoreRejectionsOfPouchDB(): () => void {
  const listener = (reason: unknown) => {
    if (reason instanceof Error && /node_modules\W.*pouchdb/.test(reason.stack ?? "")) return;
    throw reason;
  };
  process.on("unhandledRejection", listener);
  return () => process.off("unhandledRejection", listener);
}
