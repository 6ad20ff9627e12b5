/** Notes behind a login: what README.md and docs/http.md advise for logins and for writes, as one program. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  conflictResponse,
  dependsOn,
  EtagRegistry,
  follow,
  guard,
  invalidates,
  ownFeed,
  revisionOf,
  withEtag,
} from "../../mod.ts";

const URL = "http://localhost/notes/1";

interface Document {
  readonly _id: string;
  readonly _rev: string;
  readonly text?: string;
  readonly user?: string;
}

/** A database that compares revisions, and tells what changes. */
class Database {
  readonly documents: Map<string, Document> = new Map();
  onChange: (id: string, rev: string) => void = () => {};

  get(id: string): Promise<Document | undefined> {
    return Promise.resolve(this.documents.get(id));
  }

  put(document: Omit<Document, "_rev"> & { readonly _rev?: string | undefined }): Promise<Document> {
    const { _id, _rev } = document;
    const known = this.documents.get(_id);
    if (known?._rev !== _rev) {
      return Promise.reject(Object.assign(new Error("conflict"), { statusCode: 409 }));
    }
    const next = { ...document, _rev: `${parseInt(known?._rev ?? "0") + 1}-${"a".repeat(32)}` };
    this.documents.set(_id, next);
    this.onChange(_id, next._rev);
    return Promise.resolve(next);
  }
}

async function open() {
  const database = new Database();
  const registry = new EtagRegistry();
  const follower = follow(
    registry,
    ownFeed((connection) => {
      database.onChange = (id, rev) => connection.change({ id, rev });
    }, { onlyWriter: true }),
  );
  await follower.ready;
  let runs = 0;

  const sessionOf = (request: Request) => {
    const id = /sid=([\w-]+)/.exec(request.headers.get("cookie") ?? "")?.[1];
    const session = id === undefined ? undefined : database.documents.get(id);
    return session?.text === "ended" ? undefined : session;
  };
  const handler = withEtag(async (request: Request) => {
    runs++;
    const session = sessionOf(request);
    if (session === undefined) return new Response("Please log in", { status: 401 });
    const note = (await database.get("note-1"))!;
    if (request.method === "GET") {
      return Response.json(note, {
        headers: { "cache-control": "private, no-cache", ...dependsOn(note, guard(session)) },
      });
    }
    try {
      await database.put({ _id: "note-1", text: await request.text(), _rev: revisionOf(request) });
    } catch (error) {
      const conflict = conflictResponse(request, error);
      if (conflict) return conflict;
      throw error;
    }
    return new Response(null, { status: 204, headers: invalidates("note-1") });
  }, {
    registry,
    caller: (request) => sessionOf(request)?.user,
    current: async () => await database.get("note-1") ?? null,
    requirePrecondition: true,
  });
  await database.put({ _id: "note-1", text: "one" });
  await database.put({ _id: "s-1", user: "ann" });
  await follower.ready;
  const send = async (init: RequestInit & { readonly sid?: string } = {}) => {
    const { sid = "s-1", headers, ...rest } = init;
    return await handler(new Request(URL, { ...rest, headers: { cookie: `sid=${sid}`, ...headers } }));
  };
  return { database, registry, follower, send, runs: () => runs };
}

test("a login: a hit for the user, and every write with a fresh tag passes", async () => {
  const { database, follower, send, runs } = await open();
  const first = await send();
  const etag = first.headers.get("etag")!;
  assert.equal((await send({ headers: { "if-none-match": etag } })).status, 304);
  assert.equal(runs(), 1, "the handler has not run again");

  assert.equal((await send({ method: "PUT", body: "two", headers: { "if-match": etag } })).status, 204);
  assert.equal(database.documents.get("note-1")?.text, "two");
  const late = await send({ method: "PUT", body: "three", headers: { "if-match": etag } });
  assert.equal(late.status, 412);
  assert.match((await late.json()).detail, /older state/);
  const next = (await send()).headers.get("etag")!;
  assert.equal((await send({ method: "PUT", body: "three", headers: { "if-match": next } })).status, 204);
  assert.equal((await send({ method: "PUT", body: "four" })).status, 428);
  await follower.close();
});

test("a login: the end of a session voids, and a session that is touched leaves the tag alone", async () => {
  const { database, registry, follower, send, runs } = await open();
  const etag = (await send()).headers.get("etag")!;
  const session = database.documents.get("s-1")!;
  await database.put({ ...session, text: "seen at noon" });
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(registry.hasTag(etag), false, "the access has to be checked again");
  assert.equal((await send({ headers: { "if-none-match": etag } })).status, 304, "the note is the same");
  assert.equal(runs(), 2);
  assert.equal((await send({ method: "PUT", body: "two", headers: { "if-match": etag } })).status, 204);

  const next = (await send()).headers.get("etag")!;
  await database.put({ ...database.documents.get("s-1")!, text: "ended" });
  assert.equal((await send({ headers: { "if-none-match": next } })).status, 401);

  await database.put({ _id: "s-2", user: "ann" });
  const again = await send({ sid: "s-2", headers: { "if-none-match": next } });
  assert.equal(again.status, 304, "logged in anew, with the copy of before");
  const put = await send({ sid: "s-2", method: "PUT", body: "three", headers: { "if-match": next } });
  assert.equal(put.status, 204);
  await follower.close();
});
