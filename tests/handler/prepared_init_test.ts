import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry } from "../../src/registry/entry.ts";
import { notModifiedInits, PreparedInits } from "../../src/handler/prepared_init.ts";
import { SharedHeaders } from "../../src/registry/shared_headers.ts";

const shared = new SharedHeaders().acquire({ "cache-control": "public", vary: "accept" }, true, false);

function entry(at: number): Entry {
  return { etag: `"${at}"`, lastModified: undefined, init: shared, isPublic: true, prepared: undefined };
}

/** More than are kept ready. */
const MANY = 10_000;

test("PreparedInits: every 304 has the tag and the fields of its own entry, prepared or not", () => {
  const inits = new PreparedInits();
  const entries = Array.from({ length: MANY }, (_, at) => entry(at));
  for (let round = 0; round < 3; round++) {
    for (const one of entries) {
      const { status, headers } = new Response(null, inits.of(one));
      assert.equal(status, 304);
      assert.deepEqual([...headers], [["cache-control", "public"], ["etag", one.etag], ["vary", "accept"]]);
    }
  }
});

test("PreparedInits: what is done to a 304 is not seen in the next", () => {
  const inits = new PreparedInits();
  const one = entry(1);
  for (let round = 0; round < 3; round++) {
    const { headers } = new Response(null, inits.of(one));
    assert.equal(headers.get("x-seen"), null);
    assert.equal(headers.get("etag"), '"1"');
    headers.set("x-seen", "yes");
    headers.set("etag", '"changed"');
  }
});

test("PreparedInits: a bounded number is kept ready, and a scan does not push out what is in use", () => {
  const inits = new PreparedInits();
  const hot = Array.from({ length: 100 }, (_, at) => entry(at));
  const cold = Array.from({ length: MANY }, (_, at) => entry(at));
  for (const [at, one] of cold.entries()) {
    inits.of(hot[at % hot.length]!);
    inits.of(one);
  }
  assert.equal(inits.size, 4_096);
  for (const one of hot) assert.equal(inits.of(one), inits.of(one), "the same object: it is ready");
});

test("PreparedInits: two sites that share a registry never give one entry's fields to another", () => {
  const sites = [new PreparedInits(), new PreparedInits()];
  const entries = Array.from({ length: MANY }, (_, at) => entry(at));
  for (let step = 0; step < 6 * MANY; step++) {
    const one = entries[(step * 7_919) % MANY]!;
    const { headers } = new Response(null, sites[step % 3 % 2]!.of(one));
    assert.equal(headers.get("etag"), one.etag);
  }
});

/** Keeps what it is given, and makes no copy. */
class Keeping {
  readonly headers: unknown;
  constructor(_body: unknown, { headers }: ResponseInit) {
    this.headers = headers;
  }
}

test("notModifiedInits: a class that a server puts in the place of Response gets a record, and a new one each time", () => {
  const platform = Response;
  const initOf = notModifiedInits();
  const one = entry(1);
  const own = initOf(one);
  // The platform's own takes over what another class of the platform keeps to itself.
  assert.equal(own.headers instanceof Headers, Reflect.ownKeys(new Headers()).length === 0);
  for (const replacement of [class extends platform {}, Keeping as unknown as typeof Response]) {
    try {
      globalThis.Response = replacement;
      const [first, second] = [initOf(one), initOf(one)];
      assert.deepEqual(first.headers, { "cache-control": "public", vary: "accept", etag: '"1"' });
      assert.notEqual(first.headers, second.headers);
    } finally {
      globalThis.Response = platform;
    }
    assert.equal(initOf(one).headers instanceof Headers, own.headers instanceof Headers);
  }
});
