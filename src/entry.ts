/**
 * One valid entity tag, and the groups it depends on.
 *
 * @module
 */
import type { Source } from "./group.ts";
import type { SharedInit } from "./shared_init.ts";

/** What a hit needs to build its 304. */
export interface Entry {
  /** The entity tag on the wire, `"x"` or `W/"x"`. */
  readonly etag: string;
  /** Last-Modified in seconds since the epoch, where the response had one. */
  readonly lastModified: number | undefined;
  /** The 304's status and fields but for `etag`, shared by entries with equal fields. */
  readonly init: SharedInit;
  /** Whether the response said `Cache-Control: public`, so that Cookie and Authorization do not matter. */
  readonly isPublic: boolean;
  /** The same for this entry alone, with its `etag`, while it is `used` often enough to have it ready. */
  prepared: (ResponseInit & { used: boolean }) | undefined;
}

/** What a response offers for registration. */
export interface Registration {
  /** The entity tag on the wire; undefined: keep that of a still valid entry, else mint one. */
  readonly etag: string | undefined;
  /** What tells this representation from others of the resource, in etagc: a minted tag carries it. */
  readonly representation: string;
  /** Last-Modified in seconds since the epoch. */
  readonly lastModified: number | undefined;
  /** The fields that a 304 replays, by lower-case name, without `etag`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether anybody may be answered from it, whatever Cookie or Authorization say. */
  readonly isPublic: boolean;
  /** Lower-case names of the request fields that selected the response, sorted. */
  readonly vary: readonly string[];
  /** Everything the response was built from. */
  readonly sources: readonly Source[];
}

/** A group that at least one entry depends on. Small, and shared: a change is one write to it, whatever depends on it. */
export interface Group {
  readonly name: string;
  /** The mark of its last change. */
  changedAt: number;
  /** How many entries hold it; at zero it leaves. */
  dependents: number;
}

/** The variants of one resource: which request fields select among them, and where each is kept. */
export interface Variants {
  /** The storage key that they have in common. */
  readonly base: string;
  /** Lower-case, sorted; only ever grows while variants are kept. */
  readonly fields: readonly string[];
  readonly storageKeys: Set<string>;
}

/** An entry as the registry keeps it. */
export interface KeptEntry extends Entry {
  /** The resource. */
  readonly key: string;
  /** Where it is kept: the resource, who asks and the variant in one string. */
  readonly storageKey: string;
  /** The set it is one of, where `Vary` selects. */
  readonly variants: Variants | undefined;
  /** Whether its tag is random: then it means this one registration only. */
  readonly minted: boolean;
  readonly groups: readonly Group[];
  /** No group of it had changed up to this mark. */
  validAt: number;
  /** Whether it answered since the eviction hand last passed. */
  visited: boolean;
}
