/**
 * Names of tables and columns, and how SQL quotes them.
 *
 * @module
 */

/** A table by the name that the user gave it. */
export interface TableName {
  /** As given: `posts`, or `blog.posts`. The groups of its rows begin with it. */
  readonly name: string;
  /** As SQL has it: `"public"."posts"`. */
  readonly quoted: string;
}

/**
 * Reads a table's name: what is before the first dot is its schema, which is `public` by default.
 *
 * @throws {TypeError} If it is empty, or holds `/`, `?` or a NUL, of which the groups of its rows are put together.
 */
export function tableName(name: unknown): TableName {
  if (typeof name !== "string" || name === "" || /[/?\0]/.test(name)) {
    throw new TypeError(
      `A table's name is text without / and ?, not ${JSON.stringify(name) ?? String(name)}`,
    );
  }
  const dot = name.indexOf(".");
  const [schema, table] = dot < 0 ? ["public", name] : [name.slice(0, dot), name.slice(dot + 1)];
  if (schema === "" || table === "") {
    throw new TypeError(`The table's name ${JSON.stringify(name)} lacks what the dot divides`);
  }
  return { name, quoted: `${identifier(schema)}.${identifier(table)}` };
}

/** A name as SQL has it (PostgreSQL documentation, §4.1.1). */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Text as SQL has it (§4.1.2); a backslash is one, with `standard_conforming_strings`, or is doubled in `E''`. */
export function literal(text: string): string {
  const quoted = text.replaceAll("'", "''");
  return quoted.includes("\\") ? `E'${quoted.replaceAll("\\", "\\\\")}'` : `'${quoted}'`;
}
