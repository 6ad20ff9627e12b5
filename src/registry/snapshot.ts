/**
 * A snapshot: the entries of a registry, for a warm restart, written in pieces while the registry goes on.
 *
 * It is a log in lines of JSON: a header, the entries as they were when their piece was written, and between them what
 * has taken entries out that were written before. Then come the positions of the feeds, and last a digest of all lines.
 * The positions are those of the beginning: what a feed has reported since is reported once more after a restart. So only
 * what no feed reports has to be in the log. docs/decisions/083-a-snapshot-is-written-in-pieces.md has the reasons.
 *
 * @module
 */
import type { Position } from "../changes/change.ts";
import { base64url, Sha256 } from "../http/sha256.ts";
import type { StoredEntry } from "./entry.ts";

/** Names this layout; a snapshot of another layout is refused. */
export const FORMAT = "stillfresh-snapshot-5";

/** One entry, as data. */
export type SavedEntry = readonly [
  /** The resource, the caller and the variant. */
  storageKey: string,
  etag: string,
  groups: readonly string[],
  fields: Readonly<Record<string, string>>,
  isPublic: boolean,
  anyOrigin: boolean,
  minted: boolean,
  /** Seconds since the epoch. */
  lastModified: number | null,
  /** ms since the epoch; null: at no fixed moment, which JSON has no number for. */
  expires: number | null,
  /** The fields that select among the variants of the resource; null: it has none. */
  selecting: readonly string[] | null,
  /** Null where the body was not read for an audit. */
  bodyDigest: string | null,
];

/** Where one feed was. */
export interface SavedSubscription {
  readonly name: string;
  /** ms. */
  readonly replicaLag: number;
  readonly position: Position;
}

/** What has taken out entries that were written before, beside the changes that a feed reports. */
export interface SavedRemovals {
  /** Whether it was all of them. */
  readonly all?: true;
  readonly groups: readonly string[];
  readonly resources: readonly string[];
  readonly tags: readonly string[];
}

/** The positions of the feeds: the last line before the digest. */
export interface SavedEnd {
  readonly subscriptions: readonly SavedSubscription[];
}

/** An entry as data, with the names of its groups, and the fields that select among the variants of its resource. */
export function saveEntry(
  entry: StoredEntry,
  groups: readonly string[],
  selecting: readonly string[] | undefined,
): SavedEntry {
  const { storageKey, etag, lastModified, expires, headers, body } = entry;
  const { fields, isPublic, anyOrigin, minted } = headers;
  return [
    storageKey,
    etag,
    groups,
    fields,
    isPublic,
    anyOrigin,
    minted,
    lastModified ?? null,
    expires === Infinity ? null : expires,
    selecting ?? null,
    body?.digest ?? null,
  ];
}

/** A walk over the entries, oldest first, in steps between which entries may come and leave. */
export interface EntryWalk {
  /** The next entry as data, `"void"` where a change has voided it; undefined: the walk is over. */
  next(): SavedEntry | "void" | undefined;
  /** Ends the walk. */
  end(): void;
}

/** What a snapshot is written of. */
export interface SnapshotSource {
  /** Where each feed is now; undefined where one of them has no position, or there is no feed. */
  positions(): readonly SavedSubscription[] | undefined;
  /** Begins a walk over the entries. From now on, the writer is told what takes entries out. */
  begin(): EntryWalk;
  /** The writer need not be told of anything any more. */
  end(): void;
}

/** Characters after which a piece is complete: to write or to read so many takes a millisecond. */
export const PIECE = 16_384;

/** Entries that one piece looks at: all of them may be void. */
const MOST_ENTRIES = 512;

/** Characters of removals that are held for the next piece. A reader that is slower than that gets an empty snapshot. */
const MOST_REMOVALS = 1_048_576;

const encoder: TextEncoder = /* @__PURE__ */ new TextEncoder();

/** Writes one snapshot, piece by piece. */
export class SnapshotWriter {
  readonly #version: string;
  readonly #source: SnapshotSource;
  readonly #mostEntries: number;
  readonly #digest = new Sha256();
  #walk: EntryWalk | undefined;
  #isOver = false;
  /** Of before the first of those entries that have not been taken out with all others. */
  #positions: readonly SavedSubscription[] | undefined;
  // What has taken entries out since the last piece.
  #all = false;
  readonly #groups: Set<string> = new Set();
  readonly #resources: Set<string> = new Set();
  readonly #tags: Set<string> = new Set();
  #held = 0;

  /** @param mostEntries Entries that one piece looks at. */
  constructor(version: string, source: SnapshotSource, mostEntries: number = MOST_ENTRIES) {
    this.#version = version;
    this.#source = source;
    this.#mostEntries = mostEntries;
  }

  /** Notes that a group has changed, by another report than a feed's. */
  noteGroup(group: string): void {
    this.#note(this.#groups, group);
  }

  /** Notes that a resource was taken out with all variants and callers. */
  noteResource(key: string): void {
    this.#note(this.#resources, key);
  }

  /** Notes that what had a tag was taken out. */
  noteTag(tag: string): void {
    this.#note(this.#tags, tag);
  }

  /**
   * Notes that all entries were taken out, or that the feeds are others now. The positions of before are of no use any
   * more: they may lie beyond files that have been restored.
   */
  noteAll(): void {
    this.#forget();
    this.#all = true;
    this.#positions = undefined;
  }

  #note(names: Set<string>, name: string): void {
    if (this.#all || names.has(name)) return;
    names.add(name);
    this.#held += name.length;
    if (this.#held > MOST_REMOVALS) this.noteAll();
  }

  /** The next piece; undefined where there is none. Must not run while a batch of a feed is applied. */
  next(): Uint8Array | undefined {
    if (this.#isOver) return undefined;
    let text = "";
    if (this.#walk === undefined) {
      this.#walk = this.#source.begin();
      text = line({ format: FORMAT, version: this.#version });
    }
    text += this.#removals();
    // Before the entries that are written now: a feed reports again what it has reported since.
    this.#positions ??= this.#source.positions();
    let isEnd = this.#positions === undefined;
    for (let looked = 0; !isEnd && looked < this.#mostEntries && text.length < PIECE; looked++) {
      const entry = this.#walk.next();
      if (entry === undefined) isEnd = true;
      else if (entry !== "void") text += line(entry);
    }
    if (isEnd) text += line({ subscriptions: this.#subscriptions() } satisfies SavedEnd);
    const bytes = encoder.encode(text);
    this.#digest.update(bytes);
    if (!isEnd) return bytes;
    this.cancel();
    const last = encoder.encode(line(base64url(this.#digest.digest())));
    const all = new Uint8Array(bytes.length + last.length);
    all.set(bytes);
    all.set(last, bytes.length);
    return all;
  }

  /** Nothing more will be written. */
  cancel(): void {
    this.#isOver = true;
    this.#walk?.end();
    this.#source.end();
    this.#forget();
  }

  /** What has taken entries out since the last piece, as a line; the order in which it did makes no difference. */
  #removals(): string {
    const [groups, resources, tags] = [[...this.#groups], [...this.#resources], [...this.#tags]];
    const all = this.#all;
    this.#forget();
    if (!all && groups.length + resources.length + tags.length === 0) return "";
    return line({ ...(all ? { all } : {}), groups, resources, tags } satisfies SavedRemovals);
  }

  #forget(): void {
    this.#all = false;
    this.#held = 0;
    for (const names of [this.#groups, this.#resources, this.#tags]) names.clear();
  }

  /** The positions, with what is known by now of how long changes settle. */
  #subscriptions(): readonly SavedSubscription[] {
    const lags = new Map(this.#source.positions()?.map(({ name, replicaLag }) => [name, replicaLag]));
    return (this.#positions ?? []).map(({ name, replicaLag, position }) => ({
      name,
      replicaLag: lags.get(name) ?? replicaLag,
      position,
    }));
  }
}

function line(value: unknown): string {
  return `${JSON.stringify(value)}\n`;
}
