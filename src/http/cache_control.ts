/**
 * The `Cache-Control` field (RFC 9111 §5.2): which directives it names.
 *
 * @module
 */

const HTAB = 0x09;
const SPACE = 0x20;
const DQUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const BACKSLASH = 0x5c;

/**
 * The directives of a field, by lower-case name, without their arguments, in one pass. A comma within a quoted argument
 * separates nothing; an unterminated quote reaches to the end of the field.
 *
 * @param field The field's value, or null where there is none.
 */
export function cacheDirectives(field: string | null): ReadonlySet<string> {
  const directives = new Set<string>();
  if (field === null) return directives;
  // Where the name of the current directive begins and ends, without the white space around it; -1: not begun.
  let [start, end] = [-1, -1];
  let [named, quoted] = [false, false];
  for (let at = 0, escaped = false;; at++) {
    const code = field.charCodeAt(at);
    if (at >= field.length || (code === COMMA && !quoted)) {
      // An empty member is legal, and no directive (RFC 9110 §5.6.1.2).
      if (start >= 0) directives.add(field.slice(start, end).toLowerCase());
      if (at >= field.length) return directives;
      [start, named] = [-1, false];
      continue;
    }
    if (code === EQUALS) named = true;
    if (!named && code !== SPACE && code !== HTAB) {
      if (start < 0) start = at;
      end = at + 1;
    }
    if (code === DQUOTE && !escaped) quoted = !quoted;
    escaped = quoted && code === BACKSLASH && !escaped;
  }
}
