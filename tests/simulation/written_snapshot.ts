/**
 * A snapshot whose pieces are written while everything else goes on, and what must not be restored from it: an entry that
 * was taken out after its piece was written.
 *
 * @module
 */
import { EtagRegistry } from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import type { SavedEntry, SnapshotWriter } from "../../src/registry/snapshot.ts";
import { resourceOf } from "../../src/registry/storage_key.ts";
import { piecesOf, restoreAtOnce } from "./snapshot_pieces.ts";
import { Violation } from "./invariant.ts";

const decoder = new TextDecoder();

/** The entries of a piece, or of several. */
function entriesOf(...pieces: readonly Uint8Array[]): SavedEntry[] {
  const lines = pieces.flatMap((piece) => decoder.decode(piece).split("\n"));
  return lines.filter((line) => line.startsWith("[")).map((line) => JSON.parse(line));
}

const nameOf = ([storageKey, etag]: SavedEntry): string => JSON.stringify([storageKey, etag]);

/** Why entries are taken out: a group is invalidated, a resource deleted, or everything is void. */
export type Removal =
  | { readonly group: string }
  | { readonly resource: string }
  | "everything";

export class WrittenSnapshot {
  readonly #writer: SnapshotWriter;
  readonly #build: string;
  readonly pieces: Uint8Array[] = [];
  /** Entries that have been written, and taken out since. */
  readonly #removed: Map<string, Removal> = new Map();

  /** @param entries How many a piece looks at. */
  constructor(registry: EtagRegistry, entries: number) {
    this.#writer = coreOf(registry).snapshot(entries);
    this.#build = registry.version!;
  }

  /** Writes a piece; false if it was the last one: what happens from now on is after the snapshot. */
  write(): boolean {
    const piece = this.#writer.next()!;
    this.pieces.push(piece);
    // What is written again was registered again.
    for (const entry of entriesOf(piece)) this.#removed.delete(nameOf(entry));
    // The digest is the only line that is a string.
    return !decoder.decode(piece).endsWith('"\n');
  }

  /** Notes what is taken out now. */
  remove(removal: Removal): void {
    for (const entry of entriesOf(...this.pieces)) {
      const [storageKey, , groups] = entry;
      const isMeant = removal === "everything" ||
        ("group" in removal ? groups.includes(removal.group) : resourceOf(storageKey) === removal.resource);
      if (isMeant) this.#removed.set(nameOf(entry), removal);
    }
  }

  /** The process has ended before the snapshot. */
  cancel(): void {
    this.#writer.cancel();
  }

  /** @throws {Violation} If it is refused, or an entry would be restored that was taken out. */
  check(): void {
    const core = coreOf(new EtagRegistry({ version: this.#build, maxVariants: 1_000 }));
    const refusal = restoreAtOnce(core, this.pieces);
    if (refusal !== undefined) throw new Violation(`the snapshot is ${refusal}`);
    for (const entry of entriesOf(...piecesOf(core))) {
      const removal = this.#removed.get(nameOf(entry));
      if (removal === undefined) continue;
      throw new Violation(`${nameOf(entry)} would be restored, although ${JSON.stringify(removal)}`);
    }
  }
}
