/**
 * Which revisions a feed has told of, and when; and whether a copy is behind it: whether the feed had told of another
 * winner of one of its documents by some moment, for good.
 */

/** The winner's revision; null: there is no document. */
export type State = string | null;

/** What a reading found. */
export interface Reading {
  readonly states: ReadonlyMap<string, State>;
  /** When it was there; milliseconds of `performance.now()`, like all times here. */
  readonly at: number;
}

interface Row {
  readonly rev: string;
  readonly deleted: boolean;
  readonly at: number;
}

/** What the writers know: a feed leaves out what has been overwritten before it came to it. */
export class Written {
  readonly #begun: Map<string, number> = new Map();
  readonly #deletions: Map<string, string[]> = new Map();
  readonly #removals: Map<string, number[]> = new Map();

  /** A revision was written. */
  note(id: string, rev: string, begun: number, deleted: boolean): void {
    this.#begun.set(rev, begun);
    if (deleted) this.#deletions.set(id, [...this.#deletions.get(id) ?? [], rev]);
  }

  /** A winner is about to be deleted, which brings back whatever it had won over; whether it works out or not. */
  removing(id: string, begun: number): void {
    this.#removals.set(id, [...this.#removals.get(id) ?? [], begun]);
  }

  /** Whether a winner may have been deleted between two moments. */
  removed(id: string, after: number, until: number): boolean {
    return (this.#removals.get(id) ?? []).some((begun) => after < begun && begun <= until);
  }

  /** When the writing began; undefined if nobody told. */
  begun(rev: string): number | undefined {
    return this.#begun.get(rev);
  }

  /** The revisions by which a document was deleted before a moment. */
  deletions(id: string, moment: number): string[] {
    return (this.#deletions.get(id) ?? []).filter((rev) => this.#begun.get(rev)! <= moment);
  }
}

/** What one feed has told. */
export class FeedLedger {
  readonly #rows: Map<string, Row[]> = new Map();
  readonly #written: Written;
  /** Told of each row. */
  onRow: (id: string) => void = () => {};

  constructor(written: Written) {
    this.#written = written;
  }

  /** The feed tells of a winner. */
  report(id: string, rev: string, deleted: boolean, at: number = performance.now()): void {
    const rows = this.#rows.get(id) ?? [];
    this.#rows.set(id, rows);
    if (rows.at(-1)?.rev === rev) return;
    rows.push({ rev, deleted, at });
    this.onRow(id);
  }

  /**
   * ms since the feed told of something that replaces what a reading found; undefined if it had not by this moment.
   * To be asked when the feed has told what came after: a reading may also be ahead of it.
   */
  behind({ states, at }: Reading, moment: number): number | undefined {
    const replaced = [...states].map(([id, state]) => this.#replaced(id, state, at, moment));
    const since = replaced.filter((time) => time !== undefined);
    return since.length === 0 ? undefined : moment - Math.min(...since);
  }

  #replaced(id: string, state: State, read: number, moment: number): number | undefined {
    const row = this.#rows.get(id)?.findLast(({ at }) => at <= moment);
    if (row === undefined) return undefined;
    // A deletion that the feed has yet to tell of may have brought it back: the reading is ahead.
    if (this.#written.removed(id, this.#written.begun(row.rev) ?? row.at, read)) return undefined;
    if (state !== null) return this.#revisionReplaced(id, state, moment);
    // There was no document; by which of the deletions until then is not known, so any will do.
    const rows = (this.#rows.get(id) ?? []).filter(({ deleted, at }) => deleted && at <= read).map((
      { rev },
    ) => rev);
    const deletions = new Set([...rows, ...this.#written.deletions(id, read)]);
    const times = [...deletions].map((rev) => this.#revisionReplaced(id, rev, moment));
    const since = times.filter((time) => time !== undefined);
    return since.length === 0 || since.length < times.length ? undefined : Math.max(...since);
  }

  /** When something else took the place of a revision, if that was not later than a moment. */
  #revisionReplaced(id: string, rev: string, moment: number): number | undefined {
    const rows = this.#rows.get(id) ?? [];
    const current = rows.findLastIndex(({ at }) => at <= moment);
    // What returns later was away only for this feed: a deletion may bring an older revision back.
    if (current < 0 || rows.slice(current).some((row) => row.rev === rev)) return undefined;
    const last = rows.findLastIndex((row) => row.rev === rev);
    if (last >= 0) return rows[last + 1]!.at;
    // Never told of: it is older than the row only if it was written before what the row tells of.
    const begun = this.#written.begun(rev);
    const later = this.#written.begun(rows[current]!.rev);
    return begun !== undefined && later !== undefined && begun < later ? rows[current]!.at : undefined;
  }
}
