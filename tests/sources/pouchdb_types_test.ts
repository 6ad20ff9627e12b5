/** What TypeScript accepts as a PouchDB, and what `changes()` accepts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { changes } from "../../src/pouchdb.ts";
import { Pouch } from "./sources.ts";

interface Row {
  id: string;
  seq: number | string;
  changes: { rev: string }[];
}

type Callback<Result> = (error: Error | null, result: Result | null) => void;

/**
 * What `@types/pouchdb-core` 7.0.15 declares of the methods that are called: overloads, an emitter that is a promise,
 * no `id()`. The package itself cannot be imported here: its global `Buffer` and `EventEmitter` would hold in every
 * other file that is checked with this one.
 */
interface TypedChanges extends Promise<{ status: string; last_seq: number | string; results: Row[] }> {
  on(event: "change", listener: (row: Row) => unknown): this;
  on(event: "error", listener: (error: unknown) => unknown): this;
  cancel(): void;
}

interface TypedPouch {
  name: string;
  info(callback: Callback<{ db_name: string; update_seq: number | string }>): void;
  info(): Promise<{ db_name: string; update_seq: number | string }>;
  changes(
    options: { since?: "now" | number | string | undefined; live?: boolean | undefined } | null,
    callback: Callback<TypedChanges>,
  ): void;
  changes(
    options?: { since?: "now" | number | string | undefined; live?: boolean | undefined },
  ): TypedChanges;
}

test("changes: a PouchDB typed by @types/pouchdb-core is followed", async () => {
  const pouch = new Pouch("typed");
  await pouch.put({ _id: "a" });
  const typed = pouch as unknown as TypedPouch;
  const seen: string[] = [];
  for await (const { id } of changes(typed, { since: 0, feed: "normal" })) seen.push(id);
  assert.deepEqual(seen, ["a"]);
  await pouch.destroy();
});

test("changes: what has no id(), info() or changes() is refused at once", () => {
  const whole = { name: "x", id: () => {}, info: () => {}, changes: () => {} };
  for (const method of ["id", "info", "changes"]) {
    const database = { ...whole, [method]: undefined };
    assert.throws(() => changes(database as never), {
      name: "TypeError",
      message: `Expected a PouchDB: it has no ${method}()`,
    });
  }
  assert.throws(() => changes(null as never), { message: "Expected a PouchDB: it has no id()" });
});
