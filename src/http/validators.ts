/**
 * What identifies the current representation of a resource (RFC 9110 §8.8).
 *
 * @module
 */

/** The validators of one representation: an entity tag, a modification date, both or neither. */
export interface Validators {
  /** Entity tag on the wire, `"x"` or `W/"x"` (RFC 9110 §8.8.3). */
  readonly etag?: string | undefined;
  /** A Date, or an HTTP-date (RFC 9110 §8.8.2). */
  readonly lastModified?: Date | string | undefined;
}
