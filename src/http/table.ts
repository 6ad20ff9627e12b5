/**
 * Tables of a relational database as dependencies.
 *
 * @module
 */
import { type DeclaredDependency, REPORTED } from "./dependency.ts";

/** What a table's name must not hold, because ids are put together with it. */
const ILLEGAL_NAME = /[/?]|^$/;

/**
 * Every row of a table, whatever was read of them. Only while a feed reports the table, what depends on it is registered.
 *
 * @throws {TypeError} If the name is empty or holds `/` or `?`.
 */
export function wholeTable(table: string): DeclaredDependency {
  requireTable(table, "tracked");
  return { _id: table, [REPORTED]: table };
}

/** @param door The function that was given the name. */
export function requireTable(table: unknown, door: string): asserts table is string {
  if (typeof table === "string" && !ILLEGAL_NAME.test(table)) return;
  throw new TypeError(
    `${door}() takes the name of a table, without / and ?, not ${JSON.stringify(table) ?? String(table)}`,
  );
}
