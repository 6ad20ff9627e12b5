import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { prepare } from "../../scripts/couchdb.ts";

/** A server that answers as told; a list is used up from its beginning, the last answer stays. */
async function withServer(
  answers: Readonly<Record<string, readonly number[]>>,
  take: (url: string, asked: string[]) => Promise<void>,
): Promise<void> {
  const asked: string[] = [];
  const left = new Map(Object.entries(answers).map(([line, statuses]) => [line, [...statuses]]));
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(`${line} ${request.headers.authorization}`);
    const statuses = left.get(line) ?? [404];
    response.statusCode = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
    response.end(JSON.stringify({ couchdb: "Welcome", version: "3.5.0" }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await take(`http://ann:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const made = { "PUT /_users": [201], "PUT /_replicator": [412], "PUT /_global_changes": [202] };

test("prepare: waits for the server, and makes the databases that are not there", async () => {
  await withServer({ "GET /": [500, 503, 200], ...made }, async (url, asked) => {
    const waits: number[] = [];
    const sleep = (ms: number): Promise<void> => {
      waits.push(ms);
      return Promise.resolve();
    };
    assert.deepEqual(await prepare(url, { sleep }), {
      version: "3.5.0",
      made: ["_users", "_global_changes"],
    });
    assert.deepEqual(waits, [1000, 1000]);
    const authorization = `Basic ${btoa("ann:p@ss")}`;
    assert.deepEqual(asked.slice(2), [
      `GET / ${authorization}`,
      ...Object.keys(made).map((line) => `${line} ${authorization}`),
    ]);
  });
});

test("prepare: gives up a server that is never ready, and one that refuses, at once", async () => {
  const sleep = (): Promise<void> => Promise.resolve();
  await withServer({ "GET /": [500] }, async (url, asked) => {
    await assert.rejects(prepare(url, { sleep, limit: 3 }), /was not ready within 3 s/);
    assert.equal(asked.length, 4);
  });
  await withServer({ "GET /": [401] }, async (url, asked) => {
    await assert.rejects(prepare(url, { sleep }), /answers 401/);
    assert.equal(asked.length, 1);
  });
  await withServer({ "GET /": [200], "PUT /_users": [403] }, async (url) => {
    await assert.rejects(prepare(url, { sleep }), /PUT \/_users was answered 403/);
  });
});
