/** Contact and lag, suspension and resumption, gaps. */
import { type Mutant, mutant } from "./mutant.ts";

const PROBE = "couchdb/reader/probe.ts";
const READER = "couchdb/reader/reader.ts";

const ROWS = `        if (stream.isVerified) cursor.advance(rows.start, rows.changes, since);
        for (const batch of cursor.batches(news, batchSize, since, repeated)) yield batch;`;

const heartbeats: Mutant = {
  name: "heartbeats count as contact",
  edits: [{
    file: "couchdb/connection/continuous.ts",
    search:
      "if (rows.changes.length > 0 || rows.ended || rows.fault !== undefined || rows.since !== rows.start) {",
    replace: "{",
  }, {
    file: READER,
    search: ROWS,
    replace: `${ROWS}
        if (cursor.state === "live") cursor.contact = instant(clock);
        yield cursor.batch([]);`,
  }],
};

const PROBE_BEGINS = `  isFirst: boolean,
): AsyncGenerator<CouchBatch, void, undefined> {`;

const REQUESTED_FIRST = `      requested = instant(clock);
      const { rows, complete } = await requestPage(context, since);`;

const REQUESTED_LAST = `      const { rows, complete } = await requestPage(context, since);
      requested = instant(clock);`;

const RESUMED_FIRST = `${PROBE_BEGINS}
  context.cursor.contact = instant(context.settings.clock);
  context.cursor.state = "live";
  yield context.cursor.batch([]);`;

// The anchor, which stays, would be missing again.
const purgeHidesRollBack: Mutant = {
  name: "a purge hides a roll-back",
  edits: [
    { file: PROBE, search: "  context.cursor.since = 0;\n", replace: "" },
    {
      file: "couchdb/reader/cursor.ts",
      search: 'if (reason !== "purged" || this.since === 0) this.anchor',
      replace: "this.anchor",
    },
  ],
};

export const contactMutants: readonly Mutant[] = [
  heartbeats,
  mutant("rows count as contact", READER, ROWS, `        cursor.contact = instant(clock);\n${ROWS}`),
  mutant("contact is when the answer came", PROBE, REQUESTED_FIRST, REQUESTED_LAST),
  mutant("resume before applying", PROBE, PROBE_BEGINS, RESUMED_FIRST),
  mutant(
    "a page is enough, whatever is pending",
    PROBE,
    "throw rows.fault;\n      pending = !complete;",
    "throw rows.fault;\n      pending = false;",
  ),
  mutant(
    "smaller clock for lag",
    "registry/subscriptions.ts",
    "this.#wallDeadline && this.#clock.monotonic()",
    "this.#wallDeadline || this.#clock.monotonic()",
  ),
  mutant(
    "lag is not looked at",
    "registry/subscriptions.ts",
    "(this.#clock.now() <= this.#wallDeadline && this.#clock.monotonic() <= this.#monotonicDeadline)",
    "this.#wallDeadline > 0",
  ),
  mutant(
    "a loss does not suspend",
    "registry/subscription.ts",
    'this.#live = batch.state === "live" &&',
    'this.#live ||= batch.state === "live" &&',
  ),
  mutant(
    "a closed follower stays live",
    "registry/subscription.ts",
    "    this.#closed = true;\n    this.#live = false;",
    "    this.#closed = true;",
  ),
  mutant(
    "no identity",
    PROBE,
    "  await verifyIdentity(context);\n  cursor.contact = requested;",
    "  cursor.contact = requested;",
  ),
  mutant(
    "a recreated database is the same",
    "couchdb/reader/cursor.ts",
    'if (this.#info.instanceStartTime !== current.instanceStartTime) return "recreated";',
    "",
  ),
  mutant(
    "a purge is no gap",
    "couchdb/reader/cursor.ts",
    'return this.#purgeCounts.isPurge(this.#info, current) ? "purged" : undefined;',
    "return undefined;",
  ),
  mutant(
    "no row early",
    PROBE,
    "if (rows.fault === undefined) {",
    "isTrusted = true;\n      if (rows === undefined) {",
  ),
  purgeHidesRollBack,
  mutant(
    "a start from which no row came has no anchor",
    PROBE,
    "if (cursor.anchor.rows.size > 0) return;",
    "if (cursor.anchor.rows.size >= 0) return;",
  ),
  mutant(
    "goes on from the old position after a gap",
    "couchdb/reader/cursor.ts",
    'if (reason !== "purged") this.since = 0;',
    "",
  ),
];
