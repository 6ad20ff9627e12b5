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
  /**
   * Notes that the call asked a set, which documents may come to belong to: empty, because what stands for it is added to what
   * was found; undefined: nothing does.
   */
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

/**
 * Options that ask for more than the winning revision tells: other revisions, and conflicts, which come and go beside it. A
 * feed reports them by the id.
 */
const MORE = ["rev", "open_revs", "conflicts", "deleted_conflicts", "local_seq"];

/** Options that ask for what no feed reports: compaction takes old revisions away. */
const UNREPORTED = ["revs_info", "meta"];

/** Whether one of these options is among the arguments of a call. */
function asksFor(args: readonly unknown[], names: readonly string[]): boolean {
  for (const options of args) {
    if (typeof options !== "object" || options === null) continue;
    for (const name of names) {
      const given = (options as Fields)[name];
      if (given !== undefined && given !== false) return true;
    }
  }
  return false;
}

/** Whether the server may answer from an index that lags behind the feed, as a call allows it. */
export function mayLag(args: readonly unknown[]): boolean {
  if (asksFor(args, ["stale"])) return true;
  return args.some((options) => {
    const { update } = fieldsOf(options);
    return update === false || update === "false" || update === "lazy";
  });
}

/** Finds documents by their names alone where their revisions do not tell all that was asked for. */
function unlessMore(find: Finder): Finder {
  return (call) => {
    const { args } = call;
    const found = find(call);
    if (args.length === 1 && typeof args[0] === "string") return found;
    if (asksFor(args, UNREPORTED)) return undefined;
    if (!asksFor(args, MORE)) return found;
    return found?.map((one) => typeof one === "string" ? one : one._id);
  };
}

/** A document by its id; its open revisions are a list. */
const one: Finder = ({ args: [id], result }) =>
  all([Array.isArray(result) ? named(id) : documentOf(result)], NO_SET);

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
  const { rows, fields, columns } = fieldsOf(result);
  // Of a relational database, whose clients tell of the columns.
  if (fields !== undefined || columns !== undefined) return undefined;
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
    if (document === undefined) {
      // Joined with a document that does not exist, or not yet.
      const joined = row["doc"] === null ? named(fieldsOf(row["value"])["_id"]) : undefined;
      return [id, joined].filter((name) => name !== undefined);
    }
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

/** A show function: what it makes of one document. */
const show: Finder = ({ args: [, , id], set }) => all(typeof id === "string" ? [id] : [], set());

/** What no feed of a database reports. */
const unreported: Finder = () => undefined;

/** Anything else of a database: whatever it says, the set stands for it. */
export const anything: Finder = ({ set }: Call): Found => set();

/** Methods that read one document, so that a 404 is about that one. */
export const ofOne: ReadonlySet<string> = new Set(["get", "head", "attachment.get", "getAttachment"]);

/** By the name of the method; `attachment.get` is `get` of `attachment`. */
export const finders: ReadonlyMap<string, Finder> = new Map([
  ["get", unlessMore(one)],
  ["head", head],
  ["attachment.get", partOfOne],
  ["attachment.getAsStream", partOfOne],
  ["multipart.get", partOfOne],
  ["getAttachment", partOfOne],
  ["list", unlessMore(list)],
  ["allDocs", unlessMore(list)],
  ["fetch", unlessMore(list)],
  ["fetchRevs", list],
  ["show", show],
  ["view", unlessMore(view)],
  ["partitionedView", unlessMore(view)],
  ["partitionedList", (call) => list({ ...call, args: [undefined] })],
  ["query", unlessMore(view)],
  ["find", unlessMore(find)],
  ["partitionedFind", unlessMore(find)],
  ["bulkGet", unlessMore(bulkGet)],
  ["session", unreported],
  ["security", unreported],
  ["getSecurity", unreported],
]);

/** Methods by which clients of relational databases run statements. What these read is not known from what they give. */
export const statements: ReadonlySet<string> = new Set([
  ...["unsafe", "execute", "executeQuery", "executeMultiple", "exec", "prepare", "batch", "raw"],
  ...[
    "all",
    "run",
    "values",
    "iterate",
    "one",
    "many",
    "any",
    "oneOrNone",
    "manyOrNone",
    "queryArray",
    "queryObject",
  ],
  ...[
    "connect",
    "begin",
    "transaction",
    "reserve",
    "select",
    "selectFrom",
    "selectDistinct",
    "with",
    "from",
    "table",
  ],
  ...["$queryRaw", "$queryRawUnsafe"],
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
    "prependListener",
    "prependOnceListener",
  ],
  ...["attachment.insert", "attachment.destroy", "multipart.insert", "put", "post", "remove", "bulkDocs"],
  ...["putAttachment", "removeAttachment", "deleteIndex", "replicate", "sync", "close", "auth"],
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
  ...["followUpdates", "follow", "purge"],
  ...["replicate.to", "replicate.from", "replication.enable", "replication.disable"],
]);
