/**
 * HTTP Cache Groups (RFC 9875): the fields in which a response says what it was built from, and what it changed.
 *
 * Both are Lists of Strings. A string is the name of a group, percent-encoded; in `Cache-Groups` a parameter of ours,
 * `rev`, says at which revision the document of that name was read.
 *
 * @module
 */
import { groupOf, revOf, type Source } from "./dependency.ts";
import { parseStringList } from "./structured_field_list.ts";

export type { Source } from "./dependency.ts";

/** Visible ASCII without the quote and the backslash: needs no escape in a String, nor in an entity tag. */
const REVISION = /^[!#-[\]-~]+$/;
/** Whatever is not in {@linkcode REVISION}, and `%`. */
const TO_ENCODE = /[^!#$&-[\]-~]/;
const TO_ENCODE_RUNS = /[^!#$&-[\]-~]+/g;
/** Local documents are neither replicated nor reported (CouchDB documentation, "Local (non-replicating) Documents"). */
const LOCAL = "_local/";

function toText(value: unknown): string {
  if (typeof value !== "string" && (typeof value !== "object" || value === null)) return String(value);
  const json = JSON.stringify(value);
  // A promise that was not awaited is "{}" in JSON.
  return json === "{}" ? Object.prototype.toString.call(value) : json;
}

/** What was passed, for error messages: cut short, because a document may be long. */
function show(value: unknown): string {
  try {
    const text = toText(value);
    return text.length > 200 ? `${text.slice(0, 200)}…` : text;
  } catch {
    return Object.prototype.toString.call(value);
  }
}

/** Refuses what only looks like a source: plain JavaScript, and `any` out of a database client, get past the types. */
function assertSource(source: Source, caller: string): void {
  const group: unknown = typeof source === "object" && source !== null ? source._id : source;
  if (typeof group !== "string") {
    throw new TypeError(`${caller}() takes group names and documents with a string _id, not ${show(source)}`);
  }
  if (group === "") throw new TypeError(`${caller}() takes no empty name: ${show(source)}`);
  if (group.startsWith(LOCAL)) {
    throw new TypeError(
      `${caller}() takes no local document, because none is in the changes feed: ${show(group)}`,
    );
  }
}

/** Percent-encodes, in UTF-8, what cannot stand in a String, and `%` itself. */
export function encodeGroup(group: string): string {
  if (!TO_ENCODE.test(group)) return group;
  try {
    return group.replace(TO_ENCODE_RUNS, encodeURIComponent);
  } catch (cause) {
    throw new TypeError(`The name ${show(group)} has half a surrogate pair, which has no UTF-8`, { cause });
  }
}

function decodeGroup(encoded: string): string | undefined {
  if (!encoded.includes("%")) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** What is encoded, and what is a revision, needs no escape: the quotes are all there is to a String. */
function revisionMember(source: Source): string {
  assertSource(source, "dependsOn");
  const revision = revOf(source);
  const member = `"${encodeGroup(groupOf(source))}"`;
  if (revision === undefined) return member;
  if (typeof revision !== "string" || !REVISION.test(revision)) {
    throw new TypeError(`The document ${show(groupOf(source))} has no legal revision: ${show(revision)}`);
  }
  return `${member};rev="${revision}"`;
}

function groupMember(source: Source): string {
  assertSource(source, "invalidates");
  return `"${encodeGroup(groupOf(source))}"`;
}

/** In the order given, each once. */
function list(members: readonly string[], caller: string): string {
  if (members.length === 0) throw new TypeError(`${caller}() takes at least one source, not none`);
  const seen = new Set<string>();
  let field = "";
  for (const member of members) {
    if (seen.has(member)) continue;
    seen.add(member);
    field += field === "" ? member : `, ${member}`;
  }
  return field;
}

/**
 * Declares what a response was built from: the `Cache-Groups` field (RFC 9875 §2), as a record to spread into headers.
 *
 * All sources of a response go into one call: a second one, spread, replaces the first. A list names its collection
 * *and* every document on it. Equal sources are named once; one document at two revisions is named twice, for
 * whoever registers the response to refuse.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn } from "@stillfresh/etag/cache-groups";
 *
 * const post = { _id: "post-1", _rev: "2-abc", title: "Fresh" };
 * const response = Response.json(post, { headers: { ...dependsOn(post, "all posts") } });
 * assert.equal(response.headers.get("cache-groups"), '"post-1";rev="2-abc", "all%20posts"');
 * ```
 *
 * @param sources Documents as the database gave them, ids, names of collections.
 * @returns The field.
 * @throws {TypeError} For no source at all; for what is neither a name nor a document with a string `_id`, such as
 * undefined or the answer of a failed read; for an empty name, a `_local/` id, a name that is not well-formed
 * Unicode, a `_rev` that is not visible ASCII without quotes and backslashes.
 */
export function dependsOn(...sources: readonly Source[]): { "cache-groups": string } {
  return { "cache-groups": list(sources.map(revisionMember), "dependsOn") };
}

/**
 * Declares what a successful write changed: the `Cache-Group-Invalidation` field (RFC 9875 §3), as a record to spread
 * into headers.
 *
 * It says which groups changed, not at which revision they are now: a `_rev` is left out, and not looked at.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { invalidates } from "@stillfresh/etag/cache-groups";
 *
 * const response = new Response(null, { status: 204, headers: invalidates("post-1", "all posts") });
 * assert.equal(response.headers.get("cache-group-invalidation"), '"post-1", "all%20posts"');
 * ```
 *
 * @param groups Names, or documents.
 * @returns The field.
 * @throws {TypeError} As {@linkcode dependsOn}, revisions apart.
 */
export function invalidates(...groups: readonly Source[]): { "cache-group-invalidation": string } {
  return { "cache-group-invalidation": list(groups.map(groupMember), "invalidates") };
}

/**
 * Reads either field back (RFC 9875 §2, §3): the inverse of {@linkcode dependsOn} and {@linkcode invalidates}.
 *
 * All or nothing: a source that is lost would be a change that is missed. So one malformed member voids the field:
 * what is no String, an empty name, a `_local/` id, a percent sign that encodes nothing, bytes that are no UTF-8, a
 * `rev` that is no legal revision. Parameters of others are ignored.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseCacheGroups } from "@stillfresh/etag/cache-groups";
 *
 * const sources = parseCacheGroups('"post-1";rev="2-abc", "all%20posts"');
 * assert.deepEqual(sources, [{ _id: "post-1", _rev: "2-abc" }, "all posts"]);
 * assert.equal(parseCacheGroups('"post-1", all posts'), undefined);
 * ```
 *
 * @param field The field value, several lines joined by `, `.
 * @returns The sources in their order, at least one; undefined where the field declares none, or is malformed.
 */
export function parseCacheGroups(field: string): readonly Source[] | undefined {
  const items = parseStringList(field);
  if (items === undefined || items.length === 0) return undefined;
  const sources: Source[] = [];
  for (const { value, parameters } of items) {
    const _id = decodeGroup(value);
    if (_id === undefined || _id === "" || _id.startsWith(LOCAL)) return undefined;
    if (!parameters.has("rev")) {
      sources.push(_id);
      continue;
    }
    const _rev = parameters.get("rev");
    if (_rev === undefined || !REVISION.test(_rev)) return undefined;
    sources.push({ _id, _rev });
  }
  return sources;
}
