/**
 * The entries of a registry: found by resource and variant, voided by group, bounded in number and bytes.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { AuditedEntry, type BodyRecord, type Registration, StoredEntry } from "./entry.ts";
import { copied, groupBytes, GroupTable } from "./group_table.ts";
import type { Departure, LookupRefusal } from "./reason.ts";
import { retainedBytes, type RetainedHeaders, SharedHeaders } from "./shared_headers.ts";
import { Sieve } from "./sieve.ts";
import { type EntryWalk, type SavedEntry, saveEntry } from "./snapshot.ts";
import { baseOf, variantKey } from "./storage_key.ts";

/** Estimated bytes of an entry beside its strings. */
const ENTRY_BYTES = 212;
/** Estimated bytes of what is known of a body, beside the digest and the bytes themselves. */
const BODY_RECORD_BYTES = 120;

/** How large an {@linkcode EntryStore} may become. */
export interface EntryStoreLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  readonly maxVariants: number;
}

/** The variants of one resource for one caller: which request fields select among them, and where each is stored. */
interface VariantSet {
  /** The part that their storage keys have in common. */
  readonly base: string;
  /** Lower-case, sorted; only ever grows while variants are kept. */
  readonly fields: readonly string[];
  readonly storageKeys: Set<string>;
}

function entryBytes(entry: StoredEntry): number {
  const { storageKey, etag, listed, body } = entry;
  return ENTRY_BYTES + storageKey.length + etag.length + 8 * listed + bodyBytes(body);
}

function bodyBytes(body: BodyRecord | undefined): number {
  return body === undefined ? 0 : BODY_RECORD_BYTES + body.digest.length + (body.bytes?.byteLength ?? 0);
}

/** An entry, of the class that has room for what is known of its body. */
function makeEntry(
  body: BodyRecord | undefined,
  ...others: ConstructorParameters<typeof StoredEntry>
): StoredEntry {
  return body === undefined ? new StoredEntry(...others) : new AuditedEntry(body, ...others);
}

/** A bounded store of entries. */
export class EntryStore {
  readonly #entries: Sieve<StoredEntry> = new Sieve((entry) => !this.isValid(entry));
  readonly #variants: Map<string, VariantSet> = new Map();
  readonly #groups = new GroupTable();
  readonly #headers = new SharedHeaders();
  readonly #limits: EntryStoreLimits;
  readonly #onLeave: (entry: StoredEntry, reason: Departure) => void;
  #bytes = 0;

  /** @param onLeave Called after an entry has left, with the reason. */
  constructor(limits: EntryStoreLimits, onLeave: (entry: StoredEntry, reason: Departure) => void) {
    this.#limits = limits;
    this.#onLeave = onLeave;
  }

  /** How many entries are kept, including void ones that no look-up has met since. */
  get size(): number {
    return this.#entries.size;
  }

  /** Estimated bytes, groups and retained headers included. */
  get bytes(): number {
    return this.#bytes + this.#groups.bytes + this.#headers.bytes;
  }

  /** The entry for a request, void or not, else why there is none. */
  find(base: string, headers: Headers): StoredEntry | (LookupRefusal & ("miss" | "variant")) {
    const entry = this.#entries.get(base);
    if (entry !== undefined) return entry;
    const variants = this.#variants.get(base);
    if (variants === undefined) return "miss";
    return this.#entries.get(variantKey(base, variants.fields, headers)) ?? "variant";
  }

  /** Whether an entry is kept here, void or not. */
  has(entry: StoredEntry): boolean {
    return this.#entries.get(entry.storageKey) === entry;
  }

  /** Whether no group of an entry has changed since it was made. */
  isValid(entry: StoredEntry): boolean {
    return this.#groups.isValid(entry);
  }

  /** The names of the groups whose changes have voided an entry. */
  changedIn(entry: StoredEntry): readonly string[] {
    return this.#groups.changedIn(entry);
  }

  /** All entries, void ones included. */
  values(): IterableIterator<StoredEntry> {
    return this.#entries.values();
  }

  /** The entries that no change has voided. */
  valid(): StoredEntry[] {
    return [...this.#entries.values()].filter((entry) => this.isValid(entry));
  }

  /**
   * Voids what depends on a group, in O(1): an entry is looked at when it is next asked for.
   *
   * @param rev The revision that was reported, if one was.
   * @param feed The number of the feed that reported it.
   */
  change(group: string, sequence: number, rev?: string, feed?: number): void {
    if (this.#groups.change(group, sequence, rev, feed)) this.#entries.expectDead();
  }

  /** Voids what depends on a group and does not declare this revision, which is reported again. O(1), too. */
  repeat(group: string, sequence: number, rev: string, feed: number): void {
    if (this.#groups.repeat(group, sequence, rev, feed)) this.#entries.expectDead();
  }

  /** Whether a response declares another revision of a document than the one that was reported last. */
  isSuperseded(dependencies: readonly DeclaredDependency[]): boolean {
    return dependencies.some(({ _id, _rev }) => _rev !== undefined && this.#groups.isSuperseded(_id, _rev));
  }

  /**
   * Keeps an entry in the place of the previous one, and makes room for it first.
   *
   * @param base The resource and the caller in one string.
   * @param groups What it depends on, each group once.
   * @param sequence The sequence number up to which it is known to be valid.
   * @param headers The request's fields, from which `vary` selects.
   * @param tagFor The entity tag to give it, by the still valid entry that it replaces.
   */
  add(
    base: string,
    registration: Registration,
    groups: readonly DeclaredDependency[],
    sequence: number,
    headers: Headers,
    tagFor: (previous: StoredEntry | undefined) => string,
  ): StoredEntry | "too-large" {
    const { vary, lastModified, expires, fields, etag } = registration;
    const variants = this.#variantsFor(base, vary);
    const storageKey = variants === undefined ? base : variantKey(base, variants.fields, headers);
    const previous = this.#entries.get(storageKey);
    const valid = previous !== undefined && this.isValid(previous) ? previous : undefined;
    const tag = copied(tagFor(valid));
    const retained = this.#headers.acquire(fields, registration, etag === undefined);
    const entry = makeEntry(
      // The same tag means the same body, so what is known of it holds for a response whose body was not read.
      registration.body ?? (valid?.etag === tag ? valid.body : undefined),
      storageKey,
      tag,
      lastModified,
      expires,
      retained,
      groups.map(({ _id, _rev }) => this.#groups.acquire(_id, _rev)),
      sequence,
    );
    return this.#admit(entry, previous, variants) ? entry : "too-large";
  }

  /** Begins a walk over the entries as data, oldest first. */
  walk(): EntryWalk {
    const walk = this.#entries.walk();
    return {
      next: () => {
        const entry = this.#entries.step(walk);
        if (entry === undefined) return undefined;
        if (!this.isValid(entry)) return "void";
        return saveEntry(entry, this.namesOf(entry), this.#variantsOf(entry)?.fields);
      },
      end: () => this.#entries.endWalk(walk),
    };
  }

  /** The names of what an entry depends on; the entry must be kept here. */
  namesOf(entry: StoredEntry): readonly string[] {
    return entry.groups.map((group) => this.#groups.nameOf(group));
  }

  /** Keeps an entry of an earlier process, if there is room, in the place of those that it had replaced. */
  restore(saved: SavedEntry, sequence: number): void {
    const [storageKey, etag, groups, fields, isPublic, anyOrigin, minted, ...more] = saved;
    const [lastModified, expires, selecting, bodyDigest] = more;
    const base = baseOf(storageKey) ?? storageKey;
    // The set of variants has changed while the snapshot was written: a look-up goes by the fields of the later one.
    if (this.#variants.get(base)?.fields.join() !== selecting?.join()) this.dropAll(base, "vary-grew");
    const variants = selecting === null
      ? undefined
      : this.#variants.get(base) ?? { base, fields: selecting, storageKeys: new Set<string>() };
    const entry = makeEntry(
      bodyDigest === null ? undefined : { digest: bodyDigest, bytes: undefined },
      storageKey,
      etag,
      lastModified ?? undefined,
      expires ?? Infinity,
      this.#headers.acquire(fields, { isPublic, anyOrigin }, minted),
      groups.map((name) => this.#groups.acquire(name)),
      sequence,
    );
    this.#admit(entry, this.#entries.get(storageKey), variants);
  }

  /** Puts an entry in its place, making room for it first; false where there cannot be enough. */
  #admit(
    entry: StoredEntry,
    previous: StoredEntry | undefined,
    variants: VariantSet | undefined,
  ): boolean {
    if (previous !== undefined) this.drop(previous, "replaced");
    const bytes = entryBytes(entry);
    if (!this.#makeRoom(entry, bytes)) {
      this.#release(entry);
      return false;
    }
    if (variants !== undefined) this.#keepVariant(variants, entry.storageKey);
    this.#entries.set(entry.storageKey, entry);
    this.#bytes += bytes;
    return true;
  }

  /** Takes an entry out, unless it has left already. */
  drop(entry: StoredEntry, reason: Departure): void {
    if (!this.has(entry)) return;
    this.#entries.delete(entry.storageKey);
    this.#bytes -= entryBytes(entry);
    this.#release(entry);
    const variants = this.#variantsOf(entry);
    variants?.storageKeys.delete(entry.storageKey);
    if (variants?.storageKeys.size === 0) this.#variants.delete(variants.base);
    this.#onLeave(entry, reason);
  }

  /** What is kept under a base, all variants of it, void or not. */
  all(base: string): StoredEntry[] {
    const keys = [base, ...this.#variants.get(base)?.storageKeys ?? []];
    return keys.map((key) => this.#entries.get(key)).filter((entry) => entry !== undefined);
  }

  /** Takes out what is kept under a base, all variants of it; true if there was something. */
  dropAll(base: string, reason: Departure): boolean {
    const found = this.all(base);
    for (const entry of found) this.drop(entry, reason);
    return found.length > 0;
  }

  /** Takes out the entries that have one of these tags, and returns how many. */
  dropTags(tags: ReadonlySet<string>, reason: Departure): number {
    const found = [...this.values()].filter(({ etag }) => tags.has(etag));
    for (const entry of found) this.drop(entry, reason);
    return found.length;
  }

  /** Takes out everything at once, and returns it. */
  clear(): readonly StoredEntry[] {
    const left = [...this.#entries.values()];
    this.#entries.clear();
    this.#variants.clear();
    this.#groups.clear();
    this.#headers.clear();
    this.#bytes = 0;
    return left;
  }

  /** The set that a kept entry belongs to. */
  #variantsOf({ storageKey }: StoredEntry): VariantSet | undefined {
    const base = baseOf(storageKey);
    return base === undefined ? undefined : this.#variants.get(base);
  }

  /** The set that a response belongs to. A wider set than before voids what was selected by fewer fields. */
  #variantsFor(base: string, vary: readonly string[]): VariantSet | undefined {
    const known = this.#variants.get(base);
    if (vary.length === 0) return known;
    const before = known?.fields ?? [];
    if (vary.every((name) => before.includes(name))) return known;
    const fields = [...new Set([...before, ...vary])].sort();
    this.dropAll(base, "vary-grew");
    return { base, fields, storageKeys: new Set() };
  }

  #keepVariant(variants: VariantSet, storageKey: string): void {
    // Making room may have emptied the set, and so taken it out.
    this.#variants.set(variants.base, variants);
    if (variants.storageKeys.size >= this.#limits.maxVariants) {
      const kept = Array.from(variants.storageKeys, (key) => this.#entries.get(key)!);
      const dead = kept.find((entry) => !this.isValid(entry));
      this.#evict(dead ?? kept.find((entry) => !entry.visited) ?? kept[0]!);
      this.#variants.set(variants.base, variants);
    }
    variants.storageKeys.add(storageKey);
  }

  /** False for what would not fit if it were alone: then no entry leaves for it. */
  #makeRoom(entry: StoredEntry, bytes: number): boolean {
    if (this.#hasRoom(bytes)) return true;
    if (bytes + this.#sharedBytes(entry) > this.#limits.maxBytes) return false;
    while (!this.#hasRoom(bytes)) this.#evict(this.#entries.victim()!);
    return true;
  }

  #hasRoom(bytes: number): boolean {
    const { maxEntries, maxBytes } = this.#limits;
    return this.#entries.size < maxEntries && this.bytes + bytes <= maxBytes;
  }

  /** Bytes of what an entry may share with others. */
  #sharedBytes(entry: StoredEntry): number {
    return this.namesOf(entry).reduce(
      (bytes, name) => bytes + groupBytes(name),
      retainedBytes(entry.headers),
    );
  }

  #evict(entry: StoredEntry): void {
    this.drop(entry, this.isValid(entry) ? "evicted" : "outdated");
  }

  #release(entry: StoredEntry): void {
    for (const group of entry.groups) this.#groups.release(group);
    this.#headers.release(entry.headers as RetainedHeaders);
  }
}
