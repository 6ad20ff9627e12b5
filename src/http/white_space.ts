/**
 * Optional white space (RFC 9110 §5.6.3): space and tab, and nothing else. `String.prototype.trim()` would also remove
 * %xA0, which is obs-text and so part of a field's value.
 *
 * @module
 */

const HTAB = 0x09;
const SPACE = 0x20;

/** The first index from `from` on that is no optional white space; the length of the text where all of it is. */
export function skipOws(text: string, from: number): number {
  let at = from;
  for (let code = text.charCodeAt(at); code === SPACE || code === HTAB;) code = text.charCodeAt(++at);
  return at;
}

/** The index behind the last character before `end` that is no optional white space. */
export function skipOwsBackwards(text: string, end: number): number {
  let at = end;
  for (let code = text.charCodeAt(at - 1); code === SPACE || code === HTAB;) {
    code = text.charCodeAt(--at - 1);
  }
  return at;
}

/** The text without optional white space at either end. */
export function trimOws(text: string): string {
  return text.slice(skipOws(text, 0), skipOwsBackwards(text, text.length));
}
