/** What may happen in a run. Each returns whether it could: only what did is counted. */
import type { ActionName } from "./action_name.ts";
import type { Channel } from "./channel.ts";
import type { Manner } from "./clients.ts";
import { MS } from "./clocks.ts";
import type { Backup, Database } from "./database.ts";
import type { Document } from "./document.ts";
import type { LiveFeed } from "./live_feed.ts";
import type { Random } from "./random.ts";
import { BARE_PAGES, type Place } from "./resources.ts";
import type { Visit } from "./visit.ts";
import type { Scheduler } from "./scheduler.ts";
import type { SnapshotServer } from "./snapshot_server.ts";
import type { World } from "./world.ts";

type Act = (world: World, random: Random) => boolean;

function writable(world: World, random: Random): Database | undefined {
  const database = random.pick(world.databases);
  return database.exists && !database.readOnly ? database : undefined;
}

/** Somebody changes a document that pages are built from, behind the site's back. */
function change(
  how: (document: Document, random: Random) => void,
): (world: World, random: Random, places?: readonly Place[]) => boolean {
  return (world, random, places = world.places) => {
    const { database, id } = random.pick(places);
    if (!database.exists || database.readOnly) return false;
    const document = database.document(id);
    how(document, random);
    // What has never been there cannot be deleted.
    if (document.winner === undefined) return false;
    database.commit(document);
    world.trace?.(`  ${id} becomes ${document.versions.at(-1)!.rev}`);
    return true;
  };
}

const edit = change((document, random) => document.edit(random.pick(["x", "y"])));

/** As often as not it is one that is missing: else the site would dwindle. */
function write(world: World, random: Random): boolean {
  const missing = world.places.filter(({ database, id }) => !database.document(id).exists);
  return random.chance(0.5) && missing.length > 0 ? edit(world, random, missing) : edit(world, random);
}

/** One of the documents that a handler has read changes before it answers. */
function overtake(world: World, random: Random): boolean {
  const meanwhile = ({ readings }: Visit) => {
    if (readings.length === 0) return;
    const { database, document } = random.pick(readings);
    edit(world, random, [{ database, id: document.id }]);
  };
  world.clients.request(random, { slow: random.integer(5, 300), meanwhile });
  return true;
}

/** Many writes at once, mostly of documents that no page is built from. */
function burst(world: World, random: Random, size: number): boolean {
  const database = writable(world, random);
  if (database === undefined) return false;
  for (let i = 0; i < 3; i++) edit(world, random);
  for (let i = 0; i < size; i++) {
    const document = database.document(`z-${random.integer(1, 40)}`);
    document.edit("x");
    database.commit(document);
    if (random.chance(0.15)) edit(world, random);
  }
  return true;
}

/** Does something to one live connection. */
function toFeed(what: (feed: LiveFeed, random: Random) => boolean): Act {
  return (world, random) => {
    const feeds = [...world.server.feeds].filter((feed) => feed.exchange.open);
    return feeds.length > 0 && what(random.pick(feeds), random);
  };
}

function wrongAnswer(wrong: World["server"]["wrongAnswers"][number]): Act {
  return (world, random) => {
    for (let i = random.integer(1, 2); i > 0; i--) world.server.wrongAnswers.push(wrong);
    // Somebody has to connect, to be told.
    if (random.chance(0.7)) world.server.cut();
    return false;
  };
}

function silence(world: World, random: Random): boolean {
  const until = world.scheduler.time + random.integer(500 * MS, 10_000 * MS);
  world.server.silentUntil = until;
  for (const feed of world.server.feeds) feed.silentUntil = until;
  return true;
}

function halfOpen(world: World): boolean {
  if (world.server.exchanges.size === 0) return false;
  for (const exchange of world.server.exchanges) exchange.lost = true;
  return true;
}

function drop(world: World, random: Random): boolean {
  const database = writable(world, random);
  if (database === undefined) return false;
  database.drop();
  world.server.endFeeds(database);
  // Sometimes before anybody could notice that it was gone.
  const ticks = random.chance(0.5) ? random.integer(1, 20) : random.integer(1_000 * MS, 6_000 * MS);
  world.scheduler.after(ticks, () => {
    database.create();
    for (const { database: home, id } of world.places) {
      if (home !== database || random.chance(0.3)) continue;
      const document = database.document(id);
      document.edit("x");
      database.commit(document);
    }
  });
  return true;
}

function purge(world: World, random: Random): boolean {
  const { database, id } = random.pick(world.places);
  const document = database.document(id);
  // A table tells of each deletion.
  if (database === world.table || !database.exists || database.readOnly || document.seq === 0) return false;
  if (document.versions.at(-1)!.visibleAt === Infinity) return false;
  database.purge(document);
  return true;
}

/**
 * Files of a backup replace newer ones. The server restarts, and nobody writes before the follower has looked. The last
 * row that the follower was given is among what is lost: a follower cannot see any other roll-back.
 */
function rollBack(world: World, random: Random): boolean {
  let done = false;
  for (const database of world.databases) {
    const { closed, since, lastRow } = world.process.registry.subscriptions.get(database.name)!;
    if (closed || since === undefined || lastRow === undefined) continue;
    const backup = database.backupWithout(database.parse(`${since}`)!, lastRow);
    if (backup === undefined) continue;
    database.rollBack(backup);
    // Whoever restores files may have to purge again, and two gaps look like one.
    if (random.chance(0.3)) database.purge(database.document(lastRow));
    database.readOnly = true;
    done = true;
  }
  if (done) world.server.cut();
  // Whoever resumes from a position alone cannot see it: whoever restores files throws snapshots away.
  if (done) world.saved = undefined;
  return done;
}

/** Files that can be restored behind a follower that has come to the end, so that it can see it. */
interface Restorable {
  readonly backup: Backup;
  /** The document of the last row, which the backup lacks, and its revision. */
  readonly document: Document;
  readonly rev: string;
  /** Writes after which the position of the follower is reached once more. */
  readonly missing: number;
}

/** Nobody writes more than that while a follower reconnects. */
const MOST_WRITES = 60;

function restorable(world: World, database: Database): Restorable | undefined {
  const { closed, since, lastRow, lastRev } = world.process.registry.subscriptions.get(database.name)!;
  if (closed || since === undefined || lastRow === undefined || lastRev === undefined) return undefined;
  if (!database.exists || database.readOnly || database.isRestored) return undefined;
  const position = database.parse(`${since}`)!;
  const backup = database.backupWithout(position, lastRow, lastRev);
  if (backup === undefined) return undefined;
  const missing = position[0]! - backup.seqs[0]!;
  return missing > MOST_WRITES
    ? undefined
    : { backup, document: database.document(lastRow), rev: lastRev, missing };
}

function restore(world: World, database: Database, { backup }: Restorable, mayRepeat: boolean = false): void {
  world.trace?.(`  files of ${database.name} are restored`);
  database.rollBack(backup, mayRepeat);
  database.isRestored = true;
  // Whoever resumes from a position alone cannot see it: whoever restores files throws snapshots away.
  world.saved = undefined;
}

/** Life goes on after files were restored: the position of before is reached and passed. */
function writeOn(database: Database, { document, missing }: Restorable, random: Random): void {
  const busy = random.chance(0.6);
  for (let i = missing + random.integer(0, 3); i > 0; i--) {
    const written = busy && i <= 2 ? document : database.document(`z-${random.integer(1, 40)}`);
    written.edit(random.pick(["x", "y"]));
    database.commit(written);
  }
}

/** The hottest document is written again before the follower looks. */
function busyAfterRollBack(world: World, random: Random): boolean {
  const database = random.pick(world.databases);
  const found = restorable(world, database);
  if (found === undefined) return false;
  restore(world, database, found);
  writeOn(database, found, random);
  world.server.cut();
  return true;
}

/** The same, and a document that is a function of its last state is at the revision that is known. */
function repeatHistory(world: World, random: Random): boolean {
  const database = random.pick(world.databases);
  const found = restorable(world, database);
  if (found === undefined) return false;
  restore(world, database, found, true);
  writeOn(database, found, random);
  found.document.retrace(found.rev);
  database.commit(found.document);
  world.server.cut();
  return true;
}

/** Any files are put back, which a follower need not see, and the registry is told. */
function restoreAndRestart(world: World, random: Random): boolean {
  const database = writable(world, random);
  if (database === undefined || database.backups.length === 0) return false;
  // Mostly young files: they are the likelier to have the row that the feed looks for.
  const backup = random.chance(0.8) ? database.backups[0]! : random.pick(database.backups);
  database.rollBack(backup, random.chance(0.5));
  world.saved = undefined;
  if (random.chance(0.5)) world.server.cut();
  world.process.registry.restart();
  database.isRestored = database.repeatsHistory = false;
  askSlowly(world, random, 6, 1_500);
  for (let i = random.integer(1, 3); i > 0; i--) {
    world.scheduler.after(random.integer(500 * MS, 3_000 * MS), () => {
      write(world, random);
      askSlowly(world, random, 3, 500);
    });
  }
  return true;
}

/** A proxy switches to a restored stand-by between two requests, of which none is refused. */
function exchangeFiles(world: World, random: Random): boolean {
  const database = random.pick(world.databases);
  const kind = random.pick(["page", "information", "stream", "stream"] as const);
  world.server.before(database, kind, () => {
    const found = restorable(world, database);
    if (found === undefined) return;
    // Connections of before are still those of the other server, where nothing happens any more.
    for (const feed of world.server.feeds) if (feed.database === database) feed.stalled = true;
    restore(world, database, found);
    writeOn(database, found, random);
    world.count("files exchanged");
  });
  if (random.chance(0.6)) world.server.endFeeds(database);
  return false;
}

/** People ask for a while. */
function askOn(
  world: World,
  random: Random,
  times: number,
  ms: number,
  manner: () => Manner = () => ({}),
): void {
  for (let i = 0; i < times; i++) {
    world.scheduler.inProcess(random.integer(1, ms * MS), () => void world.clients.request(random, manner()));
  }
}

/** The same, for any page or for one; some of the handlers take as long. */
function askSlowly(world: World, random: Random, times: number, ms: number, path?: string): void {
  askOn(world, random, times, ms, () => ({
    ...(random.chance(0.3) ? { slow: random.integer(1, ms) } : {}),
    ...(path === undefined ? {} : { path }),
  }));
}

/**
 * The winner of a document is beaten by another branch, which is deleted again, while the feed is away or held back. It is
 * mostly the document of the last row that the follower was given: its row is known.
 */
function awayAndBack(world: World, random: Random): boolean {
  const database = writable(world, random);
  if (database === undefined) return false;
  const bare = world.resources.find(({ path }) => path in BARE_PAGES);
  if (bare !== undefined && database === world.databases[0] && random.chance(0.5)) {
    // A page that shows no revision is the only one for which some rules stand. Its document becomes the last row first.
    const document = database.document(BARE_PAGES[bare.path]!);
    document.edit("x");
    database.commit(document);
    world.scheduler.after(random.integer(50 * MS, 900 * MS), () => {
      if (database.exists && !database.readOnly) goAwayAndBack(world, random, database, document, bare.path);
    });
    return true;
  }
  const { lastRow } = world.process.registry.subscriptions.get(database.name)!;
  const known = lastRow !== undefined && database.documents.has(lastRow) && random.chance(0.8);
  const document = known ? database.document(lastRow) : random.pick([...database.documents.values()]);
  if (!document.exists) return false;
  goAwayAndBack(world, random, database, document);
  return true;
}

function goAwayAndBack(
  world: World,
  random: Random,
  database: Database,
  document: Document,
  path?: string,
): void {
  const how = random.pick(["cut", "held back", "standing"] as const);
  if (how === "cut") world.server.cut();
  if (how === "held back") {
    for (const feed of world.server.feeds) if (feed.database === database) feed.stalled = true;
  }
  document.overtake();
  database.commit(document);
  world.trace?.(`  ${document.id} is away at ${document.versions.at(-1)!.rev}`);
  const { versions } = document;
  const away = versions.length;
  askSlowly(world, random, 8, 60, path);
  world.scheduler.after(random.integer(1, random.chance(0.7) ? 60 * MS : 2_000 * MS), () => {
    if (!database.exists || database.readOnly || versions.length !== away) return;
    document.delete();
    database.commit(document);
    world.trace?.(`  ${document.id} is back at ${versions.at(-1)!.rev}`);
    askSlowly(world, random, 6, random.pick([60, 1_000, 4_000]), path);
  });
}

/** A losing revision is replicated in: a row with the same winner. */
function loseConflict(world: World, random: Random): boolean {
  const database = writable(world, random);
  if (database === undefined) return false;
  const { lastRow } = world.process.registry.subscriptions.get(database.name)!;
  const known = lastRow !== undefined && database.documents.has(lastRow) && random.chance(0.7);
  const document = known ? database.document(lastRow) : random.pick([...database.documents.values()]);
  if (!document.conflictInVain()) return false;
  if (random.chance(0.5)) world.server.cut();
  database.commit(document);
  world.trace?.(`  ${document.id} has a conflict`);
  return true;
}

/** Of the databases' files, and of the registry. */
function backUp(world: World): boolean {
  for (const database of world.databases) if (database.exists) database.backUp();
  world.saved = world.save();
  return true;
}

/** Rows come again, as they are now or as they were; and while that may matter, people go on asking. */
function repeatRows(world: World, random: Random): boolean {
  const feeds = [...world.server.feeds].filter((feed) => feed.exchange.open);
  if (feeds.length === 0) return false;
  const feed = random.pick(feeds);
  if (random.chance(0.3)) return feed.repeat(random.integer(1, 5));
  edit(world, random);
  world.scheduler.after(random.integer(1, 1_500 * MS), () => {
    if (!feed.echo()) return;
    // The registry takes an old row for the last word until the next one comes: a kept document may agree with it.
    world.process.kept.clear();
    askOn(world, random, 12, 4_000);
  });
  return true;
}

function pauseInBurst(world: World, random: Random): boolean {
  world.scheduler.freeze(random.integer(50 * MS, 30_000 * MS));
  return burst(world, random, random.integer(5, 25));
}

function sleep(world: World, random: Random): boolean {
  const ticks = random.integer(50 * MS, 60_000 * MS);
  world.scheduler.freeze(ticks);
  world.scheduler.clocks.standStill(ticks);
  return true;
}

function jumpBack(world: World, random: Random): boolean {
  world.scheduler.clocks.jump(-random.integer(MS, 60_000 * MS));
  return true;
}

/** The wall clock is set forward while a change is young, and people go on asking. */
function jumpForward(world: World, random: Random): boolean {
  edit(world, random);
  world.scheduler.after(random.integer(MS, 600 * MS), () => {
    world.scheduler.clocks.jump(random.integer(MS, 60_000 * MS));
    askOn(world, random, 8, 400);
  });
  return true;
}

function closeAndFollow(world: World, random: Random): boolean {
  const database = random.pick(world.sources);
  // Who resumes from a position alone cannot see that files were rolled back meanwhile.
  if (
    database.readOnly || database.isRestored ||
    world.process.registry.subscriptions.get(database.name)!.closed
  ) return false;
  world.process.unfollow(database);
  return true;
}

function restart(world: World, random: Random): boolean {
  const build = random.chance(0.5) ? world.process.build : `${world.process.build}+`;
  const found = random.next();
  const saved = found < 0.6 ? world.save() : found < 0.9 ? world.saved : undefined;
  world.process.stop();
  world.start(build, saved);
  return true;
}

/**
 * A snapshot is written while everything goes on. As often as not the process is killed when it is complete, and the next
 * one begins with it.
 */
function snapshotInPieces(world: World, random: Random): boolean {
  const { process } = world;
  const longest = random.pick([20 * MS, 400 * MS, 3_000 * MS]);
  return process.writeSnapshot(random.integer(1, 3), () => random.integer(1, longest), (pieces) => {
    world.count("snapshot complete");
    // Files are being put back, or have been behind the follower: whoever does it throws this snapshot away.
    if (!world.mayKeep) return;
    world.saved = pieces;
    if (random.chance(0.5)) return;
    process.stop();
    world.start(process.build, pieces);
    askOn(world, random, 20, 3_000);
  });
}

/** Nothing is heard any more, and then somebody asks: the moment that `maxLag` ends, and a tick later. */
function boundary(world: World, random: Random): boolean {
  const { scheduler, process } = world;
  const applied = [...process.registry.subscriptions.values()];
  if (!process.registry.live) return false;
  halfOpen(world);
  world.channel?.stall();
  const now = process.instant();
  const left = applied.map(({ contact, maxLag }) =>
    Math.min(contact!.wall - now.wall, contact!.monotonic - now.monotonic) + maxLag
  );
  const ticks = Math.min(...left) * MS;
  world.server.silentUntil = scheduler.time + ticks + 10 * MS;
  world.snapshots?.silence(ticks + 10 * MS);
  for (const delay of [ticks - 1, ticks, ticks + 1]) {
    scheduler.inProcess(delay, () => void world.clients.request(random, { plainly: true }));
  }
  return true;
}

/** A row of the table changes while its channel is slow or not there, and people ask for its pages after that. */
function writeRow(world: World, random: Random): boolean {
  const { table, channel } = world;
  if (table === undefined || channel === undefined) return false;
  const rows = [...table.documents.keys()].map((id) => ({ database: table, id }));
  const isBurst = random.chance(0.3);
  for (let i = random.integer(1, isBurst ? 8 : 3); i > 0; i--) {
    world.scheduler.after(random.integer(1, isBurst ? MS : 400 * MS), () => void edit(world, random, rows));
  }
  askOn(world, random, 6, 1_500);
  return true;
}

/** As often as not while a token is under way. */
function writeRowSometime(world: World, random: Random): boolean {
  if (world.channel === undefined || random.chance(0.4)) return writeRow(world, random);
  world.channel.onToken = () => writeRow(world, random);
  return true;
}

/** Does something to the channel of the table; as often as not, a row changes meanwhile. */
function toChannel(what: (channel: Channel, random: Random) => boolean): Act {
  return (world, random) => {
    const { channel } = world;
    if (channel === undefined || !what(channel, random)) return false;
    if (random.chance(0.7)) writeRow(world, random);
    return true;
  };
}

/** Transactions that begin in one order and end in another: some are rolled back, some take long. */
function transact(world: World, random: Random): boolean {
  const { table, snapshots } = world;
  if (table === undefined || snapshots === undefined) return false;
  const rows = [...table.documents.keys()].map((id) => ({ database: table, id }));
  for (let i = random.integer(1, 4); i > 0; i--) {
    const ticks = random.integer(1, random.pick([30 * MS, 900 * MS, 6_000 * MS]));
    const writes = random.integer(1, 3);
    const write = () => {
      for (let n = 0; n < writes; n++) edit(world, random, rows);
    };
    world.scheduler.after(random.integer(1, 300 * MS), () => {
      snapshots.transaction(ticks, random.chance(0.85) ? write : undefined);
    });
  }
  askOn(world, random, 8, 3_000);
  return true;
}

/** Does something to the server of the table; as often as not, rows change meanwhile. */
function toTableServer(
  what: (server: SnapshotServer, random: Random, write: () => void, scheduler: Scheduler) => boolean,
): Act {
  return (world, random) => {
    const { snapshots, table } = world;
    if (snapshots === undefined || table === undefined) return false;
    const rows = [...table.documents.keys()].map((id) => ({ database: table, id }));
    if (!what(snapshots, random, () => void edit(world, random, rows), world.scheduler)) return false;
    if (random.chance(0.8)) transact(world, random);
    return true;
  };
}

/** All of it, by name. */
export const actions: Readonly<Record<ActionName, Act>> = {
  "request": (world, random) => world.clients.request(random),
  "write": write,
  "delete": change((document) => document.delete()),
  "conflict": change((document, random) => document.conflict(random.pick(["x", "y", "z"]))),
  "write under a handler": overtake,
  "write through the site": (world, random) => (world.clients.write(random), true),
  "rotate": (world) => (world.rotation++, true),
  "back up": backUp,
  "connection cut": (world) => world.server.exchanges.size > 0 && (world.server.cut(), true),
  "cut mid-row": toFeed((feed) => (feed.cutMidRow(), true)),
  "stall": toFeed((feed) => !feed.stalled && (feed.stalled = true)),
  "half-open": halfOpen,
  "silence": silence,
  "503": wrongAnswer("503"),
  "429": wrongAnswer("429"),
  "refused": wrongAnswer("refused"),
  "html under 200": wrongAnswer("html"),
  "error line": toFeed((feed) => {
    feed.end('{"error":"timeout","reason":"The request could not be processed in time."}\n');
    return true;
  }),
  "clean end": (world, random) => (world.server.endFeeds(random.pick(world.databases)), true),
  "dropped and recreated": drop,
  "purged": purge,
  "rolled back": rollBack,
  "winner away and back": awayAndBack,
  "losing conflict": loseConflict,
  "busy after a roll-back": busyAfterRollBack,
  "files exchanged": exchangeFiles,
  "history repeated": repeatHistory,
  "restored and started anew": restoreAndRestart,
  "rows late": toFeed((feed, random) => {
    feed.delay(random.integer(200 * MS, 9_000 * MS));
    return true;
  }),
  "rows repeated": repeatRows,
  "replayed from the start": toFeed((feed) => feed.rewind()),
  "paused in a burst": pauseInBurst,
  "machine asleep": sleep,
  "wall clock forward": jumpForward,
  "wall clock back": jumpBack,
  "burst under a slow handler": (world, random) => {
    world.clients.request(random, { slow: random.integer(100, 3_000) });
    return burst(world, random, random.integer(20, 60));
  },
  "slow handler": (
    world,
    random,
  ) => (world.clients.request(random, { slow: random.integer(200, 40_000) }), true),
  "handler throws": (world, random) => (world.clients.request(random, { throws: true }), true),
  "read twice": (world, random) => (world.clients.request(random, { twice: true }), true),
  "groups throw": (world) => (world.groupsThrow = true, false),
  "clear": (world) => (world.process.registry.clear(), true),
  "close and follow": closeAndFollow,
  "restart": restart,
  "snapshot in pieces": snapshotInPieces,
  "boundary of maxLag": boundary,
  "row written": writeRowSometime,
  "channel cut": toChannel((channel) => channel.cut()),
  "channel dead": toChannel((channel) => channel.stall()),
  "channel refused": toChannel((channel, random) => {
    channel.refusals = random.integer(1, 3);
    return channel.cut();
  }),
  "transactions": transact,
  "server cut": toTableServer((server) => server.cut()),
  "server silent": toTableServer((server, random) => server.silence(random.integer(MS, 9_000 * MS))),
  "server restarted": toTableServer((server, random) => server.restart(random.integer(MS, 3_000 * MS))),
  "commits undone": toTableServer((server, random) => {
    const how = random.pick(["backend", "server", "failover"] as const);
    return server.crash(
      how,
      random.integer(MS, 2_000 * MS),
      random.integer(MS, random.pick([2, 3_000]) * MS),
    );
  }),
  "triggers passed by": toTableServer((server, random, write) =>
    server.bypass(random.chance(0.5) ? 0 : random.integer(MS, 3_000 * MS), write)
  ),
  "change table pruned": toTableServer((server, random, write, scheduler) => {
    if (random.chance(0.5)) return server.prune();
    // Other followers prune while this one hears nothing.
    server.silence(4_000 * MS);
    for (const ms of [500, 1_500, 2_500]) {
      scheduler.after(random.integer(1, ms * MS), write);
      scheduler.after(ms * MS, () => void server.prune());
    }
    return true;
  }),
  "statements in an old transaction": toTableServer((server, random) =>
    server.hold(random.integer(50 * MS, 9_000 * MS))
  ),
};
