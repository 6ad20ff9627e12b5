/** What a connection leaves behind. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDatabaseUrl } from "../../src/couchdb/wire/database_url.ts";
import { resolveOptions } from "../../src/couchdb/connection/options.ts";
import { LongpollStream } from "../../src/couchdb/connection/longpoll.ts";
import { ContinuousStream } from "../../src/couchdb/connection/continuous.ts";
import { Transport } from "../../src/couchdb/connection/transport.ts";
import { FakeTime } from "../support/fake_time.ts";

/** Counts the listeners of a signal. */
function counted(): { readonly session: AbortController; readonly listeners: () => number } {
  const session = new AbortController();
  const { signal } = session;
  const listeners = new Set<unknown>();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (type: string, listener: never, options?: never) => {
    listeners.add(listener);
    addEventListener.call(signal, type, listener, options);
  };
  signal.removeEventListener = (type: string, listener: never) => {
    listeners.delete(listener);
    removeEventListener.call(signal, type, listener);
  };
  return { session, listeners: () => listeners.size };
}

/** Settles only when it is aborted. */
function never(_: unknown, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
}

for (const Stream of [ContinuousStream, LongpollStream]) {
  test(`${Stream.name}: a session that goes on does not remember its closed connections`, () => {
    const { session, listeners } = counted();
    for (let n = 0; n < 3; n++) new Stream(never, resolveOptions({}), 0, session).close();
    assert.equal(listeners(), 0);
    new Stream(never, resolveOptions({}), 0, session);
    assert.equal(listeners(), 1);
    session.abort();
  });

  test(`${Stream.name}: the end of the session closes the connection`, async () => {
    const { session } = counted();
    const closed = new Promise<void>((resolve) => {
      const open = (_: unknown, signal: AbortSignal) => {
        signal.addEventListener("abort", () => resolve());
        return never(_, signal);
      };
      new Stream(open, resolveOptions({}), 0, session);
    });
    session.abort();
    await closed;
  });
}

test("Transport: an answer that takes longer than a server may be silent gets more time at the next attempt", async () => {
  const time = new FakeTime();
  const settings = resolveOptions({ ...time, fetch: () => new Promise(() => {}) });
  const transport = new Transport(parseDatabaseUrl("http://127.0.0.1/db"), settings);
  for (const idleTimeout of [30_000, 60_000, 120_000, 180_000]) {
    assert.equal(settings.watchdog.idleTimeout, idleTimeout);
    const text = transport.text("", new AbortController().signal);
    time.advance(idleTimeout);
    await assert.rejects(text, { code: "timeout" });
  }
});
