/**
 * A registry as plain data, for a warm restart: the entries that were valid, and the positions of the feeds at which
 * they were.
 *
 * @module
 */
import type { Position } from "../changes/change.ts";
import type { StoredEntry } from "./entry.ts";
import { base64url, sha256 } from "../http/sha256.ts";

/** Names this layout; a snapshot of another layout is refused. */
const FORMAT = "stillfresh-snapshot-4";

/** What is saved of a set of variants. */
interface SavedVariants {
  readonly base: string;
  readonly fields: readonly string[];
}

/** One entry, as data. */
export interface SavedEntry {
  /** The resource, the caller and the variant. */
  readonly storageKey: string;
  /** What the variants of the resource have in common, and the fields that select among them. */
  readonly variants: readonly [base: string, fields: readonly string[]] | null;
  readonly etag: string;
  readonly minted: boolean;
  readonly lastModified: number | null;
  readonly fields: Readonly<Record<string, string>>;
  readonly isPublic: boolean;
  readonly anyOrigin: boolean;
  /** ms since the epoch; null: at no fixed moment, which JSON has no number for. */
  readonly expires: number | null;
  readonly groups: readonly string[];
  /** Absent where the body was not read for an audit. */
  readonly bodyDigest?: string;
}

/** Where one feed was. */
export interface SavedSubscription {
  readonly name: string;
  /** ms. */
  readonly replicaLag: number;
  readonly position: Position;
}

/** What a snapshot holds. */
export interface Snapshot {
  readonly format: typeof FORMAT;
  /** The build whose tags these are. */
  readonly version: string;
  readonly subscriptions: readonly SavedSubscription[];
  readonly entries: readonly SavedEntry[];
  /** SHA-256 of all else: a snapshot that was cut short or edited is refused. */
  readonly digest: string;
}

/** An entry as data, with the names of its groups, and what the variants of its resource have in common. */
export function saveEntry(
  entry: StoredEntry,
  groups: readonly string[],
  variants: SavedVariants | undefined,
): SavedEntry {
  const { storageKey, etag, lastModified, expires, headers, body } = entry;
  const { fields, isPublic, anyOrigin, minted } = headers;
  return {
    storageKey,
    variants: variants === undefined ? null : [variants.base, variants.fields],
    etag,
    minted,
    lastModified: lastModified ?? null,
    fields,
    isPublic,
    anyOrigin,
    expires: expires === Infinity ? null : expires,
    groups,
    ...(body === undefined ? {} : { bodyDigest: body.digest }),
  };
}

/** A snapshot of these, which JSON can carry. */
export function makeSnapshot(
  version: string,
  subscriptions: readonly SavedSubscription[],
  entries: readonly SavedEntry[],
): Snapshot {
  const content = { format: FORMAT, version, subscriptions, entries } as const;
  return { ...content, digest: digestOf(content) };
}

/** The snapshot, if the value is one that is whole, unchanged and of this build. */
export function readSnapshot(value: unknown, version: string): Snapshot | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { format, version: written, subscriptions, entries, digest } = value as Partial<Snapshot>;
  if (format !== FORMAT || written !== version || !Array.isArray(subscriptions) || !Array.isArray(entries)) {
    return undefined;
  }
  try {
    const content = { format, version, subscriptions, entries } as const;
    // Only `makeSnapshot` writes this format, so the digest also proves the shape of what is inside.
    return digestOf(content) === digest ? { ...content, digest } : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(content: Omit<Snapshot, "digest">): string {
  return base64url(sha256(JSON.stringify(content)));
}
