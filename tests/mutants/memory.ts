/** Leases, the memory of changes, the floor, settling. */
import { ACCEPTED, SUPERSEDED } from "./anchor.ts";
import { type Mutant, mutant } from "./mutant.ts";

const MEMORY = "registry/change_log.ts";

const OVERFLOW = `      this.invalidateAll();
      this.#onOverflow();`;

const OLDEST_FORGOTTEN = `      for (const change of this.#order) {
        if (this.bytes <= this.#maxBytes) break;
        this.#changes.delete(change.group);
        this.#order.delete(change);
        this.#bytes -= changeBytes(change);
      }
      this.#onOverflow();`;

const FLOOR_SETTLES = '    if (this.#isAllSettling(at)) return "settling";\n';

const unknownGroups: Mutant = {
  name: "groups unknown at the time of a change forgotten",
  edits: [{
    file: "registry/entry_store.ts",
    search: "    if (this.#groups.change(group, sequence, rev, feed)) this.#entries.expectDead();",
    replace: `    const known = this.#groups.change(group, sequence, rev, feed);
    if (known) this.#entries.expectDead();
    return known as never;`,
  }, {
    file: "registry/core.ts",
    search:
      "this.#entries.change(group, this.#changeLog.record(group, rev, reporter, replicaLag), rev, feed);",
    replace: `const known: unknown = this.#entries.change(group, this.#changeLog.sequence + 1, rev, feed);
    if (known) this.#changeLog.record(group, rev, reporter, replicaLag);`,
  }],
};

const settleByLargerClock: Mutant = {
  name: "larger clock for settling",
  edits: [{
    file: MEMORY,
    search: "if (surelyElapsed(report.at, at) >= report.replicaLag) continue;",
    replace:
      "if (Math.max(at.wall - report.at.wall, at.monotonic - report.at.monotonic) >= report.replicaLag) continue;",
  }],
};

// Either alone is enough where the declared revision is not the last reported one.
const reportsIgnored: Mutant = {
  name: "reported revisions ignored",
  edits: [
    { file: MEMORY, search: 'if (report.rev !== rev) return "revision-differs";', replace: "" },
    { file: "registry/core.ts", search: SUPERSEDED, replace: ACCEPTED },
  ],
};

// Each rule guards the other: with the stream renewed, an old row hardly ever comes after a newer one.
const anotherIgnored: Mutant = {
  name: "another revision reported a moment ago ignored",
  edits: [
    {
      file: MEMORY,
      search: "if (report.otherAt !== undefined && surelyElapsed(report.otherAt, at) < report.replicaLag) {",
      replace: "if (report.otherAt === null) {",
    },
    {
      file: "couchdb/reader/reader.ts",
      search: "if (cursor.yielded !== yielded) stream = renew();",
      replace: "if (cursor.yielded < yielded) stream = renew();",
    },
  ],
};

export const memoryMutants: readonly Mutant[] = [
  mutant("no lease", MEMORY, 'if (change.changedAt > sequence) return "lease-broken";', ""),
  unknownGroups,
  mutant(
    "changes forgotten under an open lease",
    MEMORY,
    "if (oldest !== undefined && oldest.sequence < change.sequence) return;",
    "",
  ),
  mutant("memory bound without a floor", MEMORY, OVERFLOW, OLDEST_FORGOTTEN),
  mutant("leases survive the floor", MEMORY, "    this.#open.clear();\n", ""),
  mutant(
    "no floor at a pin",
    "registry/subscription.ts",
    '(!this.#started ? "began" : unresumed ? "unresumed" : undefined)',
    '(this.#started && unresumed ? "unresumed" : undefined)',
  ),
  mutant(
    "no floor at a reset",
    "registry/subscription.ts",
    'batch.reset ?? (!this.#started ? "began"',
    '(!this.#started ? "began"',
  ),
  mutant("the floor does not settle", MEMORY, FLOOR_SETTLES, ""),
  mutant(
    "a loss before the start counts as the start",
    "registry/subscription.ts",
    'this.#started ||= batch.state !== "lost" || batch.position !== undefined;',
    "this.#started = true;",
  ),
  mutant("no settle", "registry/subscription.ts", "replicas > 1 ? DEFAULT_REPLICA_LAG : 0", "0"),
  settleByLargerClock,
  reportsIgnored,
  anotherIgnored,
  mutant(
    "a write through the site does not settle",
    "registry/core.ts",
    "this.#change(group, undefined, this, this.#changeLog.replicaLag);",
    "this.#change(group, undefined, this, 0);",
  ),
  mutant(
    "a groups function that throws is ignored",
    "registry/subscription.ts",
    'this.#sink.reset("groups-threw");',
    "",
  ),
];
