/**
 * Under which string an entry is stored: the resource, the caller, and the request fields that selected the variant
 * (RFC 9111 §4.1).
 *
 * A resource without caller and variants is stored under its own name. Every composed key begins with NUL, which no URL
 * holds, and gives the length of each part, so that no two combinations share a key: an answer for another caller would
 * be wrong.
 *
 * @module
 */

/** The key of a resource for a caller. A resource whose name begins with NUL gets one more of them. */
export function storageKey(resource: string, caller: string | undefined): string {
  if (caller !== undefined) return flat(`\0${caller.length}:${caller}${resource}`);
  return resource.charCodeAt(0) === 0 ? `\0${resource}` : resource;
}

/**
 * The key of one variant: the values of the request fields that `Vary` names, compared as they are. RFC 9111 §4.1 would
 * allow some normalisation; a value that is spelled differently only costs a hit.
 *
 * @param base What {@linkcode storageKey} gave.
 */
export function variantKey(base: string, fields: readonly string[], headers: Headers): string {
  let key = `\0v${base.length}:${base}`;
  for (const field of fields) {
    const value = headers.get(field);
    // Absent and empty are different values; no field value holds a line feed.
    key += value === null ? "\n" : `=${value}\n`;
  }
  return flat(key);
}

/** The resource that a key was made from. Computed, because an entry that kept both would hold it twice. */
export function resourceOf(key: string): string {
  if (key.charCodeAt(0) !== 0) return key;
  const base = baseOf(key);
  if (base !== undefined) return resourceOf(base);
  // The resource's own name begins with NUL.
  if (key.charCodeAt(1) === 0) return key.slice(1);
  const colon = key.indexOf(":");
  return key.slice(colon + 1 + Number(key.slice(1, colon)));
}

/** The base that a {@linkcode variantKey} was made from; undefined for any other key. */
export function baseOf(key: string): string | undefined {
  if (!key.startsWith("\0v")) return undefined;
  const start = key.indexOf(":") + 1;
  return key.slice(start, start + Number(key.slice(2, start - 1)));
}

/** The caller that a key was made for; undefined: it was made for none. */
export function callerOf(key: string): string | undefined {
  const base = baseOf(key) ?? key;
  if (base.charCodeAt(0) !== 0 || base.charCodeAt(1) === 0) return undefined;
  const colon = base.indexOf(":");
  return base.slice(colon + 1, colon + 1 + Number(base.slice(1, colon)));
}

/** The values of the request fields that a {@linkcode variantKey} was made of, null for an absent one; none for any other key. */
export function variantValues(key: string): readonly (string | null)[] {
  const base = baseOf(key);
  if (base === undefined) return [];
  const values = key.slice(key.indexOf(":") + 1 + base.length).split("\n").slice(0, -1);
  return values.map((value) => value === "" ? null : value.slice(1));
}

/**
 * A composed key as one string. V8 keeps a concatenation as a tree until a character of it is read; in a tree, its Map
 * takes half as long again to find it.
 */
function flat(key: string): string {
  // Each begins with NUL; a result that is used cannot be optimised away.
  return key.charCodeAt(0) === 0 ? key : `\0${key}`;
}
