/** The library on edges: loaded where modules may do nothing, and one catch-up in each event. */
import assert from "node:assert/strict";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { ScriptedCouchdb } from "../support/scripted_couchdb.ts";
import { type Edge, edgeRuntime, lambda, workerd, workerdProgram } from "./edges.ts";
import type { Places } from "./site.ts";

const edges: Readonly<Record<string, (places: Places) => Promise<Edge>>> = {
  "workerd as of 2026-01-01": (places) => workerd(places, "2026-01-01"),
  "workerd as of 2024-01-01, without WeakRef": (places) => workerd(places, "2024-01-01"),
  "Vercel's edge runtime": edgeRuntime,
  "AWS Lambda, through Hono's adapter": lambda,
};

/** Serves documents, and keeps the snapshot. */
async function startStorage(couchdb: ScriptedCouchdb) {
  let snapshot = new Uint8Array();
  const server = http.createServer(async (request, response) => {
    if (request.method === "PUT") {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      snapshot = new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
    }
    if (request.url === "/snapshot") return void response.end(snapshot);
    const id = request.url!.slice(1);
    response.end(JSON.stringify({ _id: id, _rev: couchdb.latest().get(id) }));
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((closed) => server.close(() => closed()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}

const noWorkerd = workerdProgram === undefined
  ? "no workerd for this platform; deno task install fetches it from npm"
  : false;

for (const [name, start] of Object.entries(edges)) {
  const skip = name.startsWith("workerd") && noWorkerd;
  test(
    `an edge, ${name}: 304 without the handler, an edit, a refusal, ten at once, a snapshot`,
    { skip },
    async () => {
      const couchdb = await ScriptedCouchdb.start();
      couchdb.put("post-1");
      couchdb.put("post-2");
      const storage = await startStorage(couchdb);
      const places = { COUCHDB: couchdb.url, STORAGE: storage.url };
      const edge = await start(places);
      try {
        const first = await edge.ask("/post-1");
        const etag = first.headers["etag"]!;
        assert.deepEqual([first.status, JSON.parse(first.body)._id, first.headers["x-runs"]], [
          200,
          "post-1",
          "1",
        ]);
        assert.match(etag, /^"1-/);
        for (const method of ["GET", "HEAD"]) {
          const hit = await edge.ask("/post-1", { "if-none-match": etag }, method);
          assert.deepEqual([hit.status, hit.body, hit.headers["etag"]], [304, "", etag]);
          assert.deepEqual([hit.headers["cache-status"], hit.headers["x-runs"]], ["Edge; hit", "1"]);
          assert.equal(hit.headers["cache-control"], "public, no-cache");
          assert.equal(hit.headers["stillfresh-depends-on"], undefined);
        }
        assert.equal((await edge.ask("/post-1", { "if-match": '"x"' })).status, 412);
        assert.equal((await edge.ask("/post-1", {}, "HEAD")).headers["etag"], etag);

        const conditional = { "if-none-match": etag };
        const many = await Promise.all(Array.from({ length: 10 }, () => edge.ask("/post-1", conditional)));
        for (const hit of many) {
          assert.deepEqual([hit.status, hit.headers["cache-status"]], [304, "Edge; hit"]);
        }

        const other = await edge.ask("/post-2");
        couchdb.put("post-1");
        const edited = await Promise.all(Array.from({ length: 5 }, () => edge.ask("/post-1", conditional)));
        for (const { status, headers } of edited) {
          assert.equal(status, 200);
          assert.match(headers["etag"]!, /^"2-/);
        }
        const again = { "if-none-match": edited[0]!.headers["etag"]! };
        assert.equal((await edge.ask("/post-1", again)).headers["cache-status"], "Edge; hit");

        assert.equal((await edge.ask("/save")).body, "saved");
        couchdb.put("post-1");
        const next = await start(places);
        try {
          assert.equal((await next.ask("/restore")).body, "restored");
          const kept = await next.ask("/post-2", { "if-none-match": other.headers["etag"]! });
          assert.deepEqual([kept.status, kept.headers["x-runs"]], [304, "0"], "edited on no edge meanwhile");
          const late = await next.ask("/post-1", again);
          assert.deepEqual(
            [late.status, late.headers["x-runs"]],
            [200, "1"],
            "edited while there was no edge",
          );
        } finally {
          await next.close();
        }
      } finally {
        await edge.close();
        await storage.close();
        await couchdb.close();
      }
    },
  );
}
