/**
 * What RFC 9110 §13 says about preconditions, as one table.
 *
 * @module
 */
import { ENTITY_TAGS } from "./entity_tags.ts";
import { IF_MATCH } from "./if_match.ts";
import { IF_MODIFIED_SINCE } from "./if_modified_since.ts";
import { IF_NONE_MATCH } from "./if_none_match.ts";
import { IF_RANGE } from "./if_range.ts";
import { IF_UNMODIFIED_SINCE } from "./if_unmodified_since.ts";
import { PRECEDENCE } from "./precedence.ts";
import { WHEN_TO_EVALUATE } from "./when_to_evaluate.ts";
import type { PreconditionRow } from "./row.ts";

export type { PreconditionRow } from "./row.ts";

/** All rows. */
export const PRECONDITIONS: readonly PreconditionRow[] = [
  ...ENTITY_TAGS,
  ...IF_MATCH,
  ...IF_NONE_MATCH,
  ...IF_MODIFIED_SINCE,
  ...IF_UNMODIFIED_SINCE,
  ...IF_RANGE,
  ...WHEN_TO_EVALUATE,
  ...PRECEDENCE,
];
