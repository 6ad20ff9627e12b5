/**
 * The registry of valid entity tags: which responses of the past would be given again, because nothing that they were
 * built from has changed.
 *
 * @module
 */
import { type Dependency, requireGroup } from "../http/dependency.ts";
import { parseEntityTag } from "../http/entity_tag.ts";
import { ignoreRejection } from "../changes/callback.ts";
import { attachCore, coreOf, RegistryCore } from "./core.ts";
import type { EtagRegistryOptions, RestoreOptions } from "./options.ts";
import type { Reason } from "./reason.ts";
import { readFrom, type Refused, type SnapshotBytes, streamOf } from "./snapshot_stream.ts";

export type { EtagRegistryOptions, RestoreOptions } from "./options.ts";
export type { SnapshotRefusal } from "./snapshot_reader.ts";
export type { SnapshotBytes } from "./snapshot_stream.ts";
export {
  type Departure,
  type Incident,
  type LookupRefusal,
  type Outcome,
  type Reason,
  reasonFamilies,
  type ReasonFamily,
  type RegistrationRefusal,
  requestEnds,
} from "./reason.ts";

/**
 * Entity tags that are valid now, by resource. `withEtag` registers responses and answers from them; `follow` reports
 * the changes that void them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, withEtag } from "@stillfresh/etag";
 *
 * const registry = new EtagRegistry({ maxEntries: 10_000, manual: true });
 * const handler = withEtag(() => new Response("page", { headers: dependsOn("post-1") }), { registry });
 * const etag = (await handler(new Request("http://localhost/"))).headers.get("etag")!;
 *
 * assert.equal(registry.hasTag(etag), true);
 * registry.invalidate("post-1");
 * assert.equal(registry.hasTag(etag), false);
 * ```
 */
export class EtagRegistry {
  readonly #core: RegistryCore;

  /**
   * Makes an empty registry. {@linkcode EtagRegistry.restore} makes one that begins with a snapshot.
   *
   * @param options Bounds and clocks.
   * @throws {RangeError} If a bound is not a number above 0.
   */
  constructor(options: EtagRegistryOptions = {}) {
    this.#core = new RegistryCore(options);
    attachCore(this, this.#core);
  }

  /** The build whose tags these are. */
  get version(): string | undefined {
    return this.#core.version;
  }

  /** Entries kept, including void ones that no request has asked for since. */
  get size(): number {
    return this.#core.size;
  }

  /** Estimated bytes of all that is kept: entries, groups, variants, remembered changes. */
  get bytes(): number {
    return this.#core.bytes;
  }

  /** How often each {@linkcode Reason} was given, as a copy; a reset or `clear()` counts once, however much it voids. */
  get stats(): Readonly<Record<Reason, number>> {
    return { ...this.#core.counters };
  }

  /** True while a feed is followed, and each feed is live and within its `maxLag`; without a feed, if `manual`. */
  get live(): boolean {
    return this.#core.live;
  }

  /**
   * Voids what was built from these groups, and what is being built from them now. O(1) for each group.
   *
   * @param groups Names, or documents, whose `_rev` is ignored.
   * @throws {TypeError} If one is neither: nothing is voided then.
   */
  invalidate(...groups: Dependency[]): void {
    for (const name of groups.map((group) => requireGroup(group, "invalidate"))) this.#core.invalidate(name);
  }

  /**
   * Takes out a resource with all variants and callers, and voids the leases of handlers that are building it. A handler
   * that begins later may register at once. Where reads may lag (`replicaLag`), also give
   * {@linkcode EtagRegistry.invalidate} the documents that have changed: those count against lagging reads.
   *
   * @param key The resource, as the `key` option of `withEtag` names it.
   * @returns Whether an entry without a caller was removed.
   * @throws {TypeError} If the key is no string, such as a URL object.
   */
  delete(key: string): boolean {
    return this.#core.delete(requireText("delete", "the key of a resource", key));
  }

  /**
   * Whether a resource is registered under this entity tag and still valid. Looks at every entry: O(size).
   *
   * @param tag As on the wire, with its quotes.
   * @throws {TypeError} If this is no entity tag.
   */
  hasTag(tag: string): boolean {
    return this.#core.hasTag(requireTag("hasTag", tag));
  }

  /**
   * Takes out every entry under these entity tags. Looks at every entry: O(size).
   *
   * @param tags As on the wire, with their quotes.
   * @returns How many were taken out.
   * @throws {TypeError} If one is no entity tag: nothing is taken out then.
   */
  deleteTag(...tags: string[]): number {
    return this.#core.deleteTags(new Set(tags.map((tag) => requireTag("deleteTag", tag))));
  }

  /**
   * Takes out everything, and voids the leases of all handlers that are running now. The feeds go on from where they are:
   * after files of a database have been restored, call {@linkcode EtagRegistry.restart}.
   */
  clear(): void {
    this.#core.clear();
  }

  /**
   * Takes out everything, and starts every feed anew at the end of its database: for restored files, whose newest change
   * may be far behind the position of a feed. Nothing is answered until each feed is live again.
   *
   * Call it once the restored database answers, and throw snapshots of before away.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { EtagRegistry, follow, ownFeed } from "@stillfresh/etag";
   *
   * const registry = new EtagRegistry();
   * const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }));
   * await follower.ready;
   *
   * registry.restart();
   * assert.equal(registry.live, false);
   * await follower.close();
   * ```
   */
  restart(): void {
    this.#core.restart();
  }

  /**
   * Forgets a feed that has been closed and will not be followed again. Until then a closed feed keeps the registry from
   * answering, because nothing reports its changes. Takes out everything, and voids the leases of all handlers that are
   * running, because they may depend on what only that feed reported: nothing that it did may be read from now on.
   *
   * Not needed where every feed is closed, and one is followed under a new name: that one takes their place.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { EtagRegistry, follow, ownFeed } from "@stillfresh/etag";
   *
   * const registry = new EtagRegistry();
   * const notes = follow(registry, ownFeed(() => {}, { onlyWriter: true }), { name: "notes" });
   * const users = follow(registry, ownFeed(() => {}, { onlyWriter: true }), { name: "users" });
   * await Promise.all([notes.ready, users.ready]);
   *
   * await users.close();
   * assert.equal(registry.live, false);
   * registry.retire("users");
   * assert.equal(registry.live, true);
   * await notes.close();
   * ```
   *
   * @param name What `follow` was given as `name`; `"changes"` where it was given none.
   * @returns Whether there was a feed of that name.
   * @throws {TypeError} If it is still being followed, or the name is no string.
   */
  retire(name: string): boolean {
    return this.#core.retire(requireText("retire", "the name of a feed", name));
  }

  /**
   * The valid entries and the feeds' positions, as a stream of bytes for {@linkcode EtagRegistry.restore}. It is written
   * while it is read, in pieces of about 16 KiB, and requests and timers have their turn before each of them: the registry
   * goes on. What is taken out after its piece was written is not restored. Without a feed that can be resumed, the
   * snapshot holds no entry.
   *
   * Read it to its end, or cancel it: until then the registry notes for it what is taken out, 1 MiB at most.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { EtagRegistry } from "@stillfresh/etag";
   *
   * const registry = new EtagRegistry({ version: "build-7" });
   * const bytes = await new Response(registry.snapshot()).arrayBuffer();
   * assert.equal(bytes.byteLength > 0, true);
   * ```
   *
   * @throws {TypeError} If the registry has no `version`: a deploy may change what no document shows.
   */
  snapshot(): ReadableStream<Uint8Array> {
    return streamOf(this.#core.snapshot());
  }

  /**
   * Makes a registry that begins with a snapshot, once that has been read to its end: requests and timers have their turn
   * before each 16 KiB of it. Nothing is answered until every feed is followed again, under its name, and has replayed
   * what it missed. Of a snapshot that is larger than the bounds the newest entries are kept.
   *
   * A snapshot that is cut short, altered, of another build or of another release is refused, and so is one whose source
   * fails: the registry is empty then, and counts `snapshot-refused`.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { EtagRegistry } from "@stillfresh/etag";
   *
   * const { body } = new Response(new EtagRegistry({ version: "build-7" }).snapshot());
   * const reasons: string[] = [];
   * const registry = await EtagRegistry.restore(body!, {
   *   version: "build-8",
   *   onRefused: (reason) => reasons.push(reason),
   * });
   * assert.deepEqual([registry.size, reasons], [0, ["another-build"]]);
   * ```
   *
   * @param source The bytes that {@linkcode EtagRegistry.snapshot} gave: a web stream, or any iterable of `Uint8Array`.
   * @param options As for the constructor; also what is called when the snapshot is refused, and a signal that gives it up.
   * @returns Never rejects but for a `TypeError`, if the source gives something else than bytes.
   * @throws {RangeError} If a bound is not a number above 0.
   * @throws {TypeError} If `version` is missing or empty, or the source cannot be read.
   */
  static restore(source: SnapshotBytes, options: RestoreOptions = {}): Promise<EtagRegistry> {
    const registry = new this(options);
    const reader = coreOf(registry).restore();
    return readFrom(source, reader, options.signal).then((refused) => {
      if (refused !== undefined) tellRefused(options, refused);
      return registry;
    });
  }
}

function tellRefused({ onRefused }: RestoreOptions, { reason, error }: Refused): void {
  try {
    ignoreRejection(onRefused?.(reason, error));
  } catch {
    // What the listener does with it is its own concern.
  }
}

function requireText(door: string, what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new TypeError(`${door}() takes ${what}, a string, not ${String(value)}`);
}

function requireTag(door: string, value: unknown): string {
  const tag = requireText(door, "entity tags", value);
  if (parseEntityTag(tag) !== undefined) return tag;
  throw new TypeError(`${door}() takes entity tags as on the wire, "x" or W/"x", not ${JSON.stringify(tag)}`);
}
