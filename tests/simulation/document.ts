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

/** The state that a page shows: revisions of what does not exist are not seen. */
export function stateOf(version: Version): string {
  return version.exists ? version.rev : "absent";
}

export class Document {
  readonly id: string;
  readonly shard: number;
  /** Its row's place in the shard; 0 for none. */
  seq = 0;
  #leaves: Leaf[] = [];
  readonly versions: Version[] = [{ rev: "", exists: false, committedAt: -Infinity, visibleAt: -Infinity }];

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
    this.#leaves.push({ path: path + content, deleted: false });
  }

  /** A branch beside the winner, which it may or may not beat. */
  conflict(content: string): void {
    const path = this.winner?.path ?? "";
    const leaf = { path: path.slice(0, -1) + content, deleted: false };
    if (this.#leaves.every((other) => other.path !== leaf.path)) this.#leaves.push(leaf);
  }

  /** Deletes the winner: the next branch wins, and the generation may fall. */
  delete(): void {
    const winner = this.winner;
    if (winner === undefined || winner.deleted) return;
    this.#leaves = this.#leaves.filter((leaf) => leaf !== winner);
    this.#leaves.push({ path: `${winner.path}-`, deleted: true });
  }

  /** Without a trace. */
  forget(): void {
    this.#leaves = [];
    this.seq = 0;
  }

  /** Notes what the document is now. */
  commit(time: number): number {
    const winner = this.winner;
    const rev = winner === undefined ? "" : `${winner.path.length}-${winner.path}`;
    this.versions.push({ rev, exists: this.exists, committedAt: time, visibleAt: Infinity });
    return this.versions.length - 1;
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

  save(): SavedDocument {
    return { leaves: [...this.#leaves], version: this.versions.length - 1, seq: this.seq };
  }

  /** Becomes what it was, for everyone at once. */
  restore(saved: SavedDocument | undefined, time: number): void {
    this.#leaves = [...(saved?.leaves ?? [])];
    this.seq = saved?.seq ?? 0;
    this.reveal(this.commit(time), time);
  }
}
