/**
 * The entity tag of a response whose handler gave none: derived from the revisions of everything that it was built from.
 *
 * @module
 */
import { type DeclaredDependency, GUARD } from "../http/dependency.ts";
import { base64url } from "../http/sha256.ts";
import { randomId } from "../registry/random_tag.ts";
import type { Revision, TagKey } from "./tag_key.ts";
import { PLAIN, SHORT } from "./tag_state.ts";

/** Up to this many revisions are spelled out in a tag, where people and proxies' logs can read them. */
const SPELLED_OUT = 8;
/** Up to this many documents have a digest each, so that a tag tells of each of them whether it has changed. */
const MOST_TOLD = 24;

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

/** What a response is built from and what its tag has to tell: everything but the guards. */
export function withoutGuards(dependencies: readonly DeclaredDependency[]): readonly DeclaredDependency[] {
  return dependencies.some((dependency) => dependency[GUARD])
    ? dependencies.filter((dependency) => !dependency[GUARD])
    : dependencies;
}

/** The documents among dependencies, each once; none where one of them was read at two revisions. */
export function revisionsIn(dependencies: readonly DeclaredDependency[]): readonly Revision[] {
  const revisions = new Map<string, string>();
  for (const { _id, _rev } of withoutGuards(dependencies)) {
    if (_rev === undefined) continue;
    if ((revisions.get(_id) ?? _rev) !== _rev) return [];
    revisions.set(_id, _rev);
  }
  return [...revisions].map(([_id, _rev]) => ({ _id, _rev }));
}

/** What a tag tells of a page. */
interface Told {
  readonly revisions: readonly Revision[];
  /** What the page depends on by name alone. */
  readonly names: readonly string[];
}

/**
 * What a page is built from, guards aside, each once.
 *
 * @param written Documents that a write to the resource is judged by, where the page may only name them.
 */
export function toldBy(
  dependencies: readonly DeclaredDependency[],
  written: readonly Revision[] = [],
): Told {
  const revisions = revisionsIn([...written, ...dependencies]);
  const ids = new Set(revisions.map(({ _id }) => _id));
  const named = withoutGuards(dependencies).filter(({ _id, _rev }) => _rev === undefined && !ids.has(_id));
  return { revisions, names: [...new Set(named.map(({ _id }) => _id))] };
}

/** The state as a tag tells it; {@linkcode tagState} reads it back. Undefined where there is no document. */
function spelledState(key: TagKey, { revisions, names }: Told): string | undefined {
  const [first] = revisions;
  if (first === undefined) return undefined;
  const isSpellable = !key.hidesRevisions && revisions.every(({ _rev }) => PLAIN.test(_rev));
  if (isSpellable && revisions.length + names.length <= SPELLED_OUT) {
    const revs = [...revisions.map(({ _rev }) => _rev), ...names.map(() => "")];
    return `${revs.join("+")}.${
      [...revisions.map(({ _id }) => _id), ...names].map((id) => key.idDigest(id)).join("+")
    }`;
  }
  if (revisions.length <= MOST_TOLD) return `:${revisions.map((one) => key.revisionDigest(one)).join("+")}`;
  return `:${key.revisionDigest(first)}+${key.stateDigest(revisions)}`;
}

/**
 * A representation together with what it was built from, in etagc: the state, and a digest of all. A random tag carries
 * it, so that the tag is not kept for a response that is known to be built from something else, whether or not the feed
 * has reported that yet.
 */
export function dependenciesId(
  key: TagKey,
  representation: Representation,
  dependencies: readonly DeclaredDependency[],
  told: Told = toldBy(dependencies),
): string {
  const built = withoutGuards(dependencies).map(({ _id, _rev }) => JSON.stringify([_id, _rev ?? null]))
    .sort();
  const digest = key.digest([representation, built], SHORT);
  const state = spelledState(key, told);
  return state === undefined ? digest : `${state}.${digest}`;
}

/**
 * A strong entity tag that covers the id *and* the revision of each dependency: equal documents have equal revisions, so
 * a resource that moves from one to the other must get another tag. Undefined where a dependency has no revision, or
 * there is none.
 *
 * It is the state, and a digest of all else: `"2-8de7a93e.K7gNU3sdo-O.9xJzWq0aTbE"` for one document. Guards are no part
 * of it.
 */
export function deriveTag(
  key: TagKey,
  dependencies: readonly DeclaredDependency[],
  build: string,
  representation: Representation,
): string | undefined {
  const built = withoutGuards(dependencies);
  if (built.length === 0 || built.some(({ _rev }) => _rev === undefined)) return undefined;
  const all = [build, representation, built.map(({ _id }) => _id), built.map(({ _rev }) => _rev)];
  const state = spelledState(key, toldBy(built));
  return state === undefined ? `"${key.digest(all)}"` : `"${state}.${key.digest(all, SHORT)}"`;
}

/**
 * A strong entity tag for a body that was read.
 *
 * @param told What the tag tells beside the digest; undefined: nothing.
 */
export async function digestTag(
  key: TagKey,
  body: BufferSource,
  representation: Representation,
  told?: Told,
): Promise<string> {
  const own = new Uint8Array(await crypto.subtle.digest("SHA-256", body));
  const digest = key.digest([representation, base64url(own)]);
  const state = told === undefined ? undefined : spelledState(key, told);
  return state === undefined
    ? `"${digest}"`
    : `"${digest}.${state}.${key.digest([representation, state], SHORT)}"`;
}
