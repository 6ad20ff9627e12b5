/**
 * The revision that a write is meant for.
 *
 * @module
 */
import { someListedTag } from "../http/entity_tag_list.ts";
import { judgedRevisions } from "./judged_requests.ts";
import { tagState } from "./tag_state.ts";

/** A generation, a dash and a hash: CouchDB's own entity tag of a document. */
const COUCH_TAG = /^"([1-9][0-9]*-[0-9a-f]{32})"$/;

/**
 * The revision that a write is meant for: hand it to the database as `_rev`, and the write is a compare-and-swap from end
 * to end.
 *
 * It is the revision of the document for which `withEtag` found `If-Match` true, whatever the field looks like: `*`, one
 * tag of several, the tag of a page of many documents. Where `withEtag` did not evaluate the field, or the handler is
 * given another request object, it is the revision that the field's strong tags name, if they name one: those of pages
 * of documents (the first document of such a page), and CouchDB's own.
 *
 * Undefined is safe to hand on: a database that compares revisions refuses to replace a document without one.
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
 * @param request The write, as the handler was given it.
 * @param id Which document, where `current` gave several; default: the first.
 * @returns The revision; undefined where the request names none, or only a date.
 * @see RFC 9110 §13.1.1
 */
export function revisionOf(request: Pick<Request, "headers">, id?: string): string | undefined {
  const documents = judgedRevisions(request);
  if (documents !== undefined) {
    return (id === undefined ? documents[0] : documents.find(({ _id }) => _id === id))?._rev;
  }
  const revisions = new Set<string>();
  someListedTag(request.headers.get("if-match") ?? "", false, (tag) => {
    const revs = (tagState(tag)?.revs ?? []).filter((rev) => rev !== "");
    const revision = COUCH_TAG.exec(tag)?.[1] ??
      (id === undefined || revs.length === 1 ? revs[0] : undefined);
    if (revision !== undefined) revisions.add(revision);
    // Several revisions are a choice of states, and a document has one.
    return revisions.size > 1;
  });
  return revisions.size === 1 ? [...revisions][0] : undefined;
}
