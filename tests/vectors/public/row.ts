/**
 * What the test tables of other implementations say, as facts: a request, a representation, and a status. Told anew, in
 * the words of this folder.
 *
 * @module
 */
import type { Lines } from "../row.ts";

/** Where ours differs, by the heading of docs/decisions/040-where-others-differ.md that says why. */
export type Difference =
  | "Unquoted tags"
  | "A star and nothing to compare with"
  | "Weak comparison"
  | "No validator and a date"
  | "Ranges are the handler's"
  | "A date alone, and a tag of ours";

/** One case of theirs. */
export interface PublicRow {
  readonly name: string;
  /** Of RFC 9110. */
  readonly section: string;
  readonly methods: readonly string[];
  readonly headers: Lines;
  /** Validators of the representation, and other fields of its 200. */
  readonly response: Lines;
  /** The status they answer. */
  readonly theirs: number;
  /** The status ours answers, where it is another. */
  readonly ours?: number;
  readonly why?: Difference;
  /** Fields of the answer that must be as they are in the 200. */
  readonly kept?: readonly string[];
  /** Fields that must not be there. */
  readonly dropped?: readonly string[];
}

/** A table, and the project whose it is. */
export interface PublicTable {
  readonly project: string;
  /** Where it stands in their repository. */
  readonly source: string;
  readonly rows: readonly PublicRow[];
}

export const READ = ["GET", "HEAD"] as const;
export const GET = ["GET"] as const;
export const PUT = ["PUT"] as const;

/** Shorthand for a row that says no more than statuses. */
export function says(
  name: string,
  section: string,
  methods: readonly string[],
  headers: Lines,
  response: Lines,
  theirs: number,
  differs?: { readonly ours: number; readonly why: Difference },
): PublicRow {
  return { name, section, methods, headers, response, theirs, ...differs };
}
