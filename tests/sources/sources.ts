/** One database each, to be followed by its URL, by a nano handle, and in this process. */
import nano from "nano";
import memoryAdapter from "pouchdb-adapter-memory";
import PouchDB from "pouchdb-core";
import { startDatabase } from "../../examples/blog/database.ts";
import { changes, type CouchChangesFeed, type FeedOptions } from "../../src/couchdb/changes.ts";
import { changes as nanoChanges } from "../../src/nano.ts";
import { changes as pouchChanges, type PouchChangesOptions } from "../../src/pouchdb.ts";

/** An empty database. */
export interface TestDatabase {
  open(options?: PouchChangesOptions): CouchChangesFeed;
  /** Writes a document, on top of what it was; gives the new revision. */
  put(id: string, body?: object): Promise<string>;
  remove(id: string): Promise<void>;
  /** Destroys it. */
  destroy(): Promise<void>;
  close(): Promise<void>;
}

/** Makes an empty database. */
export interface Source {
  readonly name: string;
  start(): Promise<TestDatabase>;
}

interface PouchHandle {
  readonly name: string;
  id(): Promise<string>;
  info(): Promise<object>;
  changes(
    options: object,
  ): { cancel(): void; on(event: "change", listener: () => void): unknown } & PromiseLike<object>;
  get(id: string): Promise<{ readonly _rev: string }>;
  put(document: object): Promise<{ readonly rev: string }>;
  remove(id: string, rev: string): Promise<unknown>;
  destroy(): Promise<void>;
}

type PouchClass = new (name: string) => PouchHandle;

export const Pouch: PouchClass = PouchDB.plugin(memoryAdapter).defaults({ adapter: "memory" });

let made = 0;

async function ask(url: string, method: string, body?: object): Promise<{ readonly rev: string }> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(url, {
    method,
    headers,
    body: body === undefined ? null : JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${await response.text()}`);
  return await response.json();
}

async function startServer(
  open: (url: string, options: FeedOptions) => CouchChangesFeed,
): Promise<TestDatabase> {
  const server = await startDatabase();
  const url = `${server.url}/source`;
  await ask(url, "PUT");
  const revisions = new Map<string, string>();
  const put = async (id: string, body: object) => {
    const rev = revisions.get(id);
    const document = rev === undefined ? body : { ...body, _rev: rev };
    const answer = await ask(`${url}/${encodeURIComponent(id)}`, "PUT", document);
    revisions.set(id, answer.rev);
    return answer.rev;
  };
  return {
    open: (options = {}) => open(url, { heartbeat: 500, ...options } as FeedOptions),
    put: (id, body = {}) => put(id, body),
    remove: async (id) => void await put(id, { _deleted: true }),
    destroy: async () => void await ask(url, "DELETE"),
    close: () => server.close(),
  };
}

async function startPouch(): Promise<TestDatabase> {
  const pouch = new Pouch(`source-${++made}`);
  await pouch.info();
  const revisions = new Map<string, string>();
  return {
    open: (options) => pouchChanges(pouch, options),
    put: async (id, body = {}) => {
      const rev = revisions.get(id);
      const answer = await pouch.put({ ...body, _id: id, ...(rev === undefined ? {} : { _rev: rev }) });
      revisions.set(id, answer.rev);
      return answer.rev;
    },
    remove: async (id) => void await pouch.remove(id, revisions.get(id) ?? ""),
    destroy: () => pouch.destroy(),
    close: () => pouch.destroy().catch(() => {}),
  };
}

/** Every source. */
export const sources: readonly Source[] = [
  { name: "URL", start: () => startServer(changes) },
  {
    name: "nano",
    start: () =>
      startServer((url, options) => {
        const { origin, pathname } = new URL(url);
        return nanoChanges(nano(origin).use(pathname.slice(1)), options);
      }),
  },
  { name: "PouchDB", start: startPouch },
];
