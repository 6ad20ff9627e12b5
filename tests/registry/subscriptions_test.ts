import assert from "node:assert/strict";
import { test } from "node:test";
import type { Change, ChangeBatch } from "../../src/changes/change.ts";
import type { Seat, SeatHost } from "../../src/registry/subscription.ts";
import { Seats } from "../../src/registry/subscriptions.ts";
import { SettableClock } from "../support/clock.ts";
import { live, noGroups } from "../support/registrations.ts";

const MAX_LAG = 1_000;

function setUp() {
  const clock = new SettableClock();
  const seats = new Seats(clock);
  const told: string[] = [];
  const host: SeatHost = {
    reset: (reason) => told.push(`reset ${reason}`),
    change: (group, rev, seat) => told.push(`${seat.name}: ${group} ${rev ?? "-"}`),
    seatChanged: () => seats.judge(),
  };
  const take = (name = "changes", settle?: number, maxLag = MAX_LAG): Seat =>
    seats.take(host, name, maxLag, settle);
  const batch = (changes: readonly Change[] = [], more: Partial<ChangeBatch> = {}) =>
    live(clock, changes, more);
  return { clock, seats, told, take, batch };
}

test("Seats: without followers always live", () => {
  assert.equal(setUp().seats.live, true);
});

test("Seats: from the moment a seat is taken nothing is answered, until its first live batch", () => {
  const { seats, take, batch } = setUp();
  const seat = take();
  assert.equal(seats.live, false);
  seat.apply(batch([], { state: "catching-up" }), noGroups);
  assert.equal(seats.live, false);
  seat.apply(batch(), noGroups);
  assert.equal(seats.live, true);
});

test("Seats: contact lost or the follower closed: not live from that instant", () => {
  const { seats, take, batch } = setUp();
  const seat = take();
  seat.apply(batch(), noGroups);
  seat.apply(batch([], { state: "lost" }), noGroups);
  assert.deepEqual([seats.live, seat.live], [false, false]);
  seat.apply(batch(), noGroups);
  assert.equal(seats.live, true, "resumed by a batch that was applied");
  seat.close();
  assert.deepEqual([seats.live, seat.live, seat.closed], [false, false, true]);
  seat.apply(batch(), noGroups);
  assert.equal(seats.live, false, "a closed seat says nothing");
});

test("Seats: live needs a contact; a batch that came without one is not enough", () => {
  const { seats, take, batch } = setUp();
  const seat = take();
  seat.apply(batch([], { contact: undefined }), noGroups);
  assert.deepEqual([seats.live, seat.live], [false, false]);
});

test("Seats: live up to and including maxLag after the contact", () => {
  const { seats, take, batch, clock } = setUp();
  const seat = take();
  seat.apply(batch(), noGroups);
  clock.advance(MAX_LAG);
  assert.deepEqual([seats.live, seat.lag], [true, MAX_LAG]);
  clock.advance(1);
  assert.deepEqual([seats.live, seat.lag], [false, MAX_LAG + 1]);
  seat.apply(batch(), noGroups);
  assert.deepEqual([seats.live, seat.lag], [true, 0]);
});

test("Seats: the larger of both clocks says how old the contact is", () => {
  const { seats, take, batch, clock } = setUp();
  const seat = take();
  seat.apply(batch(), noGroups);
  clock.wall += MAX_LAG + 1;
  assert.deepEqual(
    [seats.live, seat.lag],
    [false, MAX_LAG + 1],
    "the machine slept: only the wall clock moved",
  );
  clock.wall -= 100 * MAX_LAG;
  assert.equal(seats.live, true);
  clock.mono += MAX_LAG;
  assert.deepEqual([seats.live, seat.lag], [true, MAX_LAG], "the wall clock was set back");
  clock.mono += 1;
  assert.deepEqual([seats.live, seat.lag], [false, MAX_LAG + 1]);
});

test("Seats: the age is that of the contact, not of the batch that tells of it", () => {
  const { seats, take, batch, clock } = setUp();
  const contact = clock.instant;
  clock.advance(MAX_LAG + 1);
  const seat = take();
  seat.apply(batch([], { contact }), noGroups);
  assert.deepEqual([seats.live, seat.live], [false, true]);
});

test("Seats: all must be live, each within its own maxLag", () => {
  const { seats, take, batch, clock } = setUp();
  const [posts, users] = [take("posts"), take("users", undefined, 10 * MAX_LAG)];
  posts.apply(batch(), noGroups);
  assert.equal(seats.live, false);
  users.apply(batch(), noGroups);
  assert.equal(seats.live, true);
  clock.advance(MAX_LAG + 1);
  assert.equal(seats.live, false);
  posts.apply(batch(), noGroups);
  assert.equal(seats.live, true);
  users.close();
  assert.equal(seats.live, false);
});

test("Seats: a name is taken once, until its seat is closed", () => {
  const { take } = setUp();
  const seat = take("posts");
  assert.throws(
    () => take("posts"),
    (error) => error instanceof TypeError && error.message.includes('"posts"'),
  );
  take("users");
  seat.close();
  take("posts");
});

test("Seats: the longest settle of any seat counts, of closed ones too", () => {
  const { seats, take, batch } = setUp();
  take("one", 100);
  const other = take("other", 700);
  assert.equal(seats.settle, 700);
  other.apply(batch(), noGroups);
  other.close();
  assert.equal(seats.settle, 700);
});

test("Seat: a start position resets, the batches after it do not", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  seat.apply(batch([{ id: "a", rev: "1-x" }]), noGroups);
  seat.apply(batch([{ id: "b" }]), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a 1-x", "changes: b -"]);
});

test("Seat: a gap resets before the changes it came with", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  seat.apply(batch(), noGroups);
  told.length = 0;
  seat.apply(batch([{ id: "a" }], { reset: "recreated" }), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a -"]);
});

test("Seat: the next of its name resumes where the last one stood, without a reset", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  const position = { since: "5-x", source: "db" };
  seat.apply(batch([], { position }), noGroups);
  seat.close();
  told.length = 0;
  const next = take();
  assert.deepEqual(next.position, position);
  next.apply(batch([{ id: "a" }], { position }), noGroups);
  assert.deepEqual(told, ["changes: a -"]);
});

test("Seat: a source that cannot resume starts anew", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  seat.apply(batch(), noGroups);
  seat.close();
  told.length = 0;
  take().apply(batch(), noGroups);
  assert.deepEqual(told, ["reset reset"]);
});

test("Seat: a source that no longer says where it is has begun anew, so everything before is void", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  seat.apply(batch([], { position: { since: "5-x", source: "db" } }), noGroups);
  seat.close();
  told.length = 0;
  const next = take();
  next.apply(batch([{ id: "a" }]), noGroups);
  assert.deepEqual(told, ["reset reset", "changes: a -"]);
  assert.equal(next.position, undefined);
});

test("Seat: a batch of a source that has no batches is live as of now", () => {
  const { take, seats, clock, told } = setUp();
  const seat = take("plain", undefined, Infinity);
  seat.apply(seat.unbatched({ id: "a" }), noGroups);
  clock.advance(1e12);
  assert.equal(seats.live, true, "it has no contact that could grow old");
  assert.deepEqual(told, ["reset reset", "plain: a -"]);
});

test("Seat: the groups that a change touches change too, without a revision", () => {
  const { take, batch, told } = setUp();
  const seat = take();
  seat.apply(batch([{ id: "a", rev: "1-x" }]), (change) => [`list of ${change.id}`, "all"]);
  assert.deepEqual(told.slice(1), ["changes: a 1-x", "changes: list of a -", "changes: all -"]);
});

test("Seat: a groups function that answers one name means that group, not its letters", () => {
  const { take, batch, told } = setUp();
  take().apply(batch([{ id: "a" }]), () => "posts");
  assert.deepEqual(told.slice(1), ["changes: a -", "changes: posts -"]);
});

for (
  const [what, groups] of [
    ["throws", () => {
      throw new Error("no such field");
    }],
    ["answers nothing", () => undefined],
    ["names what is no string", () => [undefined]],
    ["answers a promise", () => Promise.resolve(["posts"])],
    ["throws midway", function* () {
      yield "posts";
      throw new Error("no such field");
    }],
  ] as const
) {
  test(`Seat: a groups function that ${what} voids everything, and the other changes still count`, () => {
    const { take, batch, told, seats } = setUp();
    const seat = take();
    seat.apply(batch(), noGroups);
    told.length = 0;
    let first = true;
    seat.apply(batch([{ id: "a" }, { id: "b" }]), () => {
      if (!first) return [];
      first = false;
      return groups() as Iterable<string>;
    });
    assert.equal(told[0], "changes: a -");
    assert.deepEqual(told.slice(-2), ["reset groups-threw", "changes: b -"]);
    assert.equal(seats.live, true);
  });
}

test("Seat: a change without a name is an error, not a change of nothing", () => {
  const { take, batch } = setUp();
  const nameless = { _id: "a" } as unknown as Change;
  assert.throws(() => take().apply(batch([nameless]), noGroups), TypeError);
});

test("Seat: settle goes by the copies that the database keeps of a document", () => {
  const { take, batch, seats } = setUp();
  const seat = take();
  seat.apply(batch([], { replicas: 1 }), noGroups);
  assert.equal(seats.settle, 0);
  seat.apply(batch([], { replicas: 3 }), noGroups);
  assert.equal(seats.settle, 5_000);
  seat.apply(batch(), noGroups);
  assert.equal(seats.settle, 5_000, "what is not said again still holds");
});

test("Seat: settle is known before the changes of the batch that tells it", () => {
  const { take, batch, seats } = setUp();
  const settles: number[] = [];
  take().apply(batch([{ id: "a" }], { replicas: 3 }), () => {
    settles.push(seats.settle);
    return [];
  });
  assert.deepEqual(settles, [5_000]);
});

test("Seat: a settle that was asked for overrides what the database says", () => {
  const { take, batch, seats } = setUp();
  take("changes", 70).apply(batch([], { replicas: 3 }), noGroups);
  assert.equal(seats.settle, 70);
});

test("Seat: what the database said of its copies is kept for the next of the name", () => {
  const { take, batch, seats } = setUp();
  const seat = take();
  seat.apply(batch([], { replicas: 3 }), noGroups);
  seat.close();
  take();
  assert.equal(seats.settle, 5_000);
});

test("Seat: before the first contact the lag is endless", () => {
  assert.equal(setUp().take().lag, Infinity);
});
