/**
 * What `follow` and `followOnDemand` ask of a feed and of their options.
 *
 * @module
 */
import type { ChangesFeed } from "../changes/change.ts";

/** @throws {TypeError} If this is no feed, but perhaps an iterable of changes. */
export function requireFeed(feed: unknown, caller: "follow" | "catchUp"): void {
  if (typeof (feed as ChangesFeed | undefined)?.batches === "function") return;
  throw new TypeError(
    `${caller}() takes a feed that says when it is complete, such as changes(url) or ownFeed(connect), not ${
      show(feed)
    }`,
  );
}

/** A value by its kind: a URL may hold a credential. */
function show(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  const iterable = typeof value === "object" && (Symbol.asyncIterator in value || Symbol.iterator in value);
  return iterable
    ? "an iterable of changes; use map() to rename those of a feed"
    : `a value of type ${typeof value}`;
}

/** @throws {RangeError} If this is no number of milliseconds. */
export function milliseconds(name: string, value: number): number {
  if (!(value >= 0)) throw new RangeError(`${name} must be a number of milliseconds, not ${value}`);
  return value;
}

const NOTHING: readonly string[] = [];

/** Names no groups. */
export const nothing = (): Iterable<string> => NOTHING;

/** Closes an iterator that is not read any more: errors of its `return()` are ignored. */
export async function discard(iterator: AsyncIterator<unknown>): Promise<void> {
  try {
    await iterator.return?.();
  } catch {
    // See above.
  }
}
