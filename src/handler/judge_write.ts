/**
 * Judges a write by the state of its target. A tag is compared by the documents that it tells, not by its spelling: every
 * page, media type and build of one state has a tag of its own, and all of them name that state.
 *
 * @module
 */
import { isWildcard, matchesList, someListedTag } from "../http/entity_tag_list.ts";
import {
  comparesDate,
  falseCondition,
  representationWith,
  type SelectedRepresentation,
} from "../http/selected_representation.ts";
import type { RegisteredTag } from "../registry/core.ts";
import type { HandlerContext } from "./context.ts";
import { type CurrentDocuments, type CurrentState, judgeTag, type TagVerdict } from "./current_state.ts";
import { matchesCoded } from "./evaluate.ts";
import { noteJudged } from "./judged_requests.ts";
import type { FalseCondition } from "./refusals.ts";
import type { TagKey } from "./tag_key.ts";
import { isOurTag, type TagState, tagState, withoutCoding } from "./tag_state.ts";

/** A write, and what it asks to change. */
export interface WriteTarget {
  readonly request: Request;
  /** The resource; undefined: it is not to be registered. */
  readonly key: string | undefined;
  readonly caller: string | undefined;
}

/** Why a write may not run; undefined: it may. */
export function judgeWrite(
  context: HandlerContext,
  target: WriteTarget,
  state: CurrentState | null,
): FalseCondition | undefined {
  const { request } = target;
  const judge = judgeOf(context, target, state);
  const matches = (field: string, weak: boolean) =>
    judge.matches(field, weak, weak || context.acceptWeakTags);
  const lastModified = state === null ? undefined : representationWith(state.validators)!.lastModified;
  const selected: SelectedRepresentation | null = state === null ? null : { matches, lastModified };
  const field = request.headers.get("if-match");
  switch (falseCondition(request, selected)) {
    case undefined:
      if (field !== null && state?.documents !== undefined) {
        // What only the registry vouches for tells no revision that the database could compare.
        noteJudged(request, isWildcard(field) || judge.tells(field) ? state.documents.revisions : []);
      } else if (comparesDate(request.headers, selected)) {
        // A date tells seconds, and two edits fit into one.
        noteJudged(request, []);
      }
      return undefined;
    case "if-match":
      return state === null ? "nothing-there" : whyNoMatch(field!, judge);
    case "if-unmodified-since":
      return "modified-since";
    default:
      return isWildcard(request.headers.get("if-none-match")!) ? "exists" : "is-excluded";
  }
}

/** Of a tag that tells the revisions of the documents. */
const TELLING: ReadonlySet<TagVerdict> = /* @__PURE__ */ new Set(["current", "more"] as const);

/** Compares tags with the state of a target. */
interface TagJudge {
  /**
   * Whether a list names the state.
   *
   * @param weak Whether any tag is compared weakly.
   * @param ownWeak Whether those are that were made here.
   */
  matches(field: string, weak: boolean, ownWeak: boolean): boolean;
  /** Whether a tag of the field tells the current revisions, rather than being vouched for by the registry alone. */
  tells(field: string): boolean;
  /** What is wrong with a tag, without `W/`. */
  verdictOn(tag: string): TagVerdict;
}

function judgeOf(context: HandlerContext, target: WriteTarget, state: CurrentState | null): TagJudge {
  const documents = state?.documents;
  const [first] = documents?.revisions ?? [];
  // CouchDB's own tag of a document is its revision in quotes.
  const spelled = documents === undefined
    ? state?.validators.etag ?? ""
    : first === undefined
    ? ""
    : `"${first._rev}"`;
  const isOurs = documents !== undefined || isOurTag(spelled);
  const verdictOn = documents === undefined
    ? (): TagVerdict => "unknown"
    : verdictsBy(context, target, documents);
  const isCurrent = (tag: string) => verdictOn(tag) === "current";
  const isCurrentCoded = (tag: string) => [tag, ...withoutCoding(tag)].some(isCurrent);
  return {
    verdictOn,
    matches: (field, weak, ownWeak) =>
      matchesList(field, spelled, weak || (ownWeak && isOurs)) ||
      (ownWeak && isOurs && matchesCoded(field, spelled)) ||
      someListedTag(field, ownWeak, ownWeak ? isCurrentCoded : isCurrent),
    tells: (field) =>
      documents !== undefined &&
      (matchesList(field, spelled, true) ||
        someListedTag(field, true, (tag) =>
          [tag, ...withoutCoding(tag)].some((one) =>
            TELLING.has(judgeTag(one, documents))
          ))),
  };
}

/** What the documents say of a tag, and, where they leave something open, the registry. */
function verdictsBy(
  { registry, tagKey }: HandlerContext,
  { key, caller }: WriteTarget,
  documents: CurrentDocuments,
): (tag: string) => TagVerdict {
  const { revisions, isComplete } = documents;
  let known: ReturnType<typeof registry.tagsOf> | undefined;
  const registered = () => known ??= key === undefined ? [] : registry.tagsOf(key, caller);
  return (tag) => {
    const verdict = judgeTag(tag, documents);
    if (verdict === "current") {
      const { isWhole, digests } = tagState(tag)!;
      // The tag tells these documents, and nothing else voids it.
      if (isWhole && (isComplete || digests.length === revisions.length)) return verdict;
      return registered().some((one) => isLater(tagKey, one, tag)) ? "old" : verdict;
    }
    if ((verdict !== "silent" && verdict !== "more") || registry.isSuperseded(revisions)) return verdict;
    return registered().some(({ etag, state }) => etag === tag && state === "valid") ? "current" : verdict;
  };
}

/** Whether what is registered shows that something else that a tag tells has changed since. */
function isLater(
  key: TagKey,
  { etag, isVariant, state, changed }: RegisteredTag,
  tag: string,
): boolean {
  if (state === "void") return etag === tag && changed.some((group) => isTold(key, group, tagState(tag)!));
  if (etag === tag) return false;
  const [theirs, ours] = [tagState(etag), tagState(tag)!];
  if (theirs === undefined || theirs.digests.length === 0) return false;
  // Variants may be built from different documents; what is the only entry of a resource has its present state.
  if (isVariant ? hasOtherRevision(theirs, ours) : stateOf(etag) !== stateOf(tag)) return true;
  // Of pages that depend on a name, each registration has a tag of its own.
  return state === "valid" && !ours.isWhole && afterUnique(etag) === afterUnique(tag);
}

/** Whether a tag tells the state of a group, or may: a guard that has changed leaves the state as it is. */
function isTold(key: TagKey, group: string, { revs, digests }: TagState): boolean {
  // A tag without revisions tells no id.
  return revs === undefined || digests.includes(key.idDigest(group));
}

/** Whether two tags tell a document at two revisions. */
function hasOtherRevision(theirs: TagState, ours: TagState): boolean {
  if (theirs.revs === undefined || ours.revs === undefined) return false;
  return ours.digests.some((digest, at) => {
    const there = theirs.digests.indexOf(digest);
    const [before, now] = [ours.revs![at], theirs.revs![there]];
    return there >= 0 && before !== "" && now !== "" && before !== now;
  });
}

/** The documents that a tag tells, as one text. */
function stateOf(tag: string): string {
  const { revs = [], digests } = tagState(tag)!;
  return [...revs, ...digests].join();
}

/** A tag without what makes a registration, or a body, unique. */
function afterUnique(tag: string): string {
  return tag.slice(tag.indexOf("."));
}

/** Says why no tag of an `If-Match` matches; what is most to the point, where there are several. */
function whyNoMatch(field: string, judge: TagJudge): FalseCondition {
  if (judge.matches(field, true, true)) return "weak";
  const reasons = new Set<FalseCondition>();
  someListedTag(field, true, (tag) => {
    const verdict = judge.verdictOn(tag);
    if (verdict === "old") reasons.add("old");
    else reasons.add(verdict === "unknown" && !isOurTag(tag) ? "unknown" : "silent");
    return false;
  });
  if (reasons.has("old")) return "old";
  if (reasons.has("silent")) return "silent";
  return reasons.has("unknown") ? "unknown" : "no-tag";
}
