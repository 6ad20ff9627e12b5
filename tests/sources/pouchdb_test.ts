/** What only a PouchDB in this process does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes, type PouchChangesOptions } from "../../src/pouchdb.ts";
import { has, ids, live, resets, until } from "../support/feed_harness.ts";
import { Pouch } from "./sources.ts";

type PouchHandle = InstanceType<typeof Pouch>;

let made = 0;

async function withPouch(test: (pouch: PouchHandle) => Promise<void>): Promise<void> {
  const pouch = new Pouch(`pouchdb-${++made}`);
  try {
    await test(pouch);
  } finally {
    await pouch.destroy().catch(() => {});
  }
}

const everyId = async (pouch: PouchHandle, options: PouchChangesOptions) => {
  const seen: string[] = [];
  for await (const { id } of changes(pouch, { since: 0, feed: "normal", ...options })) seen.push(id);
  return seen;
};

test("PouchDB: selectors, views and filter functions", () =>
  withPouch(async (pouch) => {
    for (const [id, kind] of [["a", "even"], ["b", "odd"], ["c", "even"]]) await pouch.put({ _id: id, kind });
    await pouch.put({
      _id: "_design/app",
      views: { even: { map: "function (doc) { if (doc.kind === 'even') emit(doc._id); }" } },
      filters: { kind: "function (doc, req) { return doc.kind === req.query.kind; }" },
    });
    assert.deepEqual(await everyId(pouch, { filter: "_selector", selector: { kind: "odd" } }), ["b"]);
    assert.deepEqual(await everyId(pouch, { filter: "_view", view: "app/even" }), ["a", "c"]);
    assert.deepEqual(await everyId(pouch, { filter: "app/kind", query: { kind: "even" } }), ["a", "c"]);
    await assert.rejects(everyId(pouch, { filter: "app/none" }), { code: "bad-request" });
  }));

test("PouchDB: what it has not is refused at once", () =>
  withPouch(async (pouch) => {
    assert.throws(() => changes(pouch, { filter: "_design" }), /PouchDB has no filter: "_design"/);
    const options = { filter: "_selector", selector: {}, includeDocs: true, fields: ["a"] };
    assert.throws(() => changes(pouch, options), /PouchDB has no fields/);
    assert.match(String(changes(pouch)), /^changes of pouchdb:pouchdb-\d+$/);
    await pouch.info();
  }));

test("PouchDB: a slow consumer is not run ahead of", () =>
  withPouch(async (pouch) => {
    const pages: number[] = [];
    const watched = {
      name: pouch.name,
      id: () => pouch.id(),
      info: () => pouch.info(),
      changes: (options: { readonly live?: boolean; readonly limit?: number }) => {
        if (!options.live) pages.push(options.limit ?? 0);
        return pouch.changes(options);
      },
    };
    for (let n = 0; n < 30; n++) await pouch.put({ _id: `doc-${n}` });
    const feed = changes(watched, { since: 0, batchSize: 10 });
    const iterator = feed[Symbol.asyncIterator]();
    for (let n = 0; n < 10; n++) await iterator.next();
    assert.deepEqual(pages, [10]);
    await iterator.return?.();
  }));

test("PouchDB: a database of the same name is another one", () =>
  withPouch(async (pouch) => {
    await pouch.put({ _id: "a" });
    const batches = changes(pouch, { since: 0 }).batches();
    const position = (await until(batches, has("a"))).at(-1)?.position;
    await batches.return?.();
    const { name } = pouch;
    await pouch.destroy();
    const again = new Pouch(name);
    await again.put({ _id: "b" });
    const resumed = changes(again).batches(position);
    const seen = await until(resumed, live);
    assert.deepEqual([resets(seen), ids(seen)], [["recreated"], ["b"]]);
    await resumed.return?.();
    await again.destroy();
  }));
