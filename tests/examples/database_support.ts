/** The databases that tests run against: the embedded one and, where `COUCHDB_URL` is set, a new one on its server. */
import process from "node:process";
import { startDatabase } from "../../examples/blog/database.ts";
import { locate } from "../../examples/blog/couch_source.ts";

/** A database for one test. */
export interface TestDatabase {
  /** With credentials, if it needs any. */
  readonly url: URL;
  /** Asks it. Paths start with a slash, that of the database itself is empty. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** Takes it away. */
  close(): Promise<void>;
}

/** One kind of them. */
export interface Target {
  readonly name: string;
  /** Opens one that does not exist yet: seed it, or `PUT` it. */
  open(): Promise<TestDatabase>;
}

/** The one that comes with the demo. */
export const embedded: Target = {
  name: "the embedded database",
  async open() {
    const database = await startDatabase();
    return testDatabase(new URL(`${database.url}/blog`), () => database.close());
  },
};

function onServer(couchUrl: string): Target {
  return {
    name: "COUCHDB_URL",
    open() {
      const { server } = locate(new URL(couchUrl));
      const url = new URL(server);
      // Never the database that it names: that one is somebody's.
      url.pathname = `${server.pathname.replace(/\/$/, "")}/stillfresh-test-${crypto.randomUUID()}`;
      const database = testDatabase(url, async () => {
        await (await database.ask("", { method: "DELETE" })).text();
      });
      return Promise.resolve(database);
    },
  };
}

function testDatabase(url: URL, close: () => Promise<void>): TestDatabase {
  const { username, password } = url;
  const bare = new URL(url);
  bare.username = bare.password = "";
  const authorization = `Basic ${btoa(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`)}`;
  return {
    url,
    ask(path, init = {}) {
      const headers = new Headers(init.headers);
      if (username !== "") headers.set("authorization", authorization);
      return fetch(`${bare.href}${path}`, { ...init, headers });
    },
    close,
  };
}

const couchUrl = process.env["COUCHDB_URL"];

/** All there are. */
export const targets: readonly Target[] = couchUrl === undefined
  ? [embedded]
  : [embedded, onServer(couchUrl)];

/** Where one is enough: the one that was asked for. */
export const target: Target = targets.at(-1)!;
