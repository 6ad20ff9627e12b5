/**
 * Names of tables and columns, and how SQL quotes names and text.
 *
 * @module
 */

/**
 * Reads a table's name. It is of the database that the client is connected to.
 *
 * @throws {TypeError} If it is empty, or holds `.`, `/`, `?` or a NUL: the groups of its rows are put together with two of
 * them, and a table of another database cannot be followed with this one.
 */
export function tableName(name: unknown): string {
  if (typeof name === "string" && name !== "" && !/[./?\0]/.test(name)) return name;
  throw new TypeError(
    `A table's name is text without a dot, / and ?, of the database that the client is connected to, not ${
      JSON.stringify(name) ?? String(name)
    }`,
  );
}

/** A name as SQL has it (MariaDB documentation, "Identifier Names"). */
export function identifier(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/**
 * Text as SQL has it. Where a backslash escapes is a setting of the session, so text with one is written as bytes.
 */
export function literal(text: string): string {
  if (!text.includes("\\")) return `'${text.replaceAll("'", "''")}'`;
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0"));
  return `convert(x'${bytes.join("")}' using utf8mb4)`;
}

/** The value of an expression as text, which is the same to no other text. */
export function text(expression: string): string {
  return `convert(${expression} using utf8mb4) collate utf8mb4_bin`;
}
