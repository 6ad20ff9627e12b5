/**
 * The groups that a follower was given, and which of them a change touches.
 *
 * @module
 */
import type { Change } from "../changes/change.ts";
import { followedName, show } from "../http/dependency.ts";
import type { Group } from "./group.ts";
import { type GroupFamily, memberName } from "./group_by.ts";
import { Membership, type MembershipRule } from "./membership.ts";

/** The groups of one follower. */
export interface FollowedGroups<C extends Change> {
  /** The names of its groups and families. */
  readonly names: ReadonlySet<string>;
  /** What a change touches besides its id. */
  readonly touchedBy: (change: C) => Iterable<string>;
  /** Forgets what documents were in: the feed begins anew. */
  readonly forget: () => void;
}

/**
 * Reads the `groups` option.
 *
 * @param onUnknown Called whenever a group or family is void because a membership cannot be known.
 * @throws {TypeError} If it is neither a function nor a list of what `group()` and `groupBy()` made, each name once.
 */
export function followedGroups<C extends Change>(
  groups: ((change: C) => Iterable<string>) | readonly (Group<C> | GroupFamily<C>)[],
  onUnknown: () => void,
): FollowedGroups<C> {
  if (typeof groups === "function" && followedName(groups) === undefined) {
    return { names: new Set(), touchedBy: groups, forget: () => {} };
  }
  if (!Array.isArray(groups)) {
    throw new TypeError(`groups must be a function or a list of groups, not ${show(groups)}`);
  }
  const memberships = new Map<string, Membership<C>>();
  for (const value of groups) {
    const rule = ruleOf<C>(value);
    if (memberships.has(rule.whole)) {
      throw new TypeError(`groups has the name ${show(rule.whole)} twice: each group needs its own`);
    }
    memberships.set(rule.whole, new Membership(rule, onUnknown));
  }
  const all = [...memberships.values()];
  return {
    names: new Set(memberships.keys()),
    touchedBy: (change) => all.flatMap((membership) => membership.touchedBy(change)),
    forget: () => all.forEach((membership) => membership.forget()),
  };
}

function ruleOf<C extends Change>(value: unknown): MembershipRule<C> {
  const name = followedName(value);
  const { matches, keysOf, maxBytes } = (value ?? {}) as Partial<Group<C> & GroupFamily<C>>;
  if (name !== undefined && maxBytes !== undefined) {
    if (matches !== undefined) return groupRule(name, matches, maxBytes);
    if (keysOf !== undefined) return familyRule(name, keysOf, maxBytes);
  }
  throw new TypeError(`groups takes what group() and groupBy() made, not ${show(value)}`);
}

/** A group is a family of one: its documents have one key, and the others none. */
function groupRule<C extends Change>(
  name: string,
  matches: (change: C) => boolean,
  maxBytes: number,
): MembershipRule<C> {
  const title = `group(${show(name)})`;
  const keysOf = (change: C): string[] => {
    const isIn: unknown = matches(change);
    // A function without a return would never void the group.
    if (typeof isIn !== "boolean") throw new TypeError(`It must return true or false, not ${show(isIn)}`);
    return isIn ? [name] : [];
  };
  return { title, whole: name, keysOf, groupOf: (key) => key, maxBytes };
}

function familyRule<C extends Change>(
  name: string,
  keysOf: (change: C) => string | Iterable<string>,
  maxBytes: number,
): MembershipRule<C> {
  return {
    title: `groupBy(${show(name)})`,
    whole: name,
    keysOf: (change) => {
      const keys = keysOf(change);
      // A string is an iterable of its letters, and never meant as one.
      return typeof keys === "string" ? [keys] : keys;
    },
    groupOf: (key) => memberName(name, key),
    maxBytes,
  };
}
