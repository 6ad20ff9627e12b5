/**
 * What a response depends on, and the declaration in which a handler says so.
 *
 * A declaration is a field of our own, in a spelling of our own: a header survives routers and middleware, where a
 * property of the Response is lost. It begins with a token that only this process knows, so that no field of an
 * upstream can be taken for a declaration. All copies of this module in the process share the token.
 *
 * Each call writes a second field as well, under a name with a number of its own: where two records are spread into one
 * another, the second takes the place of the first under the common name, and both numbered fields are left.
 *
 * @module
 */
import { decodeGroupName, encodeGroupName } from "./group_name.ts";

/**
 * A group by name, or a document at a revision. Documents of nano, PouchDB and `fetch` fit as they are.
 *
 * A group is a name that a response depends on and a change can carry (RFC 9875, HTTP Cache Groups). By default it is a
 * document's id.
 */
export type Dependency = string | {
  /** The document's id: its group. */
  readonly _id: string;
  /** The revision that the response was built from; absent: any change of the group voids the response. */
  readonly _rev?: string | undefined;
};

/** The field in which {@linkcode dependsOn} declares. */
export const DEPENDS_ON = "stillfresh-depends-on";

/** The field in which {@linkcode invalidates} declares. */
export const INVALIDATES = "stillfresh-invalidates";

/** Local documents are neither replicated nor reported (CouchDB documentation, "Local (non-replicating) Documents"). */
export const LOCAL = "_local/";

/** Visible ASCII without the quote and the backslash, so that it can stand in an entity tag. */
const REVISION = /^[!#-[\]-~]+$/;

/**
 * On what `group()` and `groupBy()` give: the name that a follower must have been given, the group's own or that of its
 * family. A response that depends on a group of a family also depends on the family, and is void with it. All copies of
 * this module in the process share the symbol, and no JSON can carry it.
 */
export const FOLLOWED: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag followed group 1");

/**
 * On what {@linkcode guard} gives: it voids an entry, and is no part of its tag. All copies of this module in the process
 * share the symbol, and no JSON can carry it.
 */
export const GUARD: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag guard 1");

/**
 * On what `row()` and `rows()` give: the name that a feed must report, such as that of a table. A row of a table that no
 * feed reports would be valid for ever. All copies of this module in the process share the symbol, and no JSON can
 * carry it.
 */
export const REPORTED: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag reported name 1");

/** A dependency as it is read from a declaration: never the bare name. */
export interface DeclaredDependency {
  readonly _id: string;
  readonly _rev?: string | undefined;
  readonly [FOLLOWED]?: string;
  readonly [GUARD]?: boolean;
  readonly [REPORTED]?: string | undefined;
}

/** In a declaration, before a name that a follower must have been given. No name is spelled with a semicolon. */
const FOLLOWED_MARK = ";;";

/** In a declaration, behind a revision and before the name that a feed must report. */
const REPORTED_MARK = "@";

/** In the place of a declaration: something was read that no name stands for. */
const UNKNOWN = ";?";

/** In a declaration, before a guard. */
const GUARD_MARK = ";!";

/** The name that a follower must have been given for this dependency; undefined if it is not from `group()` or `groupBy()`. */
export function followedName(dependency: unknown): string | undefined {
  const isValue = typeof dependency === "object" || typeof dependency === "function";
  return isValue ? (dependency as { readonly [FOLLOWED]?: string } | null)?.[FOLLOWED] : undefined;
}

/**
 * The group of a dependency. Refuses what only looks like one: plain JavaScript, and the `any` of a database client, get
 * past the types.
 *
 * @param door The function to name in the error.
 * @throws {TypeError} If this is neither a name nor a document with a string `_id`, or names no group that a feed can
 * report.
 */
export function requireGroup(dependency: unknown, door: string): string {
  const group: unknown = typeof dependency === "object" && dependency !== null
    ? (dependency as { readonly _id?: unknown })._id
    : dependency;
  if (typeof group !== "string") {
    throw new TypeError(
      `${door}() takes group names and documents with a string _id, not ${show(dependency)}`,
    );
  }
  if (group === "") throw new TypeError(`${door}() takes no empty name: ${show(dependency)}`);
  if (group.startsWith(LOCAL)) {
    throw new TypeError(
      `${door}() takes no local document, because none is in the changes feed: ${show(group)}`,
    );
  }
  return group;
}

/**
 * Declares what a response was built from, as a record to spread into its headers.
 *
 * A list page declares its collection *and* each document on it. The declarations of several calls add up, spread or
 * appended. `withEtag` takes them off before the response is sent.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, withEtag } from "@stillfresh/etag";
 *
 * const post = { _id: "post-1", _rev: "2-abc", title: "Fresh" };
 * const handler = withEtag(() => Response.json(post, { headers: { ...dependsOn(post, "all posts") } }));
 * const response = await handler(new Request("http://localhost/posts/1"));
 * assert.equal([...response.headers.keys()].some((name) => name.startsWith("stillfresh")), false);
 * ```
 *
 * @param dependencies Documents as the database gave them, ids, names of collections. None declares nothing.
 * @returns The field, under a name of our own; empty without dependencies.
 * @throws {TypeError} For what is neither a name nor a document with a string `_id`, such as undefined or the answer of
 * a failed read; for an empty name, a `_local/` id, a name that is not well-formed Unicode, a `_rev` that is not visible
 * ASCII without quotes and backslashes.
 */
export function dependsOn(...dependencies: Dependency[]): Record<string, string> {
  const members = new Set<string>();
  for (const dependency of dependencies) {
    const group = requireGroup(dependency, "dependsOn");
    const spelled = encodeGroupName(group);
    const followed = followedName(dependency);
    const mark = isGuard(dependency) ? GUARD_MARK : "";
    if (followed !== undefined) members.add(`${mark}${FOLLOWED_MARK}${encodeGroupName(followed)}`);
    if (followed === group) continue;
    const revision: unknown = typeof dependency === "string" ? undefined : dependency._rev;
    const named = revision === undefined || followed !== undefined;
    const source = followed === undefined ? (dependency as DeclaredDependency)[REPORTED] : undefined;
    const rev = named ? "" : encodeGroupName(requireRevision(revision, group));
    members.add(`${mark}${spelled}${named && source === undefined ? "" : `;${rev}`}${reported(source)}`);
  }
  return declaration(DEPENDS_ON, members);
}

/**
 * Marks a dependency that decides who may see a response, and not what is in it: a session, a membership, a role. Its
 * change voids the entry like any other, so that the handler runs and checks the access again; the entity tag does not
 * hold it. So a session that changes leaves the tags as they are, and `If-Match` names the state of the document alone.
 *
 * Let `caller` name what is guarded. Where it names a user and the guard is one of the user's sessions, the other sessions
 * are answered from an entry that they do not guard, also after their own end.
 *
 * What the response *shows* must be declared without it: under a tag that stays the same, a change would not be seen. A
 * guard alone declares nothing, so that a middleware can declare one for all pages.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, guard, withEtag } from "@stillfresh/etag";
 *
 * const note = { _id: "note-1", _rev: "2-abc" };
 * let session = { _id: "session-7", _rev: "1-x" };
 * const handler = withEtag(() => Response.json(note, { headers: dependsOn(note, guard(session)) }), {
 *   manual: true,
 *   caller: () => "session-7",
 * });
 *
 * const get = (headers = {}) => handler(new Request("http://localhost/notes/1", { headers }));
 * const etag = (await get()).headers.get("etag")!;
 * session = { _id: "session-7", _rev: "2-y" };
 * handler.registry.invalidate("session-7");
 * assert.equal(handler.registry.hasTag(etag), false);
 * assert.equal((await get()).headers.get("etag"), etag);
 * ```
 *
 * @param dependency A document, a name, or what `group()` gives.
 * @returns A dependency for {@linkcode dependsOn}.
 * @throws {TypeError} As {@linkcode dependsOn}.
 */
export function guard(dependency: Dependency): Dependency {
  const _id = requireGroup(dependency, "guard");
  const followed = followedName(dependency);
  const table = typeof dependency === "string" ? undefined : (dependency as DeclaredDependency)[REPORTED];
  const guarded: DeclaredDependency = {
    _id,
    ...typeof dependency === "string" ? {} : { _rev: dependency._rev },
    ...followed === undefined ? {} : { [FOLLOWED]: followed },
    ...table === undefined ? {} : { [REPORTED]: table },
    [GUARD]: true,
  };
  return guarded;
}

/**
 * Declares that a response was built from something that no name stands for, so that it is not registered, whatever else
 * is declared.
 */
export function undeclarable(): Record<string, string> {
  return declaration(DEPENDS_ON, new Set([UNKNOWN]));
}

/** Whether a declaration of this process says that. */
export function isUndeclarable(field: string): boolean {
  return field.includes(` ${UNKNOWN}`) && field.includes(thisProcess().token);
}

/** How a declaration names what a feed must report, behind the revision or the place of one. */
function reported(name: string | undefined): string {
  return name === undefined ? "" : `;${REPORTED_MARK}${encodeGroupName(name)}`;
}

/** Whether this is what {@linkcode guard} gives. */
export function isGuard(dependency: Dependency): boolean {
  return typeof dependency === "object" && (dependency as DeclaredDependency)[GUARD] === true;
}

function requireRevision(revision: unknown, group: string): string {
  if (typeof revision === "string" && REVISION.test(revision)) return revision;
  throw new TypeError(`The document ${show(group)} has no legal revision: ${show(revision)}`);
}

/**
 * Declares what a successful write changed, as a record to spread into the headers of its response. `withEtag` voids
 * whatever depends on it at once, without waiting for the feed.
 *
 * It names the groups that changed; a `_rev` is ignored.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, EtagRegistry, invalidates, withEtag } from "@stillfresh/etag";
 *
 * const registry = new EtagRegistry({ manual: true });
 * const page = withEtag(() => new Response("posts", { headers: dependsOn("posts") }), { registry });
 * const write = withEtag(() => new Response(null, { status: 204, headers: invalidates("posts") }), { registry });
 *
 * const etag = (await page(new Request("http://localhost/"))).headers.get("etag")!;
 * await write(new Request("http://localhost/posts", { method: "POST" }));
 * const reload = await page(new Request("http://localhost/", { headers: { "if-none-match": etag } }));
 * assert.equal(reload.status, 200);
 * ```
 *
 * @param groups Names, or documents. None declares nothing.
 * @returns The field, under a name of our own; empty without groups.
 * @throws {TypeError} As {@linkcode dependsOn}, revisions apart.
 */
export function invalidates(...groups: Dependency[]): Record<string, string> {
  return declaration(
    INVALIDATES,
    new Set(groups.map((group) => encodeGroupName(requireGroup(group, "invalidates")))),
  );
}

/**
 * The token, then each member once, in the order given: a name, a name and a revision with `;` between them, or `;;`
 * and a name that a follower must have been given; any of them behind `;!` if it is a guard. Twice, the second time under
 * a name of this call's own.
 */
function declaration(field: string, members: ReadonlySet<string>): Record<string, string> {
  if (members.size === 0) return {};
  const process = thisProcess();
  let value = process.token;
  for (const member of members) value += ` ${member}`;
  return { [field]: value, [`${field}-${++process.calls}`]: value };
}

/**
 * The declarations in the fields of a response, joined by commas; null: there is none.
 *
 * @param field {@linkcode DEPENDS_ON} or {@linkcode INVALIDATES}.
 */
export function declaredIn(headers: Headers, field: string): string | null {
  const common = headers.get(field);
  if (common === null) return null;
  let all = common;
  // forEach, because an iterator takes three times as long on Deno.
  headers.forEach((value, name) => {
    if (value !== common && name.startsWith(`${field}-`)) all += `, ${value}`;
  });
  return all;
}

/** Whether a field is one of ours. */
export function isDeclaration(name: string): boolean {
  return name.startsWith(DEPENDS_ON) || name.startsWith(INVALIDATES);
}

/** Takes every declaration off. */
export function removeDeclarations(headers: Headers): void {
  if (!headers.has(DEPENDS_ON) && !headers.has(INVALIDATES)) return;
  const names: string[] = [];
  headers.forEach((_, name) => {
    if (isDeclaration(name)) names.push(name);
  });
  for (const name of names) headers.delete(name);
}

/** The fields without declarations. To copy thousands of these and to take them off one by one can take seconds. */
export function withoutDeclarations(headers: Headers): Headers {
  const others = new Headers();
  headers.forEach((value, name) => {
    if (!isDeclaration(name)) others.append(name, value);
  });
  return others;
}

/**
 * Reads a declaration back.
 *
 * A malformed member voids the whole: a dependency that got lost would be a change that is missed.
 *
 * @param field The field's value: one declaration, or several joined by commas.
 * @returns What was declared, in that order; empty where nothing in the field is from this process; undefined where it
 * cannot be relied on.
 */
export function readDeclaration(field: string): readonly DeclaredDependency[] | undefined {
  const { token } = thisProcess();
  if (!field.includes(token)) return [];
  const read = new Set<string>();
  const dependencies: DeclaredDependency[] = [];
  for (const part of field.split(",")) {
    const [first, ...members] = part.trim().split(" ");
    if (first !== token || members.length === 0) return undefined;
    for (const member of members) {
      if (read.has(member)) continue;
      read.add(member);
      const isGuard = member.startsWith(GUARD_MARK);
      const unguarded = isGuard ? member.slice(GUARD_MARK.length) : member;
      const isFollowed = unguarded.startsWith(FOLLOWED_MARK);
      const [name = "", rev, source, more] = (isFollowed ? unguarded.slice(FOLLOWED_MARK.length) : unguarded)
        .split(";");
      const _id = name.includes("%") ? decodeGroupName(name) : name;
      const isBare = rev === "" && source !== undefined;
      const _rev = isBare ? undefined : rev?.includes("%") ? decodeGroupName(rev) : rev;
      if (!_id || _id.startsWith(LOCAL) || more !== undefined) return undefined;
      if (rev !== undefined && !isBare && (isFollowed || _rev === undefined || !REVISION.test(_rev))) {
        return undefined;
      }
      const table = source?.startsWith(REPORTED_MARK) ? decodeGroupName(source.slice(1)) : undefined;
      if (source !== undefined && !table) return undefined;
      const dependency: DeclaredDependency = isFollowed
        ? { _id, [FOLLOWED]: _id }
        : table === undefined
        ? { _id, _rev }
        : { _id, _rev, [REPORTED]: table };
      dependencies.push(isGuard ? { ...dependency, [GUARD]: true } : dependency);
    }
  }
  return dependencies;
}

/** What all copies of this module in one process share. */
interface ThisProcess {
  /** Random, made when it is first needed. */
  readonly token: string;
  /** How many declarations have been made. */
  calls: number;
}

const SHARED: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag process");

function thisProcess(): ThisProcess {
  const globals = globalThis as { [SHARED]?: ThisProcess };
  return globals[SHARED] ??= { token: crypto.randomUUID(), calls: 0 };
}

/** A value as an error message names it: cut short, because a document may be long. */
export function show(value: unknown): string {
  let text: string | undefined;
  try {
    text = typeof value === "object" && value !== null ? JSON.stringify(value) : undefined;
  } catch {
    // A circular value has no JSON.
  }
  // The JSON of a promise that was not awaited is "{}".
  if (text === undefined || text === "{}") {
    text = typeof value === "string" ? JSON.stringify(value) : nameless(value);
  }
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function nameless(value: unknown): string {
  return typeof value === "object" && value !== null ? Object.prototype.toString.call(value) : String(value);
}
