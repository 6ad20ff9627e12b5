/**
 * One valid entity tag, and the groups it depends on.
 *
 * @module
 */
import type { Source } from "../http/dependency.ts";
import { type Dependent, groupsOf } from "./group_table.ts";
import type { CommonInit, NotModifiedInit } from "./shared_headers.ts";
import type { Sieved } from "./sieve.ts";
import { resourceOf } from "./storage_key.ts";

/** What a hit needs to build its 304. */
export interface Entry {
  /** The entity tag on the wire, `"x"` or `W/"x"`. */
  readonly etag: string;
  /** Last-Modified in seconds since the epoch, where the response had one. */
  readonly lastModified: number | undefined;
  /** The 304's status and fields but for `etag`, shared by entries with equal fields. */
  readonly init: NotModifiedInit;
  /** Whether the response said `Cache-Control: public`, so that Cookie and Authorization do not matter. */
  readonly isPublic: boolean;
  /** What its 304 is made of, where whoever answers with it keeps that ready. */
  prepared: object | undefined;
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

/** The variants of one resource: which request fields select among them, and where each is kept. */
export interface Variants {
  /** The storage key that they have in common. */
  readonly base: string;
  /** Lower-case, sorted; only ever grows while variants are kept. */
  readonly fields: readonly string[];
  readonly storageKeys: Set<string>;
}

/** What a {@linkcode StoredEntry} is made of, its groups apart. */
export interface EntryInit {
  readonly etag: string;
  readonly lastModified: number | undefined;
  readonly init: CommonInit;
  readonly storageKey: string;
}

/**
 * An entry as the registry keeps it: one object with few fields, because there may be millions. With more than twelve
 * JavaScriptCore takes half as much again, and where not all are assigned in one constructor, a second object.
 */
export class StoredEntry implements Entry, Dependent, Sieved<StoredEntry> {
  readonly etag: string;
  readonly lastModified: number | undefined;
  readonly init: CommonInit;
  /** Where it is kept: the resource, who asks and the variant in one string. */
  readonly storageKey: string;
  prepared: object | undefined;
  readonly first: number;
  readonly second: number;
  readonly others: number | readonly number[];
  validAt: number;
  visited: boolean;
  older: StoredEntry | undefined;
  newer: StoredEntry | undefined;

  constructor(from: EntryInit, groups: readonly number[], validAt: number) {
    this.etag = from.etag;
    this.lastModified = from.lastModified;
    this.init = from.init;
    this.storageKey = from.storageKey;
    this.prepared = undefined;
    this.first = groups[0] ?? 0;
    this.second = groups[1] ?? 0;
    this.others = groups.length > 3 ? groups.slice(2) : groups[2] ?? 0;
    this.validAt = validAt;
    this.visited = false;
    this.older = undefined;
    this.newer = undefined;
  }

  get isPublic(): boolean {
    return this.init.isPublic;
  }

  /** Whether its tag is random: then it means this one registration only. */
  get minted(): boolean {
    return this.init.minted;
  }

  /** The resource. */
  get key(): string {
    return resourceOf(this.storageKey);
  }

  /** What it depends on. */
  get groups(): readonly number[] {
    return groupsOf(this);
  }
}
