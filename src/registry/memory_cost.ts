/**
 * What each thing that a registry keeps costs, in bytes: the estimates that `registry.bytes` and `maxBytes` are made of.
 *
 * No runtime says what an object costs. So each figure is the middle of what V8 (Deno, Node) and JavaScriptCore (Bun) take
 * on 64 bits, calibrated with `deno task memory`, which fills registries in many ways and compares `registry.bytes` with
 * the heap. Run it after a change to any of these objects. Typed arrays are not estimated: what keeps some says
 * how long they are.
 *
 * @module
 */

/** A reference in an array, with the room that the array has to spare. */
export const REFERENCE_BYTES = 10;

/** A string beside its characters. */
export const TEXT_BYTES = 20;

/** An entry beside its texts and its places in tables: one object with twelve fields, and a number. */
export const ENTRY_BYTES = 128;

/** The list of groups of an entry that has more than three, beside the numbers of eight bytes in it. */
export const GROUP_LIST_BYTES = 40;

/** The length of the content of an entry, where it is known. */
export const LENGTH_BYTES = 16;

/** What is known of a body, beside its digest. */
export const BODY_RECORD_BYTES = 88;

/** The first bytes of a body, beside themselves. */
export const KEPT_BODY_BYTES = 130;

/** The variants of one resource, beside their base and the variants themselves. */
export const VARIANT_SET_BYTES = 112;

/** A list of field names that select among variants, beside the names. */
export const FIELD_LIST_BYTES = 48;

/** Headers that entries share, beside their texts. */
export const HEADERS_BYTES = 150;

/** The same as a `Headers` that is kept ready, beside its texts. */
export const READY_HEADERS_BYTES = 190;

/** A remembered change, beside its texts. */
export const CHANGE_BYTES = 140;

/** What one feed has reported of a changed group, beside the revision: kept where reads may lag. */
export const REPORT_BYTES = 140;

/** What was last reported of a group that nothing depends on: numbers, in lists and in a table. */
export const REPORTED_GROUP_BYTES = 64;

/** A document that a follower remembers, beside its id and its keys. */
export const DOCUMENT_BYTES = 120;

/** The fields that a resource sends to one origin, beside their texts. */
export const CROSS_ORIGIN_BYTES = 140;
