/**
 * What the methods of nano and PouchDB give, as dependencies.
 *
 * @module
 */
import type { Dependency } from "../http/dependency.ts";
import type { Found } from "./run.ts";

/** What a call of a tracked method gave. */
export interface Call {
  readonly args: readonly unknown[];
  /** What the method gave, in a promise or to its callback. */
  readonly result: unknown;
  /** The dependencies that stand for the set which was asked: for documents that may come to belong to it. */
  readonly set: () => Found;
}

/** Reads the dependencies off what a method gave; undefined: they cannot be known. */
export type Finder = (call: Call) => Found;

type Fields = Readonly<Record<string, unknown>>;

function fieldsOf(value: unknown): Fields {
  return typeof value === "object" && value !== null ? value as Fields : {};
}

/** A document as it was given; undefined where it is none. */
function documentOf(value: unknown): Dependency | undefined {
  const { _id, _rev } = fieldsOf(value);
  return typeof _id === "string" && typeof _rev === "string" ? { _id, _rev } : undefined;
}

const NO_SET: Found = [];

/** All of them, or undefined if one is unknown. */
function all(parts: readonly (Dependency | undefined)[], set: Found): Found {
  if (set === undefined || parts.includes(undefined)) return undefined;
  return [...parts as readonly Dependency[], ...set];
}

/** Options under which `get` gives something else than the document as it is now. */
const OTHER_REVISIONS = ["rev", "open_revs"];

/** A document by its id. */
const one: Finder = ({ args: [id, options], result }) => {
  // The id alone: another revision is not the one that the feed reports.
  if (options !== undefined && asksForOthers(fieldsOf(options))) return all([named(id)], NO_SET);
  const document = documentOf(result);
  return document === undefined ? undefined : [document];
};

function asksForOthers(options: Fields): boolean {
  return OTHER_REVISIONS.some((name) => options[name] !== undefined);
}

function named(id: unknown): string | undefined {
  return typeof id === "string" && id !== "" ? id : undefined;
}

/** `HEAD`: the fields of the answer. */
const head: Finder = ({ args: [id], result }) => {
  const rev = /^"([^"]+)"$/.exec(String(fieldsOf(result)["etag"]))?.[1];
  const _id = named(id);
  return all([_id === undefined || rev === undefined ? undefined : { _id, _rev: rev }], NO_SET);
};

/** What belongs to a document, such as an attachment. */
const partOfOne: Finder = ({ args: [id] }) => all([named(id)], NO_SET);

function rowsOf(result: unknown): readonly Fields[] | undefined {
  const { rows } = fieldsOf(result);
  return Array.isArray(rows) ? rows.map(fieldsOf) : undefined;
}

/** A row of `_all_docs`: the document, its revision, or that there is none. */
function listed(row: Fields): Dependency | undefined {
  const document = documentOf(row["doc"]);
  if (document !== undefined) return document;
  const [_id, { rev, deleted }] = [named(row["id"]), fieldsOf(row["value"])];
  if (_id === undefined || typeof rev !== "string" || deleted === true) return named(row["id"] ?? row["key"]);
  return { _id, _rev: rev };
}

/** `_all_docs`: what was asked for by keys, or a set. */
const list: Finder = ({ args: [options], result, set }) => {
  const rows = rowsOf(result);
  if (rows === undefined) return undefined;
  return all(rows.map(listed), Array.isArray(fieldsOf(options)["keys"]) ? NO_SET : set());
};

/** A view: the documents of its rows, as far as it names them, and the set. */
const view: Finder = ({ result, set }) => {
  const rows = rowsOf(result);
  if (rows === undefined) return undefined;
  const documents = rows.flatMap((row): Dependency[] => {
    const [id, document] = [named(row["id"]), documentOf(row["doc"])];
    if (document === undefined) return id === undefined ? [] : [id];
    // A row may be joined with the document of another.
    const isOwn = typeof document === "object" && document._id === id;
    return id === undefined || isOwn ? [document] : [document, id];
  });
  return all(documents, set());
};

/** `_find`. */
const find: Finder = ({ result, set }) => {
  const { docs } = fieldsOf(result);
  if (!Array.isArray(docs)) return undefined;
  // Without their ids, where `fields` leaves them out, the set stands for them.
  return all(docs.flatMap((doc) => documentOf(doc) ?? named(fieldsOf(doc)["_id"]) ?? []), set());
};

/** `_bulk_get`. */
const bulkGet: Finder = ({ result }) => {
  const { results } = fieldsOf(result);
  if (!Array.isArray(results)) return undefined;
  return all(
    results.flatMap((entry) => {
      const { id, docs } = fieldsOf(entry);
      if (!Array.isArray(docs)) return [undefined];
      return docs.map((doc) => documentOf(fieldsOf(doc)["ok"]) ?? named(id));
    }),
    NO_SET,
  );
};

/** Anything else of a database: whatever it says, the set stands for it. */
export const anything: Finder = ({ set }: Call): Found => set();

/** Methods that read one document, so that a 404 is about that one. */
export const ofOne: ReadonlySet<string> = new Set(["get", "head", "attachment.get", "getAttachment"]);

/** By the name of the method; `attachment.get` is `get` of `attachment`. */
export const finders: ReadonlyMap<string, Finder> = new Map([
  ["get", one],
  ["head", head],
  ["attachment.get", partOfOne],
  ["attachment.getAsStream", partOfOne],
  ["multipart.get", partOfOne],
  ["getAttachment", partOfOne],
  ["list", list],
  ["allDocs", list],
  ["fetch", list],
  ["view", view],
  ["partitionedView", view],
  ["partitionedList", (call) => list({ ...call, args: [undefined] })],
  ["query", view],
  ["find", find],
  ["partitionedFind", find],
  ["bulkGet", bulkGet],
]);

/** Methods that write, or tell of something else than documents: passed on. */
export const others: ReadonlySet<string> = new Set([
  ...[
    "insert",
    "destroy",
    "bulk",
    "copy",
    "atomic",
    "updateWithHandler",
    "createIndex",
    "compact",
    "viewCleanup",
  ],
  ...["attachment.insert", "attachment.destroy", "multipart.insert", "put", "post", "remove", "bulkDocs"],
  ...["putAttachment", "removeAttachment", "deleteIndex", "replicate", "sync", "close", "auth", "session"],
  ...[
    "on",
    "once",
    "off",
    "addListener",
    "removeListener",
    "removeAllListeners",
    "emit",
    "listeners",
    "then",
  ],
  ...[
    "setMaxListeners",
    "getMaxListeners",
    "listenerCount",
    "eventNames",
    "toString",
    "valueOf",
    "hasOwnProperty",
  ],
  ...["followUpdates", "follow", "changesReader", "replication", "security", "purge", "revsDiff"],
]);
