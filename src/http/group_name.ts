/**
 * The name of a group as it is spelled in header fields: percent-encoded UTF-8, the same in each field that carries it.
 *
 * @module
 */

/** A name that is spelled as it is: visible ASCII but for `"`, `\`, `%`, and the separators of lists, `,` and `;`. */
const PLAIN_NAME: RegExp = /^[!#$&-+\--:<-[\]-~]*$/;

const TO_ENCODE = /[^!#$&-+\--:<-[\]-~]+/g;

/**
 * Percent-encodes what must not stand in a field, so that no name can be mistaken for a separator.
 *
 * @throws {TypeError} If the name has half a surrogate pair, which has no UTF-8.
 */
export function encodeGroupName(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  try {
    return name.replace(TO_ENCODE, encodeURIComponent);
  } catch (cause) {
    throw new TypeError(`The name ${JSON.stringify(name)} has half a surrogate pair, which has no UTF-8`, {
      cause,
    });
  }
}

/** The name again; undefined where a percent sign encodes nothing, or the bytes are no UTF-8. */
export function decodeGroupName(encoded: string): string | undefined {
  if (!encoded.includes("%")) return encoded;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}
