/**
 * A group as one value, for the follower that voids it and for the responses that depend on it.
 *
 * @module
 */
import type { Change } from "../changes/change.ts";
import { encodeGroupName } from "../http/group_name.ts";
import { FOLLOWED, requireGroup, show } from "../http/dependency.ts";
import { OPEN } from "./followed_groups.ts";
import { DocumentMembership } from "./membership.ts";

/** How much a group or a family remembers. */
export interface GroupOptions {
  /**
   * Estimated bytes, for each follower, of what it remembers of documents; default 16 MiB, about 80,000 documents. The
   * change of a document that no longer fits voids the whole group or family. Nothing is remembered of a document for
   * which only the id of the change was read.
   */
  readonly maxBytes?: number;
}

/** A group: `follow` is given it, and `dependsOn`, `invalidates` and `registry.invalidate` take it as a dependency. */
export interface Group<C extends Change = Change> {
  /** Its name. Two groups of one name are one group. */
  readonly _id: string;
  /** Whether the document of a change is in the group. */
  readonly matches: (change: C) => boolean;
}

/**
 * Makes a group, for instance that of all posts, on which a list of posts depends.
 *
 * A change voids the group if its document is in the group or was in it. Where a follower cannot know what a document
 * was in, the group is void as well; docs/groups.md has the cases. A response that depends on a group which no follower
 * was given is not registered, unless the registry is `manual`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, follow, group, ownFeed, withEtag } from "@stillfresh/etag";
 *
 * const posts = group("posts", (change) => change.id.startsWith("post-"));
 *
 * const registry = new EtagRegistry();
 * const feed = ownFeed(() => {}, { onlyWriter: true });
 * const follower = follow(registry, feed, { groups: [posts] });
 * await follower.ready;
 *
 * const handler = withEtag(() => new Response("A list", { headers: dependsOn(posts) }), { registry });
 * const response = await handler(new Request("http://localhost/posts"));
 * assert.equal(registry.hasTag(response.headers.get("etag")!), true);
 * await follower.close();
 * ```
 *
 * @param name Any name but that of a local document; it is what caches in front are told.
 * @param matches Must depend on the change alone. What it reads decides: the id alone says the same for ever, so nothing
 * has to be remembered.
 * @param options The bound of its memory.
 * @returns A frozen value.
 * @throws {TypeError} If the name is no string, empty, begins with `_local/` or is no well-formed Unicode, or `matches` is
 * no function.
 * @throws {RangeError} If `maxBytes` is not a number above 0.
 */
export function group<C extends Change = Change>(
  name: string,
  matches: (change: C) => boolean,
  options: GroupOptions = {},
): Group<C> {
  requireRule("group", name, matches);
  const maxBytes = memoryBound(options);
  // A group is a family of one: its documents have one key, and the others none.
  const keysOf = (change: C): string[] => {
    const isIn: unknown = matches(change);
    // A function without a return would never void the group.
    if (typeof isIn !== "boolean") throw new TypeError(`It must return true or false, not ${show(isIn)}`);
    return isIn ? [name] : [];
  };
  const rule = { title: `group(${show(name)})`, name, keysOf, groupOf: () => name, maxBytes };
  const open = (onUnknown: () => void) => new DocumentMembership(rule, onUnknown);
  return Object.freeze({ _id: name, matches, [FOLLOWED]: name, [OPEN]: open });
}

/** Refuses what makes no group, naming the function that was called. */
export function requireRule(door: string, name: unknown, rule: unknown): void {
  if (typeof name !== "string") throw new TypeError(`${door}() takes a name, not ${show(name)}`);
  encodeGroupName(requireGroup(name, door));
  if (typeof rule !== "function") {
    throw new TypeError(`${door}(${show(name)}) takes a function of a change, not ${show(rule)}`);
  }
}

/** The bound of a memory, in bytes. */
export function memoryBound({ maxBytes = 16 * 2 ** 20 }: GroupOptions): number {
  if (!(maxBytes > 0)) throw new RangeError(`maxBytes must be a number above 0, not ${maxBytes}`);
  return maxBytes;
}
