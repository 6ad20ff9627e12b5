/**
 * The rules of docs/consistency.md in the model: for each mutant of the simulation the switch of a model that
 * leaves the same rule out, or why the model has no such rule.
 */

/** A rule of the model. */
export interface ModelledRule {
  readonly name: string;
  /** The switches of the model that leave it out. */
  readonly without: readonly string[];
  /** The configuration in which its counterexample is looked for. */
  readonly in: string;
  /** Macros that take the place of those of the configuration, or come to them. */
  readonly also?: readonly string[];
  /**
   * Another rule with its switches, which guards what this one guards: alone, this one has no counterexample in its
   * configuration. Both left out have one.
   */
  readonly guardedBy?: { readonly rule: string; readonly without: readonly string[] };
}

/** A rule that the model does not have. */
export interface OtherRule {
  readonly name: string;
  readonly why: string;
}

export type Rule = ModelledRule | OtherRule;

const CLOCKS = "the model has no clocks: a contact has an order, and no age";
const REPRESENTATION = "the model has one representation: a tag stands for a page and what was read for it";
const PIECES = "the model writes a snapshot in one step";
const AUDIT = "the model has no bodies, so there is nothing to audit";

/** As the tables of docs/consistency.md have them. */
export const rules: readonly Rule[] = [
  { name: "no lease", without: ["LEASE"], in: "one document without its revision" },
  {
    name: "groups unknown at the time of a change forgotten",
    without: ["UNKNOWN_GROUPS"],
    in: "one document without its revision",
  },
  {
    name: "changes forgotten under an open lease",
    without: ["REMEMBERING"],
    in: "one document without its revision",
  },
  {
    name: "memory bound without a floor",
    without: ["OVERFLOW_FLOOR"],
    in: "a change log with room for one change",
  },
  { name: "leases survive the floor", without: ["BROKEN_LEASES"], in: "one document" },
  { name: "no floor at a pin", without: ["START_FLOOR"], in: "one document" },
  { name: "no floor at a reset", without: ["RESET_FLOOR"], in: "recreated and purged" },
  { name: "the floor does not settle", without: ["SETTLING_FLOOR"], in: "replicas" },
  { name: "a loss before the start counts as the start", without: ["START"], in: "one document" },
  { name: "no settle", without: ["SETTLING"], in: "replicas" },
  { name: "larger clock for settling", why: CLOCKS },
  {
    name: "reported revisions ignored",
    without: ["REPORTED_REVISIONS"],
    in: "replicas",
    guardedBy: { rule: "a superseded revision is registered", without: ["SUPERSEDED"] },
  },
  {
    name: "another revision reported a moment ago ignored",
    without: ["ANOTHER_REVISION"],
    in: "old rows again",
  },
  {
    name: "a write through the site does not settle",
    without: ["SETTLING_WRITE"],
    in: "writes through the site, replicas",
  },
  { name: "a groups function that throws is ignored", without: ["THROWING"], in: "a list" },

  { name: "heartbeats count as contact", without: ["SILENT_HEARTBEATS"], in: "one document" },
  { name: "rows count as contact", without: ["PROBED_CONTACT"], in: "two documents" },
  { name: "contact is when the answer came", without: ["REQUESTED_FIRST"], in: "late answers" },
  { name: "resume before applying", without: ["APPLYING_FIRST"], in: "one document" },
  { name: "a page is enough, whatever is pending", without: ["ALL_PAGES"], in: "pages of one row" },
  { name: "smaller clock for lag", why: CLOCKS },
  { name: "lag is not looked at", why: CLOCKS },
  { name: "a loss does not suspend", without: ["SUSPENSION"], in: "one document" },
  { name: "a closed follower stays live", without: ["CLOSING"], in: "closed and followed again" },
  { name: "no identity", without: ["IDENTITY"], in: "recreated and purged, two documents" },
  {
    name: "a recreated database is the same",
    without: ["INCARNATION"],
    in: "recreated and purged, two documents",
  },
  { name: "a purge is no gap", without: ["PURGES"], in: "recreated and purged, two documents" },
  { name: "no row early", without: ["EARLY_ROW"], in: "rolled back" },
  {
    name: "a purge hides a roll-back",
    without: ["ZERO_DESPITE_PURGE"],
    in: "rolled back and purged",
    guardedBy: { rule: "after a purge, no row has to come again", without: ["ANCHOR_AFTER_PURGE"] },
  },
  {
    name: "a start from which no row came has no anchor",
    why: "every feed of the model has an anchor from the start",
  },
  {
    name: "goes on from the old position after a gap",
    without: ["START_FROM_ZERO"],
    in: "recreated and purged, two documents",
  },

  {
    name: "a known row that comes again is not told",
    without: ["REPEATED_BY_PROBE", "REPEATED_BY_STREAM"],
    in: "one document",
  },
  { name: "a known row told by the stream alone", without: ["REPEATED_BY_PROBE"], in: "one document" },
  { name: "a known row told by the probe alone", without: ["REPEATED_BY_STREAM"], in: "one document" },
  { name: "what comes again voids nothing", without: ["VOIDING_REPEATED"], in: "one document" },
  {
    name: "the first declared revision stands for all",
    without: ["ALL_DECLARATIONS"],
    in: "two handlers, two pages of one document",
  },
  {
    name: "what comes again breaks no lease",
    without: ["LEASE_REPEATED"],
    in: "one document without its revision",
  },
  {
    name: "what comes again does not settle",
    without: ["SETTLING_REPEATED"],
    in: "replicas, without a revision",
  },
  { name: "collections are not told of what comes again", without: ["COLLECTIONS_REPEATED"], in: "a list" },
  {
    name: "any revision of the known document will do",
    without: ["HISTORY"],
    in: "rolled back, two documents",
  },
  {
    name: "any revision of the known document will do for a stream",
    without: ["STREAM_HISTORY"],
    in: "rolled back, two documents",
  },
  {
    name: "the anchor moves before it has come",
    without: ["TRUST"],
    in: "rolled back, two documents",
    also: ["FAULTS"],
  },
  {
    name: "a stream is not asked for the anchor",
    without: ["STREAM_ANCHOR"],
    in: "rolled back, two documents",
  },
  {
    name: "a stream moves the anchor before it has shown it",
    without: ["VERIFIED_ANCHOR"],
    in: "rolled back, two documents",
  },
  {
    name: "a superseded revision is registered",
    without: ["SUPERSEDED"],
    in: "handlers that keep documents",
  },
  {
    name: "a report is forgotten with the last entry",
    without: ["REPORTS_AFTER_ENTRIES"],
    in: "handlers that keep documents",
  },
  {
    name: "reports of groups that nothing depends on are forgotten",
    without: ["REPORTS_WITHOUT_ENTRIES"],
    in: "handlers that keep documents",
  },
  {
    name: "a feed that starts anew goes on where it was",
    without: ["BEGINNING_ANEW"],
    in: "rolled back anyhow, then restarted",
  },

  { name: "tag without id", why: REPRESENTATION },
  { name: "tag without build", why: REPRESENTATION },
  { name: "tag without resource", why: REPRESENTATION },
  { name: "tag without caller", why: REPRESENTATION },
  { name: "tag without variant", why: REPRESENTATION },
  { name: "tag for a private copy", why: "the model has one caller" },
  { name: "a private copy is registered", why: "the model has one caller" },
  { name: "a guest's answer goes to a request with credentials", why: "the model has one caller" },
  { name: "minted tag kept for other groups", why: "a page of the model always declares the same groups" },
  {
    name: "minted tag kept after a change",
    without: ["NEW_TAG_AFTER_CHANGE"],
    in: "one document without its revision",
  },
  {
    name: "minted tag kept for another response",
    without: ["NEW_TAG_WHEN_REFUSED"],
    in: "two handlers",
  },
  {
    name: "a group leaves with its first entry",
    why: "the model does not count what depends on a group: a change voids every entry that does",
  },
  {
    name: "the epoch stands still",
    why: "the model has no stamps to compare: an entry is void, or it is not",
  },
  { name: "collections are not told", without: ["COLLECTIONS"], in: "a list" },

  {
    name: "a snapshot is restored without a floor",
    without: ["RESTORED_FLOOR"],
    in: "snapshot, replicas",
  },
  { name: "a resumed feed is live before it has caught up", without: ["CATCHING_UP"], in: "snapshot" },
  { name: "a snapshot of another build is believed", why: "the model has one build" },
  { name: "a snapshot keeps what is void", without: ["SAVING_VALID_ONLY"], in: "snapshot" },
  { name: "a resumed feed begins where it would have begun", without: ["RESUMING"], in: "snapshot" },
  {
    name: "a snapshot forgets how long changes settle",
    without: ["SAVED_LAG"],
    in: "snapshot, replicas",
  },
  { name: "a snapshot has the positions of its end", why: PIECES },
  { name: "what is invalidated while a snapshot is written stays in it", why: PIECES },
  { name: "what is deleted while a snapshot is written stays in it", why: PIECES },
  { name: "what is void while a snapshot is written stays in it", why: PIECES },

  { name: "a check is counted, and answered without", why: AUDIT },
  { name: "a check that failed changes nothing", why: AUDIT },
  { name: "a check does not look at the body", why: AUDIT },
  { name: "a check that failed answers 304", why: AUDIT },
  { name: "a refuted tag is confirmed again", why: AUDIT },
  { name: "a check of an entry that is void by now is dropped", why: AUDIT },
  { name: "a check takes an overtaken handler at its word", why: AUDIT },
  { name: "digest without representation", why: REPRESENTATION },

  {
    name: "a token that another connection brings is contact",
    without: ["SAME_CONNECTION"],
    in: "a feed of a site's own",
  },
  { name: "a token is contact as of its return", without: ["SENT"], in: "a feed of a site's own" },
  {
    name: "what was registered before a source was connected counts",
    without: ["CONNECTED_RESET"],
    in: "a feed of a site's own",
  },
  {
    name: "an overflow of what was pushed is forgotten",
    without: ["OVERFLOW_RESET"],
    in: "a feed of a site's own",
  },
  { name: "Headers that a class keeps are written to", why: "the model has no headers" },
  { name: "transactions that were running are not looked at again", why: "the model has no feed that looks" },
  { name: "the next transaction of a snapshot counts as seen", why: "the model has no feed that looks" },
  { name: "a look is contact as of its answer", why: "the model has no feed that looks" },
  { name: "a quick look is contact", why: "the model has no feed that looks" },
  { name: "the age of a transaction does not count", why: "the model has no feed that looks" },
  { name: "a server's life is not part of its identity", why: "the model has no feed that looks" },
  { name: "another identity is no reset", why: "the model has no feed that looks" },
  { name: "another shape is no reset", why: "the model has no feed that looks" },
  { name: "what was pruned counts as looked at", why: "the model has no feed that looks" },
  { name: "what a look had to leave out is forgotten", why: "the model has no feed that looks" },
  { name: "a disabled trigger is as good as an enabled one", why: "the model has no feed that looks" },
];

/** Rules that only the model leaves out: the tables of docs/consistency.md do not have them, docs/model.md has. */
export const furtherRules: readonly ModelledRule[] = [
  { name: "a change voids nothing", without: ["VOIDING"], in: "one document" },
  { name: "a write through the site voids nothing", without: ["INVALIDATES"], in: "writes through the site" },
  {
    name: "an undeclared revision accepted while it settles",
    without: ["SETTLING_UNDECLARED"],
    in: "replicas, without a revision",
  },
  {
    name: "a stream goes on after a known row came again",
    without: ["RENEWAL_AFTER_REPEATED"],
    in: "handlers that keep documents",
  },
  {
    name: "after a purge, no row has to come again",
    without: ["ANCHOR_AFTER_PURGE"],
    in: "rolled back and purged",
  },
  {
    name: "a stream goes on after a probe with news",
    without: ["RENEWAL"],
    in: "handlers that keep documents",
  },
];

/** Rules without which no configuration has a counterexample: what they guard against, another rule guards against too. */
export const unneededRules: readonly ModelledRule[] = [
  {
    name: "minted tag kept while suspended",
    without: ["NEW_TAG_WHILE_SUSPENDED"],
    in: "one document without its revision",
  },
];

/** Whether the model has a rule. */
export function isModelled(rule: Rule): rule is ModelledRule {
  return "without" in rule;
}
