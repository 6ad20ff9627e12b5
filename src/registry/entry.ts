/**
 * A response on its way into the registry, and the entry that is kept of it.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { Dependent } from "./group_table.ts";
import type { RetainedHeaders } from "./shared_headers.ts";
import type { Sieved } from "./sieve.ts";
import { resourceOf } from "./storage_key.ts";

/** What is known of a response that asks to be registered. */
export interface Registration {
  /** The entity tag on the wire; undefined: keep that of a still valid entry, else make a random one. */
  readonly etag: string | undefined;
  /** Tells this representation from others of the resource, in etagc: a random tag carries it. */
  readonly representation: string;
  /** Last-Modified in seconds since the epoch. */
  readonly lastModified: number | undefined;
  /** The fields that a 304 repeats, by lower-case name, without `etag`. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether every request may be answered from it, whatever its Cookie or Authorization. */
  readonly isPublic: boolean;
  /** Whether a request may be answered from it whatever its Origin says. */
  readonly anyOrigin: boolean;
  /** When it ends, in ms since the epoch; Infinity: at no fixed moment. */
  readonly expires: number;
  /** Lower-case names of the request fields that selected the response, sorted. */
  readonly vary: readonly string[];
  /** Everything that the response was built from. */
  readonly dependencies: readonly DeclaredDependency[];
  /** Bytes of its content, which each 304 saves; default 0: not known. */
  readonly length?: number;
  /** What is known of its body, where that was read for an audit. */
  readonly body?: BodyRecord | undefined;
}

/** What is kept of a body, so that an audit can tell another body from it. */
export interface BodyRecord {
  /** SHA-256, in etagc. */
  readonly digest: string;
  /** The first bytes, where a mismatch is to show the place. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * One valid entity tag, and what a 304 needs. There may be millions, so it is one object with few fields: with more than
 * twelve JavaScriptCore takes half as much memory again.
 */
export class StoredEntry extends Dependent implements Sieved<StoredEntry> {
  /** The entity tag on the wire, `"x"` or `W/"x"`. */
  readonly etag: string;
  /** Last-Modified in seconds since the epoch, where the response had one. */
  readonly lastModified: number | undefined;
  /** When it ends, in ms since the epoch; Infinity: at no fixed moment. */
  readonly expires: number;
  /** The headers of its 304 but for `etag`. */
  readonly headers: RetainedHeaders;
  /** The resource, the caller and the variant in one string. */
  readonly storageKey: string;
  visited: boolean;
  older: StoredEntry | undefined;
  newer: StoredEntry | undefined;

  /**
   * @param groups Ids of what it depends on.
   * @param validAt The sequence number up to which it is known to be valid.
   */
  constructor(
    storageKey: string,
    etag: string,
    lastModified: number | undefined,
    expires: number,
    headers: RetainedHeaders,
    groups: readonly number[],
    validAt: number,
  ) {
    super(groups, validAt);
    this.etag = etag;
    this.lastModified = lastModified;
    this.expires = expires;
    this.headers = headers;
    this.storageKey = storageKey;
    this.visited = false;
    this.older = undefined;
    this.newer = undefined;
  }

  /** The resource. */
  get key(): string {
    return resourceOf(this.storageKey);
  }

  /** Bytes of the content of its response; 0: not known. */
  get length(): number {
    return 0;
  }

  /** What is known of the body of its response. */
  get body(): BodyRecord | undefined {
    return undefined;
  }
}

/** An entry whose response said how long it is. A class of its own, so that no other entry has a field for it. */
export class SizedEntry extends StoredEntry {
  readonly #length: number;

  /** @param length Bytes; the others as for {@linkcode StoredEntry}. */
  constructor(length: number, ...others: ConstructorParameters<typeof StoredEntry>) {
    super(...others);
    this.#length = length;
  }

  override get length(): number {
    return this.#length;
  }
}

/** An entry whose response had its body read. */
export class AuditedEntry extends SizedEntry {
  readonly #body: BodyRecord;

  /** @param body What is known of the body; the others as for {@linkcode SizedEntry}. */
  constructor(body: BodyRecord, ...others: ConstructorParameters<typeof SizedEntry>) {
    super(...others);
    this.#body = body;
  }

  override get body(): BodyRecord {
    return this.#body;
  }
}
