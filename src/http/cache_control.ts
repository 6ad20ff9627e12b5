/**
 * The `Cache-Control` field (RFC 9111 §5.2): which directives it names.
 *
 * @module
 */

const DQUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** In lower case, without the white space around it; `trim()` would take obs-text %xA0 for some. */
function nameOf(directive: string): string {
  const [name = ""] = directive.split("=", 1);
  return name.replace(/^[ \t]+|[ \t]+$/g, "").toLowerCase();
}

/**
 * The directives of a field, by lower-case name, without their arguments. A comma within a quoted argument separates
 * nothing.
 *
 * @param field The field's value, or null where there is none.
 */
export function cacheDirectives(field: string | null): ReadonlySet<string> {
  if (field !== read.field) read = { field, directives: parse(field ?? "") };
  return read.directives;
}

/** The last field that was read: most responses of a site say the same. */
let read: { readonly field: string | null; readonly directives: ReadonlySet<string> } = {
  field: null,
  directives: new Set(),
};

function parse(field: string): ReadonlySet<string> {
  const directives = new Set<string>();
  let start = 0;
  let quoted = false;
  for (let at = 0; at <= field.length; at++) {
    const code = field.charCodeAt(at);
    if (quoted && code === BACKSLASH) at++;
    else if (code === DQUOTE) quoted = !quoted;
    else if (at >= field.length || (code === COMMA && !quoted)) {
      directives.add(nameOf(field.slice(start, at)));
      start = at + 1;
    }
  }
  // An unterminated quote ends with the field: what it swallowed stays one directive.
  if (start < field.length && quoted) directives.add(nameOf(field.slice(start)));
  // An empty member is legal, and none (RFC 9110 §5.6.1.2).
  directives.delete("");
  return directives;
}
