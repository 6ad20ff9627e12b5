/**
 * Which entity tag identifies a response, where the handler gave none: one derived from the revisions of everything
 * it was built from.
 *
 * @module
 */
import { groupOf, revisionOf, type Source } from "./group.ts";
import { randomId } from "./mint.ts";
import { base64url, sha256 } from "./sha256.ts";

/** Up to this many revisions are spelled out in a tag, where people and proxies' logs can read them. */
const SPELLED_OUT = 8;
/** Characters of the digest behind spelled-out revisions: 66 bits. */
const SHORT = 11;
/** What a revision may hold, to be spelled out: neither of the separators. CouchDB's are a number, a dash and 32 hex digits. */
const PLAIN = /^[0-9A-Za-z_-]+$/;

let salt: string | undefined;

/**
 * What all derived tags of one build have in common. A deploy changes markup without changing a document, so without
 * a version tags are good for this process only.
 */
export function buildId(version: string | undefined): string {
  return version === undefined ? `salt ${salt ??= randomId()}` : `version ${version}`;
}

/**
 * What tells the representations of one resource apart, so that no two of them share a strong tag (RFC 9110 §8.8.1):
 * the media type, the codings, the values of the fields that selected it, and who asked.
 */
export function representationId(
  request: Headers,
  response: Response,
  vary: readonly string[],
  caller: string | undefined,
): string {
  const { headers } = response;
  const selected = vary.map((name) => [name, request.get(name)]);
  const [type, coding, language] = ["content-type", "content-encoding", "content-language"]
    .map((name) => headers.get(name));
  return JSON.stringify([caller ?? null, type, coding, language, selected]);
}

/**
 * A strong entity tag that covers the id *and* the revision of each source: equal documents have equal revisions, so
 * a resource that moves from one to the other must get another tag. Undefined where a source has no revision, or there is
 * none.
 *
 * One source: its revision can be read back, `"2-8de7a93e.K7gNU3sdo-O"`. Up to eight are joined by `+`; more are
 * told by their digest alone.
 */
export function deriveTag(
  sources: readonly Source[],
  build: string,
  representation: string,
): string | undefined {
  if (sources.length === 0) return undefined;
  const revisions: string[] = [];
  for (const source of sources) {
    const revision = revisionOf(source);
    if (revision === undefined) return undefined;
    revisions.push(revision);
  }
  const digest = base64url(sha256(JSON.stringify([build, representation, sources.map(groupOf), revisions])));
  const spelledOut = revisions.length <= SPELLED_OUT && revisions.every((revision) => PLAIN.test(revision));
  return spelledOut ? `"${revisions.join("+")}.${digest.slice(0, SHORT)}"` : `"${digest}"`;
}

/** A strong entity tag for a body that was read. */
export async function digestTag(body: ArrayBuffer, representation: string): Promise<string> {
  const own = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return `"${base64url(sha256(representation + base64url(own)))}"`;
}
