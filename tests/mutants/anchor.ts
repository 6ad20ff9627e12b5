/** Known rows that come again, roll-backs, revisions that are superseded. */
import { type Mutant, mutant } from "./mutant.ts";

const PROBE = "couchdb/reader/probe.ts";
const EARLY_STREAM = "couchdb/reader/early_stream.ts";
const CHANGE_LOG = "registry/change_log.ts";
const GROUP_TABLE = "registry/group_table.ts";

/** What refuses a superseded revision, and what replaces it. */
export const SUPERSEDED = '(this.#entries.isSuperseded(dependencies) ? "superseded" : undefined)';
export const ACCEPTED = '(this.#entries.isSuperseded([]) ? "superseded" : undefined)';

const TOLD_BY_PROBE = "const again = isFirst ? [...repeated, ...unmoved] : repeated;";

const notTold: Mutant = {
  name: "a known row that comes again is not told",
  edits: [
    {
      file: PROBE,
      search: TOLD_BY_PROBE,
      replace: "const again = isFirst ? [] : repeated.slice(repeated.length);",
    },
    {
      file: EARLY_STREAM,
      search: "return { news, repeated, since:",
      replace: "return { news, repeated: [], since:",
    },
  ],
};

const anyHistory = (name: string, where: string, search: string): Mutant => ({
  name,
  edits: [{
    file: where,
    search,
    replace: search.replace("await verifyHistory", "await Promise.resolve(true) || await verifyHistory"),
  }],
});

export const anchorMutants: readonly Mutant[] = [
  notTold,
  mutant(
    "a known row told by the stream alone",
    PROBE,
    TOLD_BY_PROBE,
    "const again = isFirst ? [] : repeated.slice(repeated.length);",
  ),
  mutant(
    "a known row told by the probe alone",
    EARLY_STREAM,
    "return { news, repeated, since:",
    "return { news, repeated: [], since:",
  ),
  mutant(
    "what comes again voids nothing",
    GROUP_TABLE,
    "if (isRepeated && this.#declared[group] === revision) continue;",
    "if (isRepeated) continue;",
  ),
  mutant(
    "the first declared revision stands for all",
    GROUP_TABLE,
    "else if (declared !== revision) this.#declared[group] = DECLARED_OTHERWISE;",
    "",
  ),
  mutant(
    "what comes again breaks no lease",
    CHANGE_LOG,
    'if (change.sequence > sequence && change.repeated !== rev) return "lease-broken";',
    "",
  ),
  mutant(
    "what comes again does not settle",
    "registry/core.ts",
    "this.#changeLog.record(group, rev, subscription, subscription.replicaLag, true);",
    "this.#changeLog.record(group, rev, subscription, 0, true);",
  ),
  mutant(
    "collections are not told of what comes again",
    "registry/subscription.ts",
    "      this.#repeat(change.id, change.rev);\n      // Which groups the states in between have touched is known from the change alone.\n      this.#changeGroups(change, groups);",
    "      this.#repeat(change.id, change.rev);",
  ),
  anyHistory(
    "any revision of the known document will do",
    PROBE,
    "isTrusted ||= recognition.isExact || await verifyHistory(context, anchor);",
  ),
  anyHistory(
    "any revision of the known document will do for a stream",
    EARLY_STREAM,
    "(this.#recognition.came && await verifyHistory(this.#context, this.#anchor));",
  ),
  mutant(
    "the anchor moves before it has come",
    PROBE,
    "if (isTrusted) cursor.advance(",
    "if (isTrusted || since !== undefined) cursor.advance(",
  ),
  mutant(
    "a stream is not asked for the anchor",
    EARLY_STREAM,
    "this.#isVerified = selection.filtered || cursor.anchor.rows.size === 0;",
    "this.#isVerified = selection !== undefined;",
  ),
  mutant(
    "a stream moves the anchor before it has shown it",
    "couchdb/reader/reader.ts",
    "if (stream.isVerified) cursor.advance(",
    "if (stream !== undefined) cursor.advance(",
  ),
  mutant("a superseded revision is registered", "registry/core.ts", SUPERSEDED, ACCEPTED),
  mutant(
    "a report is forgotten with the last entry",
    GROUP_TABLE,
    "    this.#recent.set(hash, this.#reports[group]!);\n",
    "",
  ),
  mutant(
    "reports of groups that nothing depends on are forgotten",
    GROUP_TABLE,
    "if (slot < 0) this.#recent.set(hash, nextReport(this.#recent.get(hash), revision, feed));",
    "",
  ),
  mutant(
    "a feed that starts anew goes on where it was",
    "registry/follow.ts",
    "if (!this.#subscription.closed) this.#iterator = this.#open(true);",
    "if (!this.#subscription.closed) this.#iterator = this.#open(false);",
  ),
];
