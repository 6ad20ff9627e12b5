/**
 * The groups that a follower was given, and which of them a change touches.
 *
 * @module
 */
import type { Change } from "../changes/change.ts";

/** What one follower knows of one group, or of one family of groups. */
export interface Membership<C extends Change> {
  /** The name of the group or family. */
  readonly name: string;
  /** The groups that a change touches. Never throws. */
  touchedBy(change: C): readonly string[];
  /** Forgets what documents were in: the feed begins anew. */
  forget(): void;
}

/**
 * On what `group()` and `groupBy()` give: opens the membership of one follower. `onUnknown` is to be called whenever the
 * group or family is void because it cannot be known what a document was in. All copies of this module in the process
 * share the symbol.
 */
export const OPEN: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag membership 1");

/** The groups of one follower. */
export interface FollowedGroups<C extends Change> {
  /** The names of its groups and families. */
  readonly names: ReadonlySet<string>;
  /** What a change touches besides its id. */
  readonly touchedBy: (change: C) => Iterable<string>;
  /** Forgets what documents were in: the feed begins anew. */
  readonly forget: () => void;
}

/** What `group()` and `groupBy()` give, as a follower sees it. */
interface Followable<C extends Change> {
  readonly [OPEN]: (onUnknown: () => void) => Membership<C>;
}

/**
 * Reads the `groups` option.
 *
 * @param groups A function, or a list of what `group()` and `groupBy()` gave; plain JavaScript may pass anything.
 * @param onUnknown Called whenever a group or family is void because a membership cannot be known.
 * @throws {TypeError} If it is neither, or has one name twice.
 */
export function followedGroups<C extends Change>(
  groups: ((change: C) => Iterable<string>) | readonly unknown[],
  onUnknown: () => void,
): FollowedGroups<C> {
  if (typeof groups === "function" && !isFollowable(groups)) {
    return { names: new Set(), touchedBy: groups, forget: () => {} };
  }
  if (!Array.isArray(groups)) {
    throw new TypeError(`groups must be a function or a list of groups, not ${show(groups)}`);
  }
  const memberships = new Map<string, Membership<C>>();
  for (const value of groups as readonly unknown[]) {
    if (!isFollowable<C>(value)) {
      throw new TypeError(`groups takes what group() and groupBy() gave, not ${show(value)}`);
    }
    const membership = value[OPEN](onUnknown);
    const { name } = membership;
    if (memberships.has(name)) {
      throw new TypeError(`groups has the name ${show(name)} twice: each group needs its own`);
    }
    memberships.set(name, membership);
  }
  const all = [...memberships.values()];
  return {
    names: new Set(memberships.keys()),
    touchedBy: (change) => all.flatMap((membership) => membership.touchedBy(change)),
    forget: () => all.forEach((membership) => membership.forget()),
  };
}

function isFollowable<C extends Change>(value: unknown): value is Followable<C> {
  return typeof (value as Partial<Followable<C>> | null | undefined)?.[OPEN] === "function";
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value);
}
