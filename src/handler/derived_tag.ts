/**
 * The entity tag of a response whose handler gave none: derived from the revisions of everything that it was built from.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { base64url, sha256 } from "../http/sha256.ts";
import { randomId } from "../registry/random_tag.ts";

/** Up to this many revisions are spelled out in a tag, where people and proxies' logs can read them. */
const SPELLED_OUT = 8;
/** Characters of the digest behind spelled-out revisions: 66 bits. */
const SHORT = 11;
/** A revision without the separators `.` and `+` can be spelled out. CouchDB's are a number, a dash and 32 hex digits. */
const PLAIN = /^[0-9A-Za-z_-]+$/;

let salt: string | undefined;

/**
 * What all derived tags of one build have in common. A deploy changes markup without changing a document, so without
 * a version tags are good for this process only.
 */
export function buildId(version: string | undefined): string {
  return version === undefined ? `salt ${salt ??= randomId()}` : `version ${version}`;
}

/** The resource, the caller and the request's fields. */
interface AskedResource {
  readonly request: Pick<Request, "headers">;
  readonly key: string;
  readonly caller: string | undefined;
}

/** What {@linkcode representationOf} found; it is only ever digested. */
export type Representation = readonly unknown[];

/**
 * What tells representations apart, so that no two of them share a strong tag (RFC 9110 §8.8.1): the resource, who
 * asked, the media type, the codings, and the values of the fields that selected it. The resource, because one
 * document makes many pages, and the tag of one must not unlock another.
 */
export function representationOf(
  { request, key, caller }: AskedResource,
  { headers }: Response,
  vary: readonly string[],
): Representation {
  const type = headers.get("content-type");
  const coding = headers.get("content-encoding");
  const language = headers.get("content-language");
  const selected = vary.map((name) => [name, request.headers.get(name)]);
  return [key, caller ?? null, type, coding, language, selected];
}

/**
 * A representation together with what it was built from, in etagc. A random tag carries it, so that the tag is not kept
 * for a response that is known to be built from something else, whether or not the feed has reported that yet.
 */
export function dependenciesId(
  representation: Representation,
  dependencies: readonly DeclaredDependency[],
): string {
  const built = dependencies.map(({ _id, _rev }) => JSON.stringify([_id, _rev ?? null])).sort();
  return digestOf([representation, built], SHORT);
}

/**
 * A strong entity tag that covers the id *and* the revision of each dependency: equal documents have equal revisions, so
 * a resource that moves from one to the other must get another tag. Undefined where a dependency has no revision, or
 * there is none.
 *
 * One dependency: its revision, a digest of its id, and one of all else, `"2-8de7a93e.K7gNU3sdo-O.9xJzWq0aTbE"`, so that
 * {@linkcode documentOf} can read it back. Up to eight revisions are joined by `+`; of more there is a digest only.
 */
export function deriveTag(
  dependencies: readonly DeclaredDependency[],
  build: string,
  representation: Representation,
): string | undefined {
  const revisions: string[] = [];
  for (const { _rev } of dependencies) {
    if (_rev === undefined) return undefined;
    revisions.push(_rev);
  }
  const [only] = dependencies;
  if (only === undefined) return undefined;
  const all = [build, representation, dependencies.map(({ _id }) => _id), revisions];
  if (revisions.length > SPELLED_OUT || !revisions.every((revision) => PLAIN.test(revision))) {
    return `"${digestOf(all)}"`;
  }
  const short = digestOf(all, SHORT);
  if (dependencies.length > 1) return `"${revisions.join("+")}.${short}"`;
  return `"${revisions[0]}.${idDigest(only._id)}.${short}"`;
}

/** The revision in the tag of a one-document response, and the digest of that document's id; undefined for any other. */
export function documentOf(tag: string): { readonly rev: string; readonly idDigest: string } | undefined {
  const [rev = "", id, rest, more] = tag.slice(1, -1).split(".", 4);
  if (id?.length !== SHORT || rest?.length !== SHORT || more !== undefined || !PLAIN.test(rev)) {
    return undefined;
  }
  return { rev, idDigest: id };
}

/** Represents a document's id in a tag: the same in every build, because a document outlives builds. */
export function idDigest(id: string): string {
  return digestOf(["document", id], SHORT);
}

function digestOf(value: unknown, length?: number): string {
  return base64url(sha256(JSON.stringify(value)), length);
}

/** A strong entity tag for a body that was read. */
export async function digestTag(body: BufferSource, representation: Representation): Promise<string> {
  const own = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  return `"${digestOf([representation, base64url(own)])}"`;
}
