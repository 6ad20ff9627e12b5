/**
 * The `Vary` field (RFC 9110 §12.5.5): which request fields selected a response.
 *
 * @module
 */

/** A field name (RFC 9110 §5.1), in lower case. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * The members of a `Vary` field: lower-case, sorted, each once. Undefined where one of them cannot be the name of a
 * field: then it is not known what selected the response.
 *
 * @param field The field's value.
 */
export function varyFields(field: string): readonly string[] | undefined {
  const names = field.toLowerCase().split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (!names.every((name) => FIELD_NAME.test(name))) return undefined;
  return names.length < 2 ? names : [...new Set(names)].sort();
}
