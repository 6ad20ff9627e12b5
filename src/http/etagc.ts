/**
 * The characters of an entity tag, and where one begins and ends (RFC 9110 §8.8.3).
 *
 * @module
 */

const DQUOTE = 0x22;
const SLASH = 0x2f;
const UPPER_W = 0x57;

/** `etagc = %x21 / %x23-7E / obs-text`; false for NaN, which is what `charCodeAt` says past the end. */
export function isEtagc(code: number): boolean {
  return code === 0x21 || (code >= 0x23 && code <= 0x7e) || (code >= 0x80 && code <= 0xff);
}

/** Where the opening quote belongs: past a `W/` (case-sensitive) at `start`, if there is one. */
export function startOfOpaque(text: string, start: number): number {
  return text.charCodeAt(start) === UPPER_W && text.charCodeAt(start + 1) === SLASH ? start + 2 : start;
}

/** Whether the whole text is one legal tag whose opening quote is at `open`. */
export function isOpaqueTag(text: string, open: number): boolean {
  if (text.charCodeAt(open) !== DQUOTE) return false;
  let at = open + 1;
  while (isEtagc(text.charCodeAt(at))) at++;
  return at === text.length - 1 && text.charCodeAt(at) === DQUOTE;
}
