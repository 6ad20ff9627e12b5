/** A database of notes with owners, and its feed: what a handler reads at a moment, and what a row shows later. */
import type { DocumentChange } from "../../src/changes/change.ts";

/** A leaf of a document's revisions. A leaf without an owner is a tombstone. */
interface Leaf {
  readonly generation: number;
  readonly name: string;
  readonly owner: string | undefined;
}

/** `"leaves"`: `style: "all_docs"`; `"winner"`: without; `"before"`: each change by itself, with the state before. */
export type RowStyle = "leaves" | "winner" | "before";

type Documents = ReadonlyMap<string, readonly Leaf[]>;

const revOf = ({ generation, name }: Leaf): string => `${generation}-${name}`;

/** CouchDB's choice: what is not deleted, then the longest history, then the larger name. */
function winnerOf(leaves: readonly Leaf[]): Leaf | undefined {
  const rank = ({ owner, generation, name }: Leaf) =>
    `${owner === undefined ? 0 : 1} ${String(generation).padStart(5, "0")} ${name}`;
  return [...leaves].sort((a, b) => rank(a) < rank(b) ? 1 : -1)[0];
}

/** Written by a test, read by its handlers, and reported by rows that may be late, and skip what was in between. */
export class DocumentWorld {
  readonly #style: RowStyle;
  #documents: Documents = new Map();
  #backup: Documents = new Map();
  /** Documents whose last change is in no row yet, in the order of their changes. */
  readonly #pending = new Set<string>();
  /** Rows that were made, and have not been applied. */
  #rows: DocumentChange[] = [];

  constructor(style: RowStyle) {
    this.#style = style;
  }

  /** Every note of an owner with its revision: what a page of that owner shows. */
  pageOf(owner: string): string {
    const notes = Array.from(this.#documents, ([id, leaves]) => [id, winnerOf(leaves)!] as const);
    return notes.filter(([, winner]) => winner.owner === owner).map(([id, winner]) => id + revOf(winner))
      .sort().join();
  }

  /** How many notes have an owner. */
  get owned(): string {
    return String(
      [...this.#documents.values()].filter((leaves) => winnerOf(leaves)!.owner !== undefined).length,
    );
  }

  /** Writes the next revision of the winner; without an owner, deletes it. */
  write(id: string, name: string, owner: string | undefined): void {
    const leaves = this.#documents.get(id) ?? [];
    const winner = winnerOf(leaves);
    if (winner === undefined && owner === undefined) return;
    const next = { generation: (winner?.generation ?? 0) + 1, name, owner };
    this.#put(id, [...leaves.filter((leaf) => leaf !== winner), next]);
  }

  /** A revision of the winner's generation comes in by replication, and wins or loses. */
  conflict(id: string, name: string, owner: string | undefined): void {
    const leaves = this.#documents.get(id);
    if (leaves === undefined || leaves.length > 3) return;
    const { generation } = winnerOf(leaves)!;
    this.#put(id, [...leaves, { generation, name, owner }]);
  }

  #put(id: string, leaves: readonly Leaf[]): void {
    const previous = winnerOf(this.#documents.get(id) ?? []);
    this.#documents = new Map([...this.#documents, [id, leaves]]);
    this.#pending.delete(id);
    this.#pending.add(id);
    // Such a source has a row for each change, whether or not it is read in time.
    if (this.#style === "before") this.#emit(id, previous);
  }

  /** Makes rows for the longest pending changes, which show each document as it is at this moment. */
  emit(count: number): void {
    for (const id of [...this.#pending].slice(0, count)) this.#emit(id, undefined);
  }

  #emit(id: string, previous: Leaf | undefined): void {
    this.#pending.delete(id);
    const leaves = this.#documents.get(id)!;
    const winner = winnerOf(leaves)!;
    const doc = (leaf: Leaf) => ({ _id: id, _rev: revOf(leaf), owner: leaf.owner });
    const before = previous?.owner === undefined ? null : doc(previous);
    this.#rows.push({
      id,
      rev: revOf(winner),
      ...(winner.owner === undefined ? { deleted: true } : { doc: doc(winner) }),
      ...(this.#style === "before" ? { before } : {}),
      ...(this.#style === "leaves" ? { revs: leaves.map(revOf) } : {}),
    });
  }

  /** The rows that come next. */
  take(count: number): readonly DocumentChange[] {
    return this.#rows.splice(0, count);
  }

  /** The connection is lost, and with it the rows on their way: their documents come again as they are then. */
  lose(): void {
    if (this.#style === "before") return;
    for (const { id } of this.#rows.splice(0)) this.#pending.add(id);
  }

  /** A document comes once more. */
  repeat(id: string): void {
    if (this.#documents.has(id) && this.#style !== "before") this.#pending.add(id);
  }

  /** Keeps the files as they are. */
  save(): void {
    this.#backup = this.#documents;
  }

  /** Restores the files that were kept; each document comes again. */
  restore(): void {
    this.#documents = this.#backup;
    this.#rows = [];
    this.#pending.clear();
    for (const id of this.#documents.keys()) {
      if (this.#style === "before") this.#emit(id, undefined);
      else this.#pending.add(id);
    }
  }
}
