import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeBatch, ChangesFeed } from "../../src/changes/change.ts";
import { ChangesError } from "../../src/changes/changes_error.ts";
import {
  ownFeed,
  type OwnFeedOptions,
  type SourceConnection,
  type SourceController,
} from "../../src/changes/own_feed.ts";
import { follow } from "../../src/registry/follow.ts";
import { EtagRegistry } from "../../src/registry/registry.ts";
import { FakeTime } from "../support/fake_time.ts";
import { settled } from "../support/feed.ts";
import { ask, keep } from "../support/registrations.ts";

const MAX_LAG = 1_000;

/** A connection that does nothing by itself. */
class Line implements SourceConnection {
  readonly controller: SourceController;
  readonly tokens: string[] = [];
  closed = 0;

  constructor(controller: SourceController) {
    this.controller = controller;
  }

  /** The last token sent comes back. */
  echo(connection: unknown = this): void {
    this.controller.received(this.tokens.at(-1)!, connection);
  }

  send(token: string): void {
    this.tokens.push(token);
  }

  close(): void {
    this.closed++;
  }
}

function setUp(options: Partial<OwnFeedOptions> = {}) {
  const time = new FakeTime();
  const lines: Line[] = [];
  const feed = ownFeed((controller) => {
    const line = new Line(controller);
    lines.push(line);
    return line;
  }, { ...time, random: () => 0.5, maxLag: MAX_LAG, ...options });
  const batches = feed.batches();
  /** The next batch, if there is one by now. */
  const read = async () => {
    const next = batches.next();
    await settled();
    return await Promise.race([next.then(({ value }) => value as ChangeBatch | undefined), undefined]);
  };
  const advance = async (ms: number) => {
    time.advance(ms);
    await settled();
  };
  /** Asks for the first batch, which proves contact. */
  const begin = async () => {
    const next = batches.next();
    await settled();
    lines[0]!.echo();
    return (await next).value!;
  };
  return { time, lines, feed, batches, read, advance, begin, instant: () => instantOf(time) };
}

function instantOf(time: FakeTime) {
  return { wall: time.now(), monotonic: time.monotonic() };
}

test("ownFeed: nothing is connected before the feed is read", async () => {
  const { lines, batches, feed } = setUp();
  await settled();
  assert.equal(lines.length, 0);
  const next = batches.next();
  assert.equal(lines.length, 1);
  await batches.return!();
  assert.deepEqual(await next, { done: true, value: undefined });
  assert.equal(feed.position, undefined);
});

test("ownFeed: live when the first token is back, as of when it was sent, and nothing before counts", async () => {
  const { lines, batches, advance, instant } = setUp();
  const next = batches.next();
  await settled();
  const contact = instant();
  await advance(300);
  lines[0]!.echo();
  const { value } = await next;
  assert.deepEqual(value, { changes: [], position: undefined, state: "live", contact, reset: "connected" });
});

test("ownFeed: what is heard before the first token is handed on, and is no contact", async () => {
  const { lines, batches } = setUp();
  const first = batches.next();
  await settled();
  lines[0]!.controller.change({ id: "early", rev: "1-a" });
  const { state, contact, changes } = (await first).value!;
  assert.deepEqual([state, contact, changes], ["catching-up", undefined, [{ id: "early", rev: "1-a" }]]);
});

test("ownFeed: a contact is told behind the changes that came before its token", async () => {
  const { lines, begin, batches, advance } = setUp();
  await begin();
  await advance(MAX_LAG / 2);
  const [{ controller }] = lines as [Line];
  controller.change({ id: "a" });
  lines[0]!.echo();
  controller.change({ id: "b" });
  const { changes, state, reset } = (await batches.next()).value!;
  assert.deepEqual([changes.map(({ id }: Change) => id), state, reset], [["a", "b"], "live", undefined]);
});

test("ownFeed: a token every half maxLag, each one of its own", async () => {
  const { lines, begin, batches, advance, instant } = setUp();
  await begin();
  for (let sent = 2; sent < 5; sent++) {
    await advance(MAX_LAG / 2 - 1);
    assert.equal(lines[0]!.tokens.length, sent - 1);
    await advance(1);
    assert.equal(lines[0]!.tokens.length, sent);
    const contact = instant();
    lines[0]!.echo();
    assert.deepEqual((await batches.next()).value!.contact, contact);
  }
  assert.equal(new Set(lines[0]!.tokens).size, 4);
  assert.equal(lines.length, 1);
});

test("ownFeed: the maxLag of the reader counts if it is the smaller one", async () => {
  for (
    const [own, readers, interval] of [[1_000, 400, 200], [1_000, 4_000, 500], [
      1_000,
      Infinity,
      500,
    ]] as const
  ) {
    const time = new FakeTime();
    const tokens: string[] = [];
    const feed = ownFeed(({ received }) => ({
      send: (token) => {
        tokens.push(token);
        received(token, 0);
      },
    }), { ...time, maxLag: own });
    const batches = feed.batches(undefined, { maxLag: readers });
    await batches.next();
    time.advance(interval - 1);
    await settled();
    assert.equal(tokens.length, 1);
    time.advance(1);
    await settled();
    assert.equal(tokens.length, 2);
    await batches.return!();
  }
});

test("ownFeed: a token that does not come back by the next is a loss, told at once, and the connection is closed", async () => {
  const lost: unknown[] = [];
  const { lines, begin, batches, advance } = setUp({ onLost: (reason) => lost.push(reason) });
  await begin();
  const next = batches.next();
  await advance(MAX_LAG / 2);
  assert.equal(lines[0]!.tokens.length, 2);
  await advance(MAX_LAG / 2 - 1);
  assert.deepEqual([lost, lines[0]!.closed], [[], 0]);
  await advance(1);
  assert.equal((await next).value!.state, "lost");
  assert.deepEqual(lost.map((reason) => (reason as ChangesError).code), ["timeout"]);
  assert.deepEqual([lines[0]!.closed, lines[0]!.controller.signal.aborted], [1, true]);
});

/** Tokens that prove nothing. */
const wrongTokens: Record<string, (tokens: readonly string[]) => unknown> = {
  "of another process": () => "stillfresh-6f6e1f43-2f5a-4f3a-9c39-0a4bd2a0a3d1-2",
  "that came back before": ([first]) => first,
  "that is cut short": (tokens) => tokens.at(-1)!.slice(0, -1),
  "that is none": () => undefined,
};

for (const [name, tokenOf] of Object.entries(wrongTokens)) {
  test(`ownFeed: a token ${name} proves nothing`, async () => {
    const { lines, begin, batches, advance } = setUp();
    const { contact } = await begin();
    const [line] = lines as [Line];
    const next = batches.next();
    await advance(MAX_LAG / 2);
    line.controller.received(tokenOf(line.tokens) as string, line);
    await advance(MAX_LAG / 2);
    const { fault, ...batch } = (await next).value!;
    assert.deepEqual(batch, { changes: [], position: undefined, state: "lost", contact });
    assert.match(String(fault), /A token has not come back in time/);
  });
}

test("ownFeed: a token that came back proves nothing once more", async () => {
  const { lines, begin, batches, advance } = setUp();
  const { contact } = await begin();
  lines[0]!.echo();
  lines[0]!.controller.change({ id: "a" });
  const { changes, contact: same } = (await batches.next()).value!;
  assert.deepEqual([changes, same], [[{ id: "a" }], contact]);
  await advance(0);
});

test("ownFeed: a token of an earlier connection proves nothing", async () => {
  const { lines, begin, batches, advance } = setUp();
  await begin();
  lines[0]!.controller.lost();
  await batches.next();
  await settled();
  await advance(0);
  const next = batches.next();
  lines[1]!.controller.received(lines[0]!.tokens[0]!, lines[1]);
  lines[0]!.controller.received(lines[1]!.tokens[0]!, lines[0]);
  await advance(MAX_LAG / 2);
  assert.equal((await next).value!.state, "lost", "each attempt that fails is told");
  await advance(500);
  lines[2]!.echo();
  assert.equal((await batches.next()).value!.state, "live");
  assert.equal(lines[1]!.closed, 1);
});

test("ownFeed: a token through another connection shows that the client has connected anew", async () => {
  const lost: unknown[] = [];
  const { lines, begin, batches, advance } = setUp({ onLost: (reason) => lost.push(reason) });
  await begin();
  await advance(MAX_LAG / 2);
  lines[0]!.echo("another socket");
  assert.equal((await batches.next()).value!.state, "lost");
  await settled();
  assert.deepEqual([lost.length, lines[0]!.closed], [1, 1]);
  await advance(0);
  lines[1]!.echo("another socket");
  const { state, reset } = (await batches.next()).value!;
  assert.deepEqual([state, reset], ["live", "connected"]);
});

test("ownFeed: any name of a connection will do that stays the same", async () => {
  for (const name of [NaN, undefined, 4711, {}]) {
    const { lines, batches, advance } = setUp();
    const next = batches.next();
    await settled();
    lines[0]!.controller.received(lines[0]!.tokens.at(-1)!, name);
    assert.equal((await next).value!.state, "live");
    await advance(MAX_LAG / 2);
    lines[0]!.controller.received(lines[0]!.tokens.at(-1)!, name);
    assert.equal((await batches.next()).value!.state, "live");
    await batches.return!();
  }
});

test("ownFeed: a loss is told at once, and what its connection still calls is ignored", async () => {
  const lost: unknown[] = [];
  const { lines, begin, batches, read, advance } = setUp({ onLost: (reason) => lost.push(reason) });
  const { contact } = await begin();
  const [line] = lines as [Line];
  await advance(MAX_LAG / 2);
  line.controller.lost("cut");
  line.echo();
  line.controller.change({ id: "late" });
  line.controller.lost("again");
  const batch = await batches.next();
  assert.deepEqual(batch.value, { changes: [], position: undefined, state: "lost", contact, fault: "cut" });
  assert.equal(await read(), undefined);
  assert.deepEqual([lost, lines.length], [["cut"], 1]);
  await advance(0);
  assert.equal(lines.length, 2, "the first new attempt is made at once");
});

test("ownFeed: a loss right after a token, before anything is read, is a loss", async () => {
  const { lines, batches } = setUp();
  const next = batches.next();
  await settled();
  assert.equal(lines.length, 1);
  lines[0]!.controller.change({ id: "a" });
  await next;
  lines[0]!.echo();
  lines[0]!.controller.lost();
  assert.equal((await batches.next()).value!.state, "lost");
});

test("ownFeed: lost() is a listener", async () => {
  const lost: unknown[] = [];
  const { lines, begin } = setUp({ onLost: (reason) => lost.push(reason) });
  await begin();
  const socket = new EventTarget();
  socket.addEventListener("close", lines[0]!.controller.lost);
  socket.dispatchEvent(new Event("close"));
  await settled();
  assert.equal((lost[0] as Event).type, "close");
});

/** Connections that never come to be, and the reason that `onLost` is told. */
const failures: Record<
  string,
  {
    readonly connect: (controller: SourceController) => unknown;
    readonly after?: number;
    readonly reason: RegExp;
  }
> = {
  "throws": {
    connect: () => {
      throw new Error("refused");
    },
    reason: /refused/,
  },
  "rejects": { connect: () => Promise.reject(new Error("refused")), reason: /refused/ },
  "does not end": { connect: () => new Promise(() => {}), after: 30_000, reason: /did not connect in time/ },
  "is lost on the way": {
    connect: ({ lost }) => {
      lost("cut");
      return new Promise(() => {});
    },
    reason: /cut/,
  },
  "is lost, and then throws": {
    connect: ({ lost }) => {
      lost("cut");
      throw new Error("refused");
    },
    reason: /cut/,
  },
  "gives a connection that cannot send": {
    connect: () => ({
      send: () => {
        throw new Error("closed");
      },
    }),
    reason: /closed/,
  },
  "gives a connection whose send rejects": {
    connect: () => ({ send: () => Promise.reject(new Error("closed")) }),
    reason: /closed/,
  },
};

for (const [name, { connect, after = 0, reason }] of Object.entries(failures)) {
  test(`ownFeed: a connect() that ${name} is a loss, and is called again`, async () => {
    const time = new FakeTime();
    const lost: unknown[] = [];
    let attempts = 0;
    const feed = ownFeed((controller) => {
      attempts++;
      return connect(controller) as SourceConnection;
    }, { ...time, random: () => 0.5, onLost: (why) => lost.push(why) });
    const batches = feed.batches();
    const next = batches.next();
    await settled();
    if (after > 0) time.advance(after);
    await settled();
    assert.equal((await next).value!.state, "lost");
    assert.equal(attempts, 1);
    assert.match(String(lost), reason);
    time.advance(0);
    await settled();
    assert.equal(attempts, 2);
    await batches.return!();
  });
}

test("ownFeed: a connection that is made too late is closed", async () => {
  const time = new FakeTime();
  let made = (_: SourceConnection) => {};
  const feed = ownFeed(() => new Promise<SourceConnection>((resolve) => made = resolve), { ...time });
  const batches = feed.batches();
  void batches.next();
  await settled();
  await batches.return!();
  let closed = 0;
  made({ send: () => assert.fail(), close: () => closed++ });
  await settled();
  assert.equal(closed, 1);
});

test("ownFeed: a close() that throws or rejects is ignored", async () => {
  for (const close of [() => Promise.reject(new Error("no")), () => assert.fail()]) {
    const time = new FakeTime();
    const feed = ownFeed(({ received }) => ({ send: (token) => received(token, 0), close }), { ...time });
    const batches = feed.batches();
    await batches.next();
    await batches.return!();
    await settled();
  }
});

test("ownFeed: waits between attempts grow to four seconds, and begin anew after a connection that lasted", async () => {
  const { lines, batches, begin, advance, time } = setUp();
  await begin();
  void batches.next();
  const waits: number[] = [];
  for (let attempt = 1; attempt < 12; attempt++) {
    lines.at(-1)!.controller.lost();
    await settled();
    let waited = 0;
    while (lines.length === attempt) {
      await advance(waited === 0 ? 0 : 250);
      if (lines.length === attempt) waited += 250;
    }
    waits.push(waited);
  }
  assert.deepEqual(waits.slice(0, 4).map((ms) => ms > 0), [false, true, true, true]);
  assert.deepEqual(waits.slice(1), [...waits.slice(1)].sort((a, b) => a - b));
  assert.equal(waits.at(-1), 2_000, "half of four seconds, by its jitter");

  const last = lines.at(-1)!;
  last.echo();
  await advance(MAX_LAG / 2);
  last.echo();
  await advance(MAX_LAG / 2);
  last.echo();
  last.controller.lost();
  await settled();
  const { length } = lines;
  await advance(0);
  assert.equal(lines.length, length + 1);
  assert.ok(time.monotonic() > 0);
});

test("ownFeed: what onLost throws does not harm the feed", async () => {
  const { lines, begin, batches, advance } = setUp({ onLost: () => assert.fail() });
  await begin();
  lines[0]!.controller.lost();
  assert.equal((await batches.next()).value!.state, "lost");
  await settled();
  await advance(0);
  assert.equal(lines.length, 2);
});

for (const code of ["unauthorized", "forbidden", "not-found", "bad-request"] as const) {
  test(`ownFeed: a fault "${code}" ends the feed, which can be read again`, async () => {
    const fault = new ChangesError(code, "no");
    let attempts = 0;
    const feed = ownFeed(() => {
      attempts++;
      return Promise.reject(fault);
    }, { ...new FakeTime(), onLost: () => assert.fail() });
    const batches = feed.batches();
    assert.equal((await batches.next()).value!.state, "lost");
    await assert.rejects(batches.next(), (error) => error === fault);
    assert.deepEqual(await batches.next(), { done: true, value: undefined });
    assert.equal(attempts, 1);
    assert.equal((await feed.batches().next()).value!.state, "lost");
  });
}

/** Programs that are wrong, and what the error says. */
const mistakes: Record<
  string,
  { readonly connect: unknown; readonly options?: OwnFeedOptions; readonly says: RegExp }
> = {
  "no way to send a token": { connect: () => {}, says: /\{ send\(token\) \}.*onlyWriter/ },
  "no way to send a token, later": { connect: () => Promise.resolve({}), says: /\{ send\(token\) \}/ },
  "an only writer that waits": {
    connect: () => Promise.resolve(),
    options: { onlyWriter: true },
    says: /onlyWriter.*nothing is waited for/,
  },
  "an only writer that sends": {
    connect: () => ({ send: () => {} }),
    options: { onlyWriter: true },
    says: /onlyWriter.*nothing is sent/,
  },
};

for (const [name, { connect, options, says }] of Object.entries(mistakes)) {
  test(`ownFeed: ${name} is a TypeError, and the feed is never live`, async () => {
    const feed = ownFeed(connect as () => SourceConnection, { ...new FakeTime(), ...options });
    const batches = feed.batches();
    assert.equal((await batches.next()).value!.state, "lost");
    await assert.rejects(batches.next(), (error) => error instanceof TypeError && says.test(error.message));
  });
}

for (const wrong of [undefined, (async function* () {})(), { send: () => {} }, "http://localhost/"]) {
  test(`ownFeed: throws at once for ${typeof wrong} ${wrong}`, () => {
    assert.throws(() => ownFeed(wrong as unknown as () => SourceConnection), TypeError);
  });
}

for (
  const wrong of [{ maxLag: 0 }, { maxLag: -1 }, { maxLag: NaN }, { maxQueued: 0 }, { maxQueued: 1.5 }, {
    maxQueued: Infinity,
  }]
) {
  test(`ownFeed: throws at once for ${Object.entries(wrong)}`, () => {
    assert.throws(() => setUp(wrong), RangeError);
  });
}

test("ownFeed: a change without an id throws, and is a loss, because a change is", async () => {
  for (const wrong of [undefined, {}, { id: 7 }, "a"]) {
    const { lines, begin, batches } = setUp();
    await begin();
    assert.throws(() => lines[0]!.controller.change(wrong as unknown as Change), TypeError);
    assert.equal((await batches.next()).value!.state, "lost");
  }
});

test("ownFeed, onlyWriter: live at once with a reset, and contact is now, every half maxLag", async () => {
  const time = new FakeTime();
  let change = (_: Change) => {};
  let begun = 0;
  const feed = ownFeed((controller) => {
    begun++;
    change = controller.change;
  }, { ...time, onlyWriter: true, maxLag: MAX_LAG });
  const batches = feed.batches();
  const first = (await batches.next()).value!;
  assert.deepEqual([first.state, first.reset, first.contact], ["live", "connected", instantOf(time)]);
  change({ id: "a" });
  assert.deepEqual((await batches.next()).value!.changes, [{ id: "a" }]);
  const next = batches.next();
  time.advance(MAX_LAG / 2);
  const { state, reset, contact } = (await next).value!;
  assert.deepEqual([state, reset, contact, begun], ["live", undefined, instantOf(time), 1]);
  await batches.return!();
});

test("ownFeed, onlyWriter: a listener that returns what its emitter gives is none that sends", async () => {
  const feed = ownFeed(() => () => {}, { ...new FakeTime(), onlyWriter: true });
  const batches = feed.batches();
  assert.equal((await batches.next()).value!.state, "live");
  await batches.return!();
});

test("ownFeed: more changes than maxQueued are dropped for a reset", async () => {
  const { lines, begin, batches } = setUp({ maxQueued: 3 });
  await begin();
  const { change } = lines[0]!.controller;
  for (const id of ["a", "b", "c", "d"]) change({ id });
  const { changes, reset, state } = (await batches.next()).value!;
  assert.deepEqual([changes, reset, state], [[{ id: "d" }], "overflow", "live"]);
  change({ id: "e" });
  assert.equal((await batches.next()).value!.reset, undefined, "the reset is told once");
});

test("ownFeed: at most 1,000 changes a batch; the contact comes with the last, a loss and a reset with the first", async () => {
  const { lines, begin, batches, advance } = setUp();
  const { contact: first } = await begin();
  await advance(MAX_LAG / 2);
  const { change, lost } = lines[0]!.controller;
  for (let n = 0; n < 2_500; n++) change({ id: `${n}` });
  lines[0]!.echo();
  const read = async () => {
    const { changes, state, contact } = (await batches.next()).value!;
    return [changes.length, state, contact === first];
  };
  assert.deepEqual([await read(), await read(), await read()], [
    [1_000, "live", true],
    [1_000, "live", true],
    [500, "live", false],
  ]);
  for (let n = 0; n < 1_500; n++) change({ id: `${n}` });
  lost();
  assert.deepEqual((await read()).slice(0, 2), [1_000, "lost"]);
  assert.deepEqual((await read()).slice(0, 2), [500, "lost"]);
});

test("ownFeed: return() settles what is pending, aborts the signal and closes the connection", async () => {
  const { lines, begin, batches, time, feed } = setUp({ onLost: () => assert.fail() });
  await begin();
  const next = batches.next();
  await batches.return!();
  assert.deepEqual([await next, await batches.next()], [{ done: true, value: undefined }, {
    done: true,
    value: undefined,
  }]);
  await settled();
  assert.deepEqual([lines[0]!.closed, lines[0]!.controller.signal.aborted, time.sleeping], [1, true, 0]);
  lines[0]!.controller.change({ id: "a" });
  assert.equal((await batches.next()).done, true);
  await feed[Symbol.asyncDispose]();
});

test("ownFeed: return() before anything was read connects nothing", async () => {
  const { lines, batches } = setUp();
  await batches.return!();
  assert.equal((await batches.next()).done, true);
  assert.equal(lines.length, 0);
});

test("ownFeed: one reader at a time, and again after its end", async () => {
  const { feed, lines, batches } = setUp();
  assert.throws(() => feed.batches(), TypeError);
  await feed[Symbol.asyncDispose]();
  const again = feed.batches();
  const next = again.next();
  await settled();
  lines[0]!.echo();
  assert.equal((await next).value!.reset, "connected");
  await batches.return!();
  assert.throws(() => feed.batches(), TypeError, "the end of the first reader is not that of the second");
  await again.return!();
});

test("ownFeed: one change at a time", async () => {
  const feed = ownFeed(({ change }) => {
    change({ id: "a" });
    change({ id: "b" });
  }, { ...new FakeTime(), onlyWriter: true });
  const ids: string[] = [];
  for await (const { id } of feed) {
    ids.push(id);
    if (ids.length === 2) break;
  }
  assert.deepEqual(ids, ["a", "b"]);
  await feed.batches().return!();
});

/** A registry that follows a feed of one's own, on one clock. */
function followed(connect: (controller: SourceController) => SourceConnection | Promise<SourceConnection>) {
  const time = new FakeTime();
  const registry = new EtagRegistry({ ...time });
  const feed: ChangesFeed = ownFeed(connect, { ...time, random: () => 0 });
  const follower = follow(registry, feed, { maxLag: MAX_LAG });
  return { time, registry, follower };
}

test("follow, ownFeed: nothing is answered before the source listens, and nothing of before is", async () => {
  let listen = (_: Line) => {};
  let line: Line | undefined;
  const { registry, follower } = followed((controller) => {
    line = new Line(controller);
    return new Promise<Line>((resolve) => listen = resolve);
  });
  await settled();
  keep(registry, "/", ["note"]);
  assert.deepEqual([registry.live, ask(registry, "/")], [false, "suspended"]);
  listen(line!);
  await settled();
  assert.equal(registry.live, false, "no token is back");
  line!.echo();
  await follower.ready;
  assert.deepEqual([registry.live, ask(registry, "/")], [true, "miss"]);
  await follower.close();
});

test("follow, ownFeed: cut and written to, nothing is answered, and the reset voids what was built before", async () => {
  const lines: Line[] = [];
  const { registry, follower, time } = followed((controller) => {
    const line = new Line(controller);
    lines.push(line);
    return line;
  });
  await settled();
  lines[0]!.echo();
  await follower.ready;
  keep(registry, "/", ["note"]);
  assert.equal(ask(registry, "/"), '"1"');
  lines[0]!.controller.lost();
  await settled();
  assert.equal(ask(registry, "/"), "suspended");
  time.advance(0);
  await settled();
  lines[1]!.echo();
  await settled();
  assert.deepEqual([registry.live, ask(registry, "/")], [true, "miss"]);
  await follower.close();
});

test("follow, ownFeed: a source that only stays open is live for maxLag, not longer", async () => {
  const lines: Line[] = [];
  const { registry, follower, time } = followed((controller) => {
    const line = new Line(controller);
    lines.push(line);
    return line;
  });
  await settled();
  lines[0]!.echo();
  await follower.ready;
  keep(registry, "/", ["note"]);
  // The machine slept: no timer has fired, and only the wall clock knows.
  time.suspend(MAX_LAG);
  assert.equal(ask(registry, "/"), '"1"');
  time.suspend(1);
  assert.equal(ask(registry, "/"), "suspended");
  await follower.close();
});
