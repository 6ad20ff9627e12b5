/**
 * The representation that a request selects (RFC 9110 §3.2), as far as preconditions ask for it, and their evaluation
 * in the order of §13.2.2.
 *
 * One function for each field says whether its condition is true, or undefined where the field is absent or has to be
 * ignored; one function has their order.
 *
 * @module
 */
import { isWildcard, matchesList } from "./entity_tag_list.ts";
import { parseHttpDate } from "./http_date.ts";
import { trimOws } from "./white_space.ts";

/** The validators of one representation (RFC 9110 §8.8): an entity tag, a modification date, both or neither. */
export interface Validators {
  /** Entity tag on the wire, `"x"` or `W/"x"` (RFC 9110 §8.8.3). */
  readonly etag?: string | undefined;
  /** A Date, or an HTTP-date (RFC 9110 §8.8.2). */
  readonly lastModified?: Date | string | undefined;
}

/** A representation, told by what matches it. */
export interface SelectedRepresentation {
  /** Whether a list of entity tags names it, compared weakly or strongly. */
  readonly matches: (field: string, weak: boolean) => boolean;
  /** When it was last modified, in seconds since the epoch; undefined where that is not known. */
  readonly lastModified: number | undefined;
}

/** Methods that neither select nor modify a representation; their preconditions are ignored (§13.2.1). */
const WITHOUT_REPRESENTATION: ReadonlySet<string> = /* @__PURE__ */ new Set(["CONNECT", "OPTIONS", "TRACE"]);

/**
 * Methods that ask for a representation, which a 304 can stand for. RFC 9110 §13.1.2 and §13.1.3 name GET and HEAD; a
 * QUERY selects what a GET of its equivalent resource would (RFC 10008 §2.6).
 */
const RETRIEVALS: ReadonlySet<string> = /* @__PURE__ */ new Set(["GET", "HEAD", "QUERY"]);

/** The representation that these validators identify. A malformed validator counts as absent. */
export function representationWith(validators: Validators | null): SelectedRepresentation | null {
  if (validators === null) return null;
  const { etag = "", lastModified } = validators;
  return {
    matches: (field, weak) => matchesList(field, etag, weak),
    lastModified: lastModified === undefined ? undefined : validatorSeconds(lastModified),
  };
}

/** A modification date in seconds since the epoch; undefined where it is none. */
export function validatorSeconds(date: Date | string): number | undefined {
  if (typeof date === "string") return parseHttpDate(trimOws(date));
  const seconds = Math.floor(date.getTime() / 1000);
  return Number.isNaN(seconds) ? undefined : seconds;
}

/** Seconds from a date field to the modification, negative where the field is later; undefined: not comparable. */
function modifiedAfter(field: string | null, selected: SelectedRepresentation | null): number | undefined {
  if (field === null || selected?.lastModified === undefined) return undefined;
  const date = parseHttpDate(field);
  return date === undefined ? undefined : selected.lastModified - date;
}

/** Whether an `If-Unmodified-Since` is there that can be evaluated. */
export function comparesDate(headers: Headers, selected: SelectedRepresentation | null): boolean {
  return modifiedAfter(headers.get("if-unmodified-since"), selected) !== undefined;
}

/** §13.1.1. Without a legal member no tag matches, and the condition is false. */
function ifMatch(headers: Headers, selected: SelectedRepresentation | null): boolean | undefined {
  const field = headers.get("if-match");
  if (field === null) return undefined;
  return selected !== null && (isWildcard(field) || selected.matches(field, false));
}

/** §13.1.4. */
function ifUnmodifiedSince(headers: Headers, selected: SelectedRepresentation | null): boolean | undefined {
  const after = modifiedAfter(headers.get("if-unmodified-since"), selected);
  return after === undefined ? undefined : after <= 0;
}

/** §13.1.2. Without a legal member no tag matches, and the condition is true. */
function ifNoneMatch(headers: Headers, selected: SelectedRepresentation | null): boolean | undefined {
  const field = headers.get("if-none-match");
  if (field === null) return undefined;
  return selected === null || !(isWildcard(field) || selected.matches(field, true));
}

/** §13.1.3; the caller checks the method. */
function ifModifiedSince(headers: Headers, selected: SelectedRepresentation | null): boolean | undefined {
  const after = modifiedAfter(headers.get("if-modified-since"), selected);
  return after === undefined ? undefined : after > 0;
}

/** A field that makes a request conditional. */
export type ConditionalField = "if-match" | "if-unmodified-since" | "if-none-match" | "if-modified-since";

/** The first field, in the order of §13.2.2, whose condition is false; undefined: all are true. */
export function falseCondition(
  { method, headers }: Pick<Request, "method" | "headers">,
  selected: SelectedRepresentation | null,
): ConditionalField | undefined {
  if (WITHOUT_REPRESENTATION.has(method)) return undefined;
  const matches = ifMatch(headers, selected);
  if (matches === false) return "if-match";
  if (matches === undefined && ifUnmodifiedSince(headers, selected) === false) return "if-unmodified-since";
  const differs = ifNoneMatch(headers, selected);
  if (differs === false) return "if-none-match";
  if (differs === undefined && RETRIEVALS.has(method) && ifModifiedSince(headers, selected) === false) {
    return "if-modified-since";
  }
  return undefined;
}

/** Evaluates a request's preconditions against the representation that it selects; null: there is none. */
export function evaluateSelected(
  request: Pick<Request, "method" | "headers">,
  selected: SelectedRepresentation | null,
): "proceed" | 304 | 412 {
  switch (falseCondition(request, selected)) {
    case undefined:
      return "proceed";
    case "if-none-match":
    case "if-modified-since":
      return RETRIEVALS.has(request.method) ? 304 : 412;
    default:
      return 412;
  }
}
