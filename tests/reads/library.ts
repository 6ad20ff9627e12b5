/** One small database behind both clients: a server for nano, and a PouchDB in memory. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import nano from "nano";
import PouchDB from "pouchdb-core";
import memory from "pouchdb-adapter-memory";

/** A document as both have it. */
export interface Book {
  readonly _id: string;
  readonly _rev: string;
  readonly title: string;
}

const SIZE = 20;

/** Ids of documents; those of odd number do not exist. */
export const shelf: readonly string[] = Array.from({ length: SIZE }, (_, i) => `book-${i}`);

/** Both, with the same documents. */
export interface Library {
  // deno-lint-ignore no-explicit-any -- as its own types have it
  readonly nano: nano.DocumentScope<any>;
  // deno-lint-ignore no-explicit-any -- has no types for Deno
  readonly pouch: any;
  /** The revision of a document; undefined: it does not exist. */
  readonly revOf: (id: string) => string | undefined;
  close(): Promise<void>;
}

let opened = 0;

export async function openLibrary(): Promise<Library> {
  PouchDB.plugin(memory);
  const pouch = new PouchDB(`library-${++opened}`, { adapter: "memory" });
  const revs = new Map<string, string>();
  for (const [i, _id] of shelf.entries()) {
    if (i % 2 === 1) continue;
    const { rev } = await pouch.put({ _id, title: _id });
    revs.set(_id, rev);
  }
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const { pathname, searchParams } = new URL(request.url!, "http://localhost");
    const send = (status: number, value: object, fields = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...fields });
      response.end(JSON.stringify(value));
    };
    const docOf = (id: string): Book | undefined =>
      revs.has(id) ? { _id: id, _rev: revs.get(id)!, title: id } : undefined;
    const row = (id: string) => {
      const doc = docOf(id);
      return doc === undefined
        ? { key: id, error: "not_found" }
        : { id, key: id, value: { rev: doc._rev }, ...searchParams.get("include_docs") ? { doc } : {} };
    };
    const id = decodeURIComponent(pathname.slice("/library/".length));
    if (id === "_all_docs") {
      const keys: readonly string[] = body ? JSON.parse(body).keys : [...revs.keys()];
      return send(200, { rows: keys.map(row) });
    }
    if (id === "_find") return send(200, { docs: [...revs.keys()].map(docOf) });
    if (pathname === "/_session") return send(200, { ok: true });
    if (id.startsWith("_design/")) {
      return send(200, { rows: searchParams.has("reduce") ? [{ value: 1 }] : [...revs.keys()].map(row) });
    }
    const doc = docOf(id);
    if (doc === undefined) return send(404, { error: "not_found", reason: "missing" });
    send(200, doc, { etag: `"${doc._rev}"` });
  });
  await listening(server);
  const { port } = server.address() as AddressInfo;
  return {
    nano: nano(`http://127.0.0.1:${port}`).use("library"),
    pouch,
    revOf: (id) => revs.get(id),
    close: async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await pouch.close();
    },
  };
}

function listening(server: Server): Promise<void> {
  return new Promise((done) => server.listen(0, "127.0.0.1", () => done()));
}
