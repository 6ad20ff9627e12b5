/**
 * Requests whose precondition was true, and the documents that it was evaluated against: what `revisionOf` and
 * `conflictResponse` ask for within the handler.
 *
 * @module
 */

/** Documents at the revisions that a write is meant for. */
export type JudgedRevisions = readonly { readonly _id: string; readonly _rev: string }[];

const judged: WeakMap<object, JudgedRevisions> = /* @__PURE__ */ new WeakMap();

/** Notes that the precondition of a request is true, and of which documents; none, where it names no revision. */
export function noteJudged(request: object, revisions: JudgedRevisions): void {
  judged.set(request, revisions);
}

/** What was noted of a request. */
export function judgedRevisions(request: object): JudgedRevisions | undefined {
  return judged.get(request);
}
