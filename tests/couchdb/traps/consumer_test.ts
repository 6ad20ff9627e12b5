/** Traps of the `_changes` feed: what the consumer of the changes does, and what it may rely on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { has, live, until, withDatabase } from "../../support/feed_harness.ts";

// Trap 3. A feed resumes after the last change that was processed, not after the last one that was received, parsed or
// put into a batch.
test("trap 3: the position is that of the last change processed, not of the last one received", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b", "c"]) database.put(id);
    const feed = open({ since: 0 });
    const iterator = feed[Symbol.asyncIterator]();
    for (const expected of [undefined, "1-g1AAAA", "2-g1AAAA"]) {
      await iterator.next();
      assert.equal(feed.since, expected);
    }
  }));

// Trap 38. An abort has to reject the pending read, cancel the body, clear every timer and interrupt the wait before the
// next attempt. Leaving the loop has to do the same.
test("trap 38: an abort rejects the pending next(), closes the socket and leaves no timer", () =>
  withDatabase(async ({ database, time, open }) => {
    const controller = new AbortController();
    const batches = open({ signal: controller.signal }).batches();
    await until(batches, live);
    const next = batches.next();
    const asked = await database.asked("continuous", 0);
    controller.abort();
    await assert.rejects(next, { code: "aborted" });
    await asked.closed;
    assert.equal(time.sleeping, 0);
  }));

// Trap 39. A consumer that throws has not processed its change, so the position stays before it.
test("trap 39: an error of the consumer's does not skip the change that it met", () =>
  withDatabase(async ({ database, open }) => {
    for (const id of ["a", "b"]) database.put(id);
    const feed = open({ since: 0 });
    const seen: string[] = [];
    const read = async () => {
      for await (const { id } of feed) {
        seen.push(id);
        if (seen.length === 2) throw new Error("no");
        if (seen.length === 3) break;
      }
    };
    await assert.rejects(read, /no/);
    await read();
    assert.deepEqual(seen, ["a", "b", "b"]);
  }));

// Trap 40. Back-pressure is to stop reading. But a feed that is not read sees no heartbeats either, so the watchdog sleeps
// while the consumer works on a change.
test("trap 40: the watchdog sleeps while the consumer works, and nothing is read ahead", () =>
  withDatabase(async ({ database, time, open }) => {
    const batches = open({ maxLag: 1e12 }).batches();
    await until(batches, live);
    const reading = until(batches, has("a"));
    await database.asked("continuous", 0);
    database.put("a");
    await reading;
    time.advance(3_600_000);
    const next = until(batches, has("b"));
    database.put("b");
    assert.deepEqual((await next).map(({ state }) => state), ["live"]);
  }));

// Trap 41. The server looks for clients that have gone only every 30 to 45 seconds. A feed that is no longer wanted is
// aborted; a reference that is dropped closes nothing.
for (const end of ["break", "return", "dispose"] as const) {
  test(`trap 41: ${end} closes the connection, not just the reference`, () =>
    withDatabase(async ({ database, open }) => {
      const feed = open();
      const connected = database.asked("continuous", 0).then((asked) => {
        if (end === "break") database.put("a");
        return asked;
      });
      if (end === "break") {
        for await (const _ of feed) break;
      } else {
        const iterator = feed[Symbol.asyncIterator]();
        const next = iterator.next();
        await connected;
        await (end === "return" ? iterator.return?.() : feed[Symbol.asyncDispose]());
        assert.equal((await next).done, true);
      }
      await (await connected).closed;
      assert.equal(database.openFeeds, 0);
    }));
}
