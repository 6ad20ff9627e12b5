/**
 * A document of the simulated database: its leaves, and everything its winner has ever been.
 *
 * A revision is its generation and the path of contents that led there, so that documents with equal histories have
 * equal revisions, as in CouchDB.
 *
 * @module
 */

/** What the document was from one write to the next. */
export interface Version {
  /** Empty where there was no document, not even a tombstone. */
  readonly rev: string;
  /** Whether a reader found it. */
  readonly exists: boolean;
  /** The losing leaves that are not deleted: CouchDB's `_conflicts`. */
  readonly conflicts: string;
  /** True time, in ticks, from which some node had it. */
  readonly committedAt: number;
  /** True time, in ticks, from which the followed node had it; Infinity until then. */
  visibleAt: number;
}

interface Leaf {
  /** One letter for each generation; `-` for a deletion. */
  readonly path: string;
  readonly deleted: boolean;
}

/** What a backup keeps of a document. */
export interface SavedDocument {
  readonly leaves: readonly Leaf[];
  readonly version: number;
  readonly seq: number;
}

const LONGEST_PATH = 24;

/** Compares as CouchDB does: what is not deleted, then the longer branch, then the greater revision. */
function wins(a: Leaf, b: Leaf): boolean {
  if (a.deleted !== b.deleted) return b.deleted;
  if (a.path.length !== b.path.length) return a.path.length > b.path.length;
  return a.path > b.path;
}

/** Whether a tree with these leaves holds a revision. */
export function holdsPath(leaves: readonly { readonly path: string }[], rev: string): boolean {
  const path = rev.slice(rev.indexOf("-") + 1);
  return leaves.some((leaf) => leaf.path.startsWith(path));
}

/**
 * The state that a page shows: revisions of what does not exist are not seen.
 *
 * @param withConflicts Whether the page shows the losing revisions, too.
 */
export function stateOf({ exists, rev, conflicts }: Version, withConflicts: boolean = false): string {
  if (!exists) return "absent";
  return withConflicts ? `${rev} against ${conflicts}` : rev;
}

/** Contents of the first life of a document, and of each after its files were restored: histories do not repeat. */
const CONTENTS = "xyzabcdefghijklmnopqrstuvwABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DELETIONS = "-_~!$*+.^";

export class Document {
  readonly id: string;
  readonly shard: number;
  /** Its row's place in the shard; 0 for none. */
  seq = 0;
  #leaves: Leaf[] = [];
  readonly versions: Version[] = [
    { rev: "", exists: false, conflicts: "", committedAt: -Infinity, visibleAt: -Infinity },
  ];
  /** How often its files were restored, to what no longer repeats what it was. */
  #life = 0;
  /** Revisions that it had when its files were restored, and lost. */
  readonly #lost = new Set<string>();

  constructor(id: string, shard: number) {
    this.id = id;
    this.shard = shard;
  }

  get winner(): Leaf | undefined {
    return this.#leaves.reduce<Leaf | undefined>(
      (best, leaf) => best === undefined || wins(leaf, best) ? leaf : best,
      undefined,
    );
  }

  get exists(): boolean {
    return this.winner?.deleted === false;
  }

  /** A new revision on top of the winner. */
  edit(content: string): void {
    const winner = this.winner;
    // A history that has become too long for us starts anew, as if it had been replicated in from elsewhere.
    const path = winner === undefined || winner.path.length > LONGEST_PATH ? "" : winner.path;
    this.#leaves = this.#leaves.filter((leaf) => leaf !== winner);
    this.#leaves.push({ path: path + this.#content(content), deleted: false });
  }

  /** One of `xyz` as it is written in this life. */
  #content(content: string): string {
    return CONTENTS[(3 * this.#life + CONTENTS.indexOf(content)) % CONTENTS.length]!;
  }

  /** A branch beside the winner, which it may or may not beat. */
  conflict(content: string): void {
    const path = this.winner?.path ?? "";
    const leaf = { path: path.slice(0, -1) + this.#content(content), deleted: false };
    if (this.#leaves.every((other) => other.path !== leaf.path)) this.#leaves.push(leaf);
  }

  /** A branch that beats the winner, which wins again once this one is deleted. */
  overtake(): void {
    let path = (this.winner?.path ?? "").slice(0, -1) + this.#content("y");
    do path += this.#content("z"); while (this.#leaves.some((leaf) => leaf.path.startsWith(path)));
    this.#leaves.push({ path, deleted: false });
  }

  /** The winner is at a revision once more that it was at before, as if it were replicated in. */
  retrace(rev: string): void {
    const winner = this.winner;
    this.#leaves = this.#leaves.filter((leaf) => leaf !== winner);
    this.#leaves.push({ path: rev.slice(rev.indexOf("-") + 1), deleted: false });
  }

  /** A branch that does not beat the winner; false if there cannot be one. */
  conflictInVain(): boolean {
    const { winner } = this;
    if (winner === undefined || winner.deleted || winner.path.length < 2) return false;
    const path = winner.path.slice(0, -2) + this.#content("x");
    if (this.#leaves.some((other) => other.path.startsWith(path))) return false;
    this.#leaves.push({ path, deleted: false });
    return true;
  }

  /** Whether its tree holds a revision. */
  holds(rev: string): boolean {
    return holdsPath(this.#leaves, rev);
  }

  /** Deletes the winner: the next branch wins, and the generation may fall. */
  delete(): void {
    const winner = this.winner;
    if (winner === undefined || winner.deleted) return;
    this.#leaves = this.#leaves.filter((leaf) => leaf !== winner);
    const mark = DELETIONS[this.#life % DELETIONS.length]!;
    this.#leaves.push({ path: winner.path + mark, deleted: true });
  }

  /** Without a trace. */
  forget(): void {
    this.#leaves = [];
    this.#lost.clear();
    this.seq = 0;
  }

  /** Notes what the document is now. */
  commit(time: number): number {
    const { winner, exists } = this;
    const rev = winner === undefined ? "" : `${winner.path.length}-${winner.path}`;
    const losing = this.#leaves.filter((leaf) => leaf !== winner && !leaf.deleted);
    const conflicts = losing.map(({ path }) => path).sort().join();
    this.versions.push({ rev, exists, conflicts, committedAt: time, visibleAt: Infinity });
    return this.versions.length - 1;
  }

  /** Whether it is at a revision once more that was lost when its files were restored. */
  get repeatsItself(): boolean {
    return this.#lost.has(this.versions.at(-1)!.rev);
  }

  /** The followed node learns of a version, and so of all before; false if it knew. */
  reveal(version: number, time: number): boolean {
    let index = version;
    for (; this.versions[index]!.visibleAt === Infinity; index--) this.versions[index]!.visibleAt = time;
    return index < version;
  }

  /** The version that the followed node had at a time. */
  visible(time: number): number {
    return this.versions.findLastIndex((version) => version.visibleAt <= time);
  }

  /** The version that every node had at a time. */
  committed(time: number): number {
    return this.versions.findLastIndex((version) => version.committedAt <= time);
  }

  /** What a backup would keep of it. */
  save(): SavedDocument {
    return { leaves: [...this.#leaves], version: this.versions.length - 1, seq: this.seq };
  }

  /**
   * Becomes what it was, for everyone at once.
   *
   * @param mayRepeat Whether what follows may be what has followed before.
   */
  restore(saved: SavedDocument | undefined, time: number, mayRepeat: boolean): void {
    this.#leaves = [...(saved?.leaves ?? [])];
    for (const { rev } of this.versions) if (rev !== "" && !this.holds(rev)) this.#lost.add(rev);
    if (!mayRepeat) this.#life++;
    this.seq = saved?.seq ?? 0;
    this.reveal(this.commit(time), time);
  }
}
