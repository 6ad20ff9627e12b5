/**
 * Rows of a relational database as dependencies. A table keeps no revisions, so a row's revision is a digest of what the
 * handler has read of it: no column has to be added, it survives a restore and a failover, and a write that changes
 * nothing that was read changes no tag.
 *
 * @module
 */
import { type DeclaredDependency, REPORTED } from "./dependency.ts";
import { base64url, sha256 } from "./sha256.ts";
import { requireTable } from "./table.ts";

/** Characters of a digest: 132 bits. */
const DIGEST_LENGTH = 22;

/** A row as a client gives it. */
export type Row = Readonly<Record<string, unknown>> | object;

/** How a list was selected. */
export interface RowsOptions {
  /** The column or columns of the primary key; default `"id"`. */
  readonly key?: string | readonly string[];
  /**
   * The column by which all rows of the list were selected, such as `"author_id"`: they have one value of it. The list is
   * then void when a row of that value changes, comes or goes, and not at each change of the table. The migration has to
   * name the column among the table's `groups`. An empty list shows no value, so it depends on the whole table. Default:
   * every change of the table voids the list.
   */
  readonly by?: string;
}

/**
 * A row as a dependency: its table and key, at the digest of what was read.
 *
 * Give it the row as the client returned it, before anything is computed from it. A selection of some columns has a
 * digest of those: its tag changes when one of them does, while the response is void at each change of the row.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, row } from "@stillfresh/etag";
 *
 * const post = { id: 7, title: "Fresh", at: new Date(0) };
 * const { _id, _rev } = row("posts", post);
 * assert.equal(_id, "posts/7");
 * assert.notEqual(_rev, row("posts", { ...post, title: "Stale" })._rev);
 * const headers = dependsOn(row("posts", post));
 * assert.equal(Object.keys(headers).length, 2);
 * ```
 *
 * @param table The table's name, as it is given to the migration and the feed.
 * @param record The row, with the columns of its key.
 * @param key The column or columns of the primary key; default `"id"`.
 * @returns A dependency. It is registered only while a feed reports the table.
 * @throws {TypeError} If the name is empty or holds `/` or `?`, the row has no value of the key, or a value's content
 * cannot be known, such as that of a function.
 */
export function row(table: string, record: Row, key: string | readonly string[] = "id"): RowDependency {
  requireTable(table, "row");
  return reportedBy(table, rowId(table, record, key), digestOf(record));
}

/** What {@linkcode row} gives. */
export interface RowDependency {
  /** `posts/7`: the table, and the key's values. */
  readonly _id: string;
  /** A digest of what was read. */
  readonly _rev: string;
}

/** With the name that a feed has to report. */
function reportedBy(source: string, _id: string, _rev: string): RowDependency {
  const dependency: DeclaredDependency & RowDependency = { _id, _rev, [REPORTED]: source };
  return dependency;
}

/**
 * A list of rows as dependencies: the table, and each row. The response is void when a row of the list changes, and when
 * one comes or goes.
 *
 * Where one response holds two lists of a table, give both in one call, or tell them apart by `by`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { dependsOn, rows } from "@stillfresh/etag";
 *
 * const posts = [{ id: 7, author: 5 }, { id: 9, author: 5 }];
 * assert.deepEqual(rows("posts", posts).map(({ _id }) => _id), ["posts", "posts/7", "posts/9"]);
 * assert.equal(rows("posts", posts, { by: "author" })[0]._id, "posts?author=5");
 * assert.equal(Object.keys(dependsOn(...rows("posts", []))).length, 2);
 * ```
 *
 * @param table The table's name, as it is given to the migration and the feed.
 * @param list The rows, in the order in which the response shows them.
 * @param options The key's columns, and the column by which the list was selected.
 * @returns The dependencies, that on the list first.
 * @throws {TypeError} As {@linkcode row}; if `list` is no array, or its rows have no value, or several, of the column `by`.
 */
export function rows(
  table: string,
  list: readonly Row[],
  { key = "id", by }: RowsOptions = {},
): [RowDependency, ...RowDependency[]] {
  requireTable(table, "rows");
  if (!Array.isArray(list)) throw new TypeError(`rows() takes a list of rows, not ${typeof list}`);
  const found = list.map((record) => row(table, record, key));
  const [source, group] = selection(table, list, by);
  const digest = digestOf(found.map(({ _id, _rev }) => [_id, _rev]));
  return [reportedBy(source, group, digest), ...found];
}

/**
 * The name that a feed has to report, and the group of the list. The value is that of the rows, as the database spells it:
 * one that was put into the query, such as `05`, may select the same rows under a name that no change carries.
 */
function selection(
  table: string,
  list: readonly Row[],
  by: string | undefined,
): [source: string, group: string] {
  if (by === undefined || list.length === 0) return [table, table];
  const source = `${table}?${by}`;
  const values = new Set(list.map((record) => groupValue(record as Record<string, unknown>, by)));
  if (values.size > 1) {
    throw new TypeError(
      `The rows have ${values.size} values of ${JSON.stringify(by)}, and a list by it has one`,
    );
  }
  return [source, source + [...values][0]];
}

function groupValue(record: Readonly<Record<string, unknown>>, column: string): string {
  return record[column] === null ? "" : `=${keyPart(record[column], column)}`;
}

function rowId(table: string, record: unknown, key: string | readonly string[]): string {
  const columns = typeof key === "string" ? [key] : key;
  if (typeof record !== "object" || record === null) {
    throw new TypeError(
      `row() takes a row of the table ${JSON.stringify(table)}, not ${
        record === null ? "null" : typeof record
      }: was it found?`,
    );
  }
  const parts = columns.map((column) => keyPart((record as Record<string, unknown>)[column], column));
  // Behind the accessors of a class may be private fields, so that every content would have the digest of nothing.
  const hidden = columns.find((column) => !Object.prototype.propertyIsEnumerable.call(record, column));
  if (hidden !== undefined && typeof (record as { readonly toJSON?: unknown }).toJSON !== "function") {
    throw new TypeError(
      `row() cannot know what the row holds: its column ${
        JSON.stringify(hidden)
      } is no property of its own; give it the row as the client returned it`,
    );
  }
  return `${table}/${parts.join("/")}`;
}

/** A value of a key, spelled as the migration's triggers spell it. */
function keyPart(value: unknown, column: string): string {
  switch (typeof value) {
    case "string":
      return value.replace(/[%/]/g, (separator) => separator === "%" ? "%25" : "%2F");
    case "bigint":
    case "boolean":
      return String(value);
    case "number":
      if (Number.isSafeInteger(value)) return String(value);
      break;
  }
  const what = value === undefined ? "no value" : `a value of type ${value === null ? "null" : typeof value}`;
  throw new TypeError(
    `The row has ${what} in its column ${
      JSON.stringify(column)
    }: select it as text, a whole number or a boolean`,
  );
}

/** Of everything that a row holds, values and names, so that no two contents have one digest. */
function digestOf(value: object): string {
  return base64url(sha256(isJson(value) ? JSON.stringify(value) : spell(value, [])), DIGEST_LENGTH);
}

/**
 * Whether a value is one that JSON tells apart from every other, as most rows are. Then `JSON.stringify` spells it as
 * {@linkcode spell} does, in a fraction of the time.
 */
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      return value === null || isJsonObject(value);
    default:
      return false;
  }
}

function isJsonObject(value: object): boolean {
  if (typeof (value as { readonly toJSON?: unknown }).toJSON === "function") return false;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) if (!isJson(value[index])) return false;
    return true;
  }
  if (!isPlain(value) || typeof (value as { readonly toPostgres?: unknown }).toPostgres === "function") {
    return false;
  }
  for (const name in value) if (!isJson((value as Record<string, unknown>)[name])) return false;
  return true;
}

/** Whether an object is of no class, also one of another realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/**
 * Spells a value so that different values are spelled differently, which JSON does not.
 *
 * @param path The names of the columns and members that lead to it.
 */
function spell(value: unknown, path: readonly string[]): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return `${value}n`;
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : spellObject(value, path);
    default:
      throw new TypeError(
        `row() cannot know the content of ${path.join(".") || "the row"}: it is a ${typeof value}`,
      );
  }
}

function spellObject(value: object, path: readonly string[]): string {
  if (value instanceof Date) return `date ${+value}`;
  // Of libSQL.
  if (value instanceof ArrayBuffer) return `Uint8Array ${spellBytes(new Uint8Array(value))}`;
  if (ArrayBuffer.isView(value)) {
    // The same bytes are other numbers in another type; a Buffer is a Uint8Array.
    const type = (value as unknown as { readonly [Symbol.toStringTag]: string })[Symbol.toStringTag];
    return `${type} ${spellBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))}`;
  }
  if (Array.isArray(value)) {
    // `map` would pass over holes.
    return `[${Array.from(value, (item, index) => spell(item, [...path, String(index)])).join()}]`;
  }
  const { toJSON, toPostgres } = value as { readonly toJSON?: unknown; readonly toPostgres?: unknown };
  if (typeof toJSON === "function") return `json ${spell(toJSON.call(value), path)}`;
  // The intervals and points of node-postgres.
  if (typeof toPostgres === "function") return `postgres ${spell(toPostgres.call(value, String), path)}`;
  // A row itself may be an object of a class, as mappers make them; what is in it is of the database.
  if (path.length > 0 && !isPlain(value)) {
    throw new TypeError(
      `row() cannot know the content of ${path.join(".")}: it is a ${
        Object.getPrototypeOf(value).constructor?.name ?? "value of its own class"
      }; convert it to plain values`,
    );
  }
  let members = "";
  for (const [name, item] of Object.entries(value)) {
    // Of a row with a date, the other columns are JSON all the same.
    const spelled = path.length === 0 && isJson(item) ? JSON.stringify(item) : spell(item, [...path, name]);
    members += `${members === "" ? "" : ","}${JSON.stringify(name)}:${spelled}`;
  }
  return `{${members}}`;
}

/** Arguments of a call, of which engines take only so many. */
const MOST_ARGUMENTS = 4_096;

/** A character for each byte; their number says where they end, whatever they are. */
function spellBytes(bytes: Uint8Array): string {
  let text = `bytes ${bytes.length} `;
  for (let at = 0; at < bytes.length; at += MOST_ARGUMENTS) {
    const some: ArrayLike<number> = bytes.subarray(at, at + MOST_ARGUMENTS);
    // A spread takes each of them out of an iterator.
    text += String.fromCharCode.apply(undefined, some as number[]);
  }
  return text;
}
