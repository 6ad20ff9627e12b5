/**
 * Which stored variant a request selects (RFC 9111 §4.1), and under which key it is kept.
 *
 * @module
 */

/** A field name (RFC 9110 §5.1), in lower case. */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/**
 * The members of a `Vary` field: lower-case, sorted, each once (RFC 9110 §12.5.5). Undefined where one of them cannot
 * be the name of a field: whatever was meant selects, and it is not known by what.
 *
 * @param field The field's value, or null where the response has none.
 */
export function varyFields(field: string | null): readonly string[] | undefined {
  if (field === null) return [];
  const names = field.toLowerCase().split(",").map((name) => name.trim()).filter((name) => name !== "");
  if (!names.every((name) => FIELD_NAME.test(name))) return undefined;
  return names.length < 2 ? names : [...new Set(names)].sort();
}

/**
 * One string for a resource and who asks, such that no two pairs share one: a caller who shared another's key would
 * get the other's answer. A key that begins like a composed one is set apart.
 */
export function storageKey(key: string, caller: string | undefined): string {
  if (caller !== undefined) return inOnePiece(`\0${caller.length}:${caller}${key}`);
  return key.charCodeAt(0) === 0 ? `\0${key}` : key;
}

/** The resource again, out of what {@linkcode storageKey} or {@linkcode variantKey} gave: kept, it would be there twice. */
export function resourceOf(place: string): string {
  if (place.charCodeAt(0) !== 0) return place;
  const base = baseOf(place);
  if (base !== undefined) return resourceOf(base);
  const colon = place.indexOf(":");
  // What begins like a composed key was set apart by one more of these.
  if (place.charCodeAt(1) === 0) return place.slice(1);
  return place.slice(colon + 1 + Number(place.slice(1, colon)));
}

/** What a {@linkcode variantKey} was made of; undefined for the key of what has no variants. */
export function baseOf(place: string): string | undefined {
  if (!place.startsWith("\0v")) return undefined;
  const start = place.indexOf(":") + 1;
  return place.slice(start, start + Number(place.slice(2, start - 1)));
}

/**
 * The same for one variant: the values of the request fields that `Vary` names, compared as they are. RFC 9111 §4.1
 * would allow some normalisation; a value that is spelled differently only costs a hit.
 */
export function variantKey(storageKey: string, fields: readonly string[], headers: Headers): string {
  let key = `\0v${storageKey.length}:${storageKey}`;
  for (const field of fields) {
    const value = headers.get(field);
    // Absent and empty are different values; no field value holds a line feed.
    key += value === null ? "\n" : `=${value}\n`;
  }
  return inOnePiece(key);
}

/** A composed key, all of which begin alike. To read of it joins its parts; unjoined, V8's Map takes half as long again to find it. */
function inOnePiece(key: string): string {
  return key.charCodeAt(0) === 0 ? key : `\0${key}`;
}
