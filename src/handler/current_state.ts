/**
 * What a write is judged by: the state of its target before it runs (RFC 9110 §13.1.1, the "lost update" problem).
 *
 * @module
 */
import type { Dependency } from "../http/dependency.ts";
import { matchesList, someListedTag } from "../http/entity_tag_list.ts";
import { evaluateSelected, representationWith, type Validators } from "../http/selected_representation.ts";
import { documentOf, idDigest } from "./derived_tag.ts";

/**
 * The current state of a resource: validators, or the document that it is made of, which every tag derived from that
 * revision matches; null: it does not exist; undefined: cannot tell.
 */
export type Current = Validators | Exclude<Dependency, string> | null | undefined;

/** The fields that make a request conditional upon the state of its target. */
const PRECONDITIONS = ["if-match", "if-none-match", "if-unmodified-since"] as const;

/** A generation, a dash and a hash: CouchDB's own entity tag of a document. */
const COUCH_TAG = /^"([1-9][0-9]*-[0-9a-f]{32})"$/;

/** Whether a request says which state it is meant for. */
export function hasPrecondition(headers: Headers): boolean {
  return PRECONDITIONS.some((name) => headers.has(name));
}

/**
 * Evaluates the preconditions of a request against what `current` gave.
 *
 * @throws {TypeError} If that is a document without a revision: no tag could match it.
 */
export function evaluateCurrent(
  request: Pick<Request, "method" | "headers">,
  current: Exclude<Current, undefined>,
): "proceed" | 304 | 412 {
  if (current === null || !("_id" in current)) return evaluateSelected(request, representationWith(current));
  const { _id, _rev } = current;
  if (typeof _rev !== "string") {
    throw new TypeError(`current() gave the document ${JSON.stringify(_id)} without a _rev`);
  }
  const id = idDigest(_id);
  const isOfDocument = (tag: string) => {
    const document = documentOf(tag);
    return document !== undefined && document.rev === _rev && document.idDigest === id;
  };
  return evaluateSelected(request, {
    // CouchDB's own tag of a document is its revision in quotes.
    matches: (field, weak) =>
      matchesList(field, `"${_rev}"`, weak) || someListedTag(field, weak, isOfDocument),
    lastModified: undefined,
  });
}

/**
 * The revision that a write is meant for, out of its `If-Match`: hand it to the database as `_rev`, and the write is a
 * compare-and-swap from end to end. Undefined unless the field is one strong tag of a one-document response, or
 * CouchDB's own.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, revisionOf, withEtag } from "@stillfresh/etag";
 *
 * const post = { _id: "post-1", _rev: "2-abc" };
 * const page = await withEtag(() => Response.json(post, { headers: dependsOn(post) }))(
 *   new Request("http://localhost/posts/1"),
 * );
 * const put = new Request("http://localhost/posts/1", {
 *   method: "PUT",
 *   headers: { "if-match": page.headers.get("etag")! },
 * });
 * assert.equal(revisionOf(put), "2-abc");
 * ```
 *
 * @param request The write.
 * @returns The revision.
 */
export function revisionOf(request: Pick<Request, "headers">): string | undefined {
  const field = request.headers.get("if-match");
  if (field === null) return undefined;
  const tags: string[] = [];
  // Several tags are a choice of states, and a revision is one.
  someListedTag(field, false, (tag) => tags.push(tag) > 1);
  const [tag] = tags;
  if (tag === undefined || tags.length > 1) return undefined;
  return documentOf(tag)?.rev ?? COUCH_TAG.exec(tag)?.[1];
}
