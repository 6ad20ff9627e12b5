/**
 * What a write is judged by: the state of its target before it runs (RFC 9110 §13.1.1, the "lost update" problem).
 *
 * @module
 */
import {
  declaredIn,
  type Dependency,
  DEPENDS_ON,
  readDeclaration,
  requireGroup,
  show,
} from "../http/dependency.ts";
import type { Validators } from "../http/selected_representation.ts";
import { revisionsIn } from "./derived_tag.ts";
import { cancelBody, isResponse } from "./responses.ts";
import type { Revision, TagKey } from "./tag_key.ts";
import { tagState, WHOLE } from "./tag_state.ts";

/**
 * The current state of a resource, of which every tag that was given for it holds: the document that a write replaces;
 * or everything that its page is built from, as a list, as `dependsOn()` gives it, or as a response that declares it;
 * or validators; null: it does not exist; undefined: cannot tell.
 *
 * It may be old by the time the handler writes: hand `revisionOf(request)` to a database that compares revisions.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type Current, dependsOn, withEtag } from "@stillfresh/etag";
 *
 * const post = { _id: "post-1", _rev: "2-abc" };
 * const author = { _id: "ada", _rev: "1-x" };
 * const currents: Current[] = [post, [post, author], dependsOn(post, author)];
 * for (const current of currents) {
 *   const handler = withEtag(() => new Response("page", { headers: dependsOn(post, author, "posts") }), {
 *     manual: true,
 *     current: () => current,
 *   });
 *   const page = await handler(new Request("http://localhost/posts/1"));
 *   const headers = { "if-match": page.headers.get("etag")! };
 *   const put = await handler(new Request("http://localhost/posts/1", { method: "PUT", headers }));
 *   assert.equal(put.status, 200);
 * }
 * ```
 *
 * @see RFC 9110 §13.1.1
 */
export type Current =
  | Exclude<Dependency, string>
  | readonly Dependency[]
  | Readonly<Record<string, string>>
  | Headers
  | Response
  | Validators
  | null
  | undefined;

/** Documents that exist now. Their digests are made once, because a request may name a thousand tags. */
export class CurrentDocuments {
  readonly revisions: readonly Revision[];
  /** Whether these are all documents that the page is built from; else it is the one that is written. */
  readonly isComplete: boolean;
  readonly #key: TagKey;
  #revs: ReadonlyMap<string, string> | undefined;
  #digests: readonly string[] | undefined;
  #state: string | undefined;

  /** @param key What the digests in the site's tags are made with. */
  constructor(revisions: readonly Revision[], isComplete: boolean, key: TagKey) {
    this.#key = key;
    this.revisions = revisions;
    this.isComplete = isComplete;
  }

  /** The revisions by a digest of each id. */
  get revs(): ReadonlyMap<string, string> {
    return this.#revs ??= new Map(this.revisions.map(({ _id, _rev }) => [this.#key.idDigest(_id), _rev]));
  }

  /** A digest of each document at its revision. */
  get digests(): readonly string[] {
    return this.#digests ??= this.revisions.map((one) => this.#key.revisionDigest(one));
  }

  /** A digest of all. */
  get state(): string {
    return this.#state ??= this.#key.stateDigest(this.revisions);
  }
}

/** What `current` said, read. */
export interface CurrentState {
  /** Undefined: it gave validators. */
  readonly documents: CurrentDocuments | undefined;
  readonly validators: Validators;
}

/**
 * Reads what `current` gave.
 *
 * @param key What the digests in the site's tags are made with.
 * @returns Null: the resource does not exist; undefined: cannot tell.
 * @throws {TypeError} If that is none of what it may give, or a document without a revision: no tag could match it.
 */
export function readCurrent(current: Current, key: TagKey): CurrentState | null | undefined {
  if (current === null || current === undefined) return current;
  if (typeof current !== "object") {
    throw new TypeError(
      `current() gives a document, a list of dependencies, validators or null, not ${show(current)}`,
    );
  }
  if (Array.isArray(current)) return listedState(current, key);
  if (isResponse(current)) {
    const { status, headers } = current;
    cancelBody(current);
    if (status === 404 || status === 410) return null;
    return status >= 200 && status < 300 ? declaredState(headers, key) : undefined;
  }
  if ("_id" in current) return documentState(current as Exclude<Dependency, string>, key);
  if (typeof (current as Headers).get === "function") return declaredState(current as Headers, key);
  if (DEPENDS_ON in current) return declaredState(new Headers(current as Record<string, string>), key);
  return { documents: undefined, validators: current as Validators };
}

function documentState(document: Exclude<Dependency, string>, key: TagKey): CurrentState {
  const _id = requireGroup(document, "current");
  const { _rev } = document;
  if (typeof _rev !== "string") {
    throw new TypeError(`current() gave the document ${JSON.stringify(_id)} without a _rev`);
  }
  return { documents: new CurrentDocuments([{ _id, _rev }], false, key), validators: {} };
}

function listedState(dependencies: readonly Dependency[], key: TagKey): CurrentState {
  const named = dependencies.map((dependency) => {
    const _id = requireGroup(dependency, "current");
    return typeof dependency === "string" ? { _id } : { ...dependency, _id };
  });
  return { documents: new CurrentDocuments(revisionsIn(named), true, key), validators: {} };
}

/** What the fields of a response say of its state: its own tag, as `withEtag` would send it, or its declaration. */
function declaredState(headers: Headers, key: TagKey): CurrentState {
  const lastModified = headers.get("last-modified") ?? undefined;
  const etag = headers.get("etag") ?? undefined;
  const declared = declaredIn(headers, DEPENDS_ON);
  if (etag !== undefined || declared === null) {
    return { documents: undefined, validators: { etag, lastModified } };
  }
  const revisions = revisionsIn(readDeclaration(declared) ?? []);
  return { documents: new CurrentDocuments(revisions, true, key), validators: { lastModified } };
}

/**
 * What documents say of a tag. `old`: of an earlier state; `more`: of these documents as they are, and of others that a
 * complete list lacks; `silent`: of our making, but it does not tell the state of these documents; `unknown`: of another
 * resource, of other documents, or not of our making.
 */
export type TagVerdict = "current" | "old" | "more" | "silent" | "unknown";

/** Compares the state that a tag tells with the documents that exist now. */
export function judgeTag(tag: string, current: CurrentDocuments): TagVerdict {
  const state = tagState(tag);
  if (state === undefined) return "unknown";
  const { revs, digests, isWhole } = state;
  const { revisions, isComplete } = current;
  if (digests.length === 0 || revisions.length === 0) return "silent";
  if (revs === undefined) return judgeDigests(digests, current);
  const documents = digests.filter((_, at) => revs[at] !== "");
  const told = documents.filter((digest) => current.revs.has(digest));
  if (told.length === 0) return isWhole ? "unknown" : "silent";
  const hasChanged = (digest: string, at: number) =>
    revs[at] !== "" && (current.revs.get(digest) ?? revs[at]) !== revs[at];
  if (digests.some(hasChanged)) return "old";
  // What is not told may have been declared by name, unless the tag tells all.
  if (told.length < revisions.length) return isWhole ? "unknown" : "silent";
  return isComplete && documents.length > revisions.length ? "more" : "current";
}

function judgeDigests(told: readonly string[], current: CurrentDocuments): TagVerdict {
  const { revisions, isComplete } = current;
  const last = told.at(-1)!;
  if (last.length === WHOLE) {
    if (isComplete && last === current.state) return "current";
    // The first document stands for itself; of the others only all together are told.
    if (told[0] !== current.digests[0]) return isComplete ? "old" : "silent";
    return isComplete ? "unknown" : "current";
  }
  const shared = told.filter((digest) => current.digests.includes(digest)).length;
  if (shared < Math.min(told.length, revisions.length)) return "old";
  if (shared < revisions.length) return "unknown";
  return isComplete && shared < told.length ? "more" : "current";
}
