/**
 * What the snippets of README and docs leave to the reader's own program, for the compiler and for their run. A snippet
 * shadows what it declares itself.
 *
 * @module
 */
import { tmpdir } from "node:os";
import { changes } from "../../../src/couchdb/changes.ts";
import { EtagRegistry, type Group, group, type WithEtagOptions } from "../../../mod.ts";

export * from "../../../mod.ts";
export * from "../../../src/changes/change.ts";
export * from "../../../src/couchdb/changes.ts";
export * from "../../../src/inspector/inspector.ts";
export * from "../../../src/metrics/metrics.ts";
export * from "../../../src/proxy/proxy.ts";
export * from "../../../src/reads/reads.ts";
export * from "../../../src/why/why.ts";

const row = { seq: "1-x", id: "post-1", changes: [{ rev: "1-a" }] };
const info = { db_name: "blog", update_seq: "1-x", purge_seq: "0-x", instance_start_time: "1795354892" };

/** In the place of the network: a database with one document, and a page for any other address. */
globalThis.fetch = (input) => {
  const { href, pathname, searchParams } = new URL(input instanceof Request ? input.url : input);
  if (!href.startsWith("http://localhost:5984/")) return Promise.resolve(new Response("page"));
  if (!pathname.endsWith("/_changes")) return Promise.resolve(Response.json(info));
  if (searchParams.get("feed") === "continuous") return new Promise(() => {});
  return Promise.resolve(Response.json({ results: [row], last_seq: "1-x", pending: 0 }));
};

/** In the place of a server. */
Object.defineProperty(Deno, "serve", { value: () => undefined });

/** In the place of PostgreSQL: one post, and a feed that has nothing to tell. */
export const pool: {
  query(text: string, parameters?: string[]): Promise<{ rows: { id: number; looked: string }[] }>;
} = {
  query: (_text, parameters = []) => {
    const watched = [["posts", '{"table":"posts","groups":["author_id"]}', 2]];
    const looked = {
      now: "7:7:",
      asked: parameters[1],
      start: "1",
      age: 0,
      pruned: false,
      rows: null,
      version: 1,
      identity: "a",
      shape: "b",
      watched,
    };
    return Promise.resolve({ rows: [{ id: 1, looked: JSON.stringify(looked) }] });
  },
};

/** In the place of MariaDB: a feed that has nothing to tell. */
export const mariadb: { query(text: string): Promise<[rows: unknown[], fields: unknown[]]> } = {
  query: () => {
    const shape = [["", "version 1"], [
      "posts",
      'about {"table":"posts","groups":[],"cascades":[],"triggers":3}',
    ], [
      "posts",
      "engine InnoDB/1",
    ], ...["insert", "update", "delete"].map((event) => ["posts", `trigger ${event}`])];
    const rows = [["top", "7", ""], ["floor", "0", ""], ["identity", "a", ""]].map(([kind, a, b]) => ({
      kind,
      a,
      b,
    }));
    return Promise.resolve([[...rows, ...shape.map(([a, b]) => ({ kind: "shape", a, b }))], []]);
  },
};

export type Handler = (request: Request) => Response | Promise<Response>;

/** A document of a database. */
export interface Stored {
  readonly _id: string;
  readonly _rev: string;
  readonly author: string;
  readonly owner: string;
  readonly published: boolean;
}

/** A note. */
export type Note = Stored;
/** A post. */
export type Post = Stored;

const document = (_id: string): Stored => ({
  _id,
  _rev: "1-a",
  author: "user-ada",
  owner: "ada",
  published: true,
});

export const file: string = `${tmpdir()}/stillfresh-snippet.snapshot`;
export const draft: string = `${file}.new`;
export const url = "http://localhost:5984/blog";
export const blogUrl = "http://localhost:5984/blog";
export const userUrl = "http://localhost:5984/users";
export const upstream = "http://localhost:3000";
export const id = "post-1";
export const _id = "post-1";
export const html = "<!doctype html>";
export const post: Stored = document("post-1");
export const note: Stored = document("note-1");
export const author: Stored = document("user-ada");
export const session: Stored = document("session-1");
export const all: readonly Stored[] = [post, document("post-2")];
export const posts: readonly Stored[] = all;
export const postsOfAda: readonly Stored[] = all;
export const request: Request = new Request("http://localhost/posts/1", {
  method: "PUT",
  body: JSON.stringify({ title: "Fresh" }),
});
export const allPosts: Group = group("posts", ({ id }) => id.startsWith("post-"));
export const registry: EtagRegistry = new EtagRegistry({ manual: true });
export const feed: ReturnType<typeof changes> = changes(url);
export const stored: undefined = undefined;
export const HEADERS: Headers = new Headers();
export const logger: Pick<Console, "debug" | "error"> = { debug() {}, error() {} };
export const handler: Handler = (): Response => new Response("page");
export const postHandler: Handler = handler;
export const pageHandler: Handler = handler;
export const routes: Handler = handler;
export const origins: readonly string[] = ["https://app.example"];
export const options: WithEtagOptions = {};
export const cors = (inner: Handler, _origins: readonly string[]): Handler => inner;
export const compress = (inner: Handler): Handler => inner;

export const load = (_request: Request): Promise<Stored> => Promise.resolve(post);
export const readPosts = (): Promise<readonly Stored[]> => Promise.resolve(all);
export const requireSession = (_request: Request): Promise<Stored> => Promise.resolve(session);
export const save = (_document: unknown): Promise<void> => Promise.resolve();
export const show = (_note: unknown, init: ResponseInit): Response => new Response("note", init);
export const page = (...given: readonly unknown[]): Response =>
  new Response("page", given.at(-1) as ResponseInit);
export const failed = (_error: unknown): Response => new Response("failed", { status: 500 });
export const render = (..._given: readonly unknown[]): string => html;
export const count = (..._given: readonly unknown[]): Promise<void> => Promise.resolve();
export const rendererOf = (_request: Request): string => upstream;
export const application = (_request: Request, _user: unknown): Response => new Response("page");
export const verify = (_field: string | null): { readonly id: string } | undefined => ({ id: "ada" });
export const userOf = (_request: Request): string | undefined => "ada";
export const sessionOf = (_request: Request): string | undefined => "session-1";
export const idOf = (_request: Request): string => "post-1";
export const startOver = (_reason: string): void => {};
export const apply = (_changes: unknown): Promise<void> => Promise.resolve();
export const store = (_position: unknown): Promise<void> => Promise.resolve();
export const isNote = (doc: unknown): doc is Stored => doc !== undefined;
export const isPost = (doc: unknown): doc is Stored => doc !== undefined;

/** Handles of a database, as nano has them. */
interface Handle {
  get(id: string): Promise<Stored>;
  list(): Promise<unknown>;
  insert(document: unknown): Promise<unknown>;
}

/** A row of a price list. */
export interface Price {
  readonly version: number;
}

const handle: Handle = {
  list: () => Promise.resolve({ rows: [] }),
  get: (id) => Promise.resolve(document(id)),
  insert: () => Promise.resolve({}),
};
export const db: Handle = handle;
export const database: Handle = handle;
export const blog: Handle = handle;
export const users: Handle = handle;
export const cache = {
  getOrLoad: <T>(_id: string, load: () => T, _options: object): T => load(),
};

/** As `pg` has it, as far as the snippets go. */
export class Client {
  constructor(_url: string) {}
  on(event: "error" | "end", listener: (error?: unknown) => void): void;
  on(event: "notification", listener: (message: { readonly payload: string }) => void): void;
  on(): void {}
  connect = (): Promise<void> => Promise.resolve();
  query = (_text: string, _values?: readonly unknown[]): Promise<unknown> => Promise.resolve();
  end = (): Promise<void> => Promise.resolve();
}
export const pg: { readonly Client: typeof Client } = { Client };
export const client: Client = new Client(url);
export const on = async function* (
  _client: Client,
  _event: string,
): AsyncGenerator<readonly [{ readonly payload: string }]> {};
export const notify = (_client: Client, _token: string): Promise<void> => Promise.resolve();
/** Prices in memory. */
export const prices = {
  addEventListener(
    _type: "change",
    _listener: (event: { readonly detail: string }) => void,
    _options: { readonly signal: AbortSignal },
  ): void {},
};
export const change = (_change: unknown): void => {};
