/**
 * The question which revisions a database does not have (CouchDB documentation, `POST /{db}/_revs_diff`).
 *
 * @module
 */

/** The body of the question: lists of revisions by document id. */
export function revisionQuery(
  revisions: ReadonlyMap<string, string>,
): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(Array.from(revisions, ([id, rev]) => [id, [rev]]));
}

/**
 * Whether the answer says that no revision is missing: then it is an empty object. False for what is no such answer.
 *
 * CouchDB names only documents with missing revisions.
 */
export function holdsAll(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && !Array.isArray(answer) &&
    Object.keys(answer).length === 0;
}
