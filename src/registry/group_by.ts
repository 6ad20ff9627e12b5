/**
 * A family of groups: the documents of each owner, the posts under each tag.
 *
 * @module
 */
import type { Change } from "../changes/change.ts";
import { FOLLOWED, show } from "../http/dependency.ts";
import { OPEN } from "./followed_groups.ts";
import { type GroupOptions, memoryBound, requireRule } from "./group.ts";
import { DocumentMembership } from "./membership.ts";

/** One group of a family, as `dependsOn`, `invalidates` and `registry.invalidate` take it. */
export interface GroupMember {
  /** Its name: that of the family, a slash, the key. */
  readonly _id: string;
}

/** A family of groups, which gives the group of a key. */
export interface GroupFamily<C extends Change = Change> {
  /**
   * The group of a key.
   *
   * @throws {TypeError} If the key is no string.
   */
  (key: string): GroupMember;
  /** Its name, which is also that of the group that all its groups are void with. */
  readonly name: string;
  /** The keys of the groups that the document of a change is in; a string is one key. */
  readonly keysOf: (change: C) => string | Iterable<string>;
}

/**
 * Makes a family of groups, for instance the notes of each owner, on which the page of an owner depends.
 *
 * A change voids the groups that its document is in, and those that it was in: a follower remembers them for each
 * document. Where it cannot know what the document was in, the whole family is void; docs/groups.md has the cases. For
 * groups by content, a CouchDB feed needs `includeDocs: true` and `style: "all_docs"`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, follow, groupBy, ownFeed, withEtag } from "@stillfresh/etag";
 * import type { DocumentChange } from "@stillfresh/etag/change";
 *
 * type NoteChange = DocumentChange<{ owner: string }>;
 * const byOwner = groupBy("owner", (change: NoteChange) => change.doc?.owner ?? []);
 *
 * let report: (change: NoteChange) => void = () => {};
 * const feed = ownFeed<NoteChange>(({ change }) => void (report = change), { onlyWriter: true });
 * const registry = new EtagRegistry();
 * const follower = follow(registry, feed, { groups: [byOwner] });
 * await follower.ready;
 *
 * const page = withEtag(
 *   (request: Request) => new Response("1 note", { headers: dependsOn(byOwner(new URL(request.url).pathname.slice(1))) }),
 *   { registry },
 * );
 * const etagOf = async (owner: string) => (await page(new Request(`http://localhost/${owner}`))).headers.get("etag")!;
 * const [ada, bob, cy] = [await etagOf("ada"), await etagOf("bob"), await etagOf("cy")];
 *
 * report({ id: "note-1", before: { owner: "ada" }, doc: { owner: "bob" } });
 * await new Promise((resolve) => setTimeout(resolve));
 * assert.deepEqual([ada, bob, cy].map((etag) => registry.hasTag(etag)), [false, false, true]);
 * await follower.close();
 * ```
 *
 * @param name Any name but that of a local document.
 * @param keysOf Must depend on the change alone. What it reads decides: where it reads the id alone, nothing has to be
 * remembered. To give something else than strings, or to throw, voids the whole family, and says so on the console.
 * @param options The bound of its memory.
 * @returns A frozen function that gives the group of a key.
 * @throws {TypeError} If the name is no string, empty, begins with `_local/` or is no well-formed Unicode, or `keysOf` is no
 * function.
 * @throws {RangeError} If `maxBytes` is not a number above 0.
 */
export function groupBy<C extends Change = Change>(
  name: string,
  keysOf: (change: C) => string | Iterable<string>,
  options: GroupOptions = {},
): GroupFamily<C> {
  requireRule("groupBy", name, keysOf);
  const maxBytes = memoryBound(options);
  const title = `groupBy(${show(name)})`;
  const groupOf = (key: string): string => `${name}/${key}`;
  const rule = { title, name, keysOf: (change: C) => listed(keysOf(change)), groupOf, maxBytes };
  const open = (onUnknown: () => void) => new DocumentMembership(rule, onUnknown);
  const family = (key: string): GroupMember => {
    if (typeof key !== "string") throw new TypeError(`${title} takes a key, not ${show(key)}`);
    return Object.freeze({ _id: groupOf(key), [FOLLOWED]: name });
  };
  const properties = { name, keysOf, toString: () => title, [FOLLOWED]: name, [OPEN]: open };
  // The name of a function can be defined, but not assigned.
  for (const property of Reflect.ownKeys(properties)) {
    Object.defineProperty(family, property, { value: properties[property as keyof typeof properties] });
  }
  return Object.freeze(family) as GroupFamily<C>;
}

/** A string is an iterable of its letters, and never meant as one. */
function listed(keys: string | Iterable<string>): Iterable<string> {
  return typeof keys === "string" ? [keys] : keys;
}
