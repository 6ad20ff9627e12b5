/**
 * Handles of databases whose reads declare themselves.
 *
 * @module
 */
import type { Dependency } from "../http/dependency.ts";
import { type Group, group } from "../registry/group.ts";
import { wholeTable } from "../http/table.ts";
import { anything, finders, mayLag, ofOne, others, statements } from "./found.ts";
import { currentPlace, type Found, note, type Place, type Reads } from "./run.ts";

/** How the reads of a handle are followed to dependencies. */
export interface TrackedOptions {
  /**
   * What stands for a set of documents: for a list, a view, a search, and for any read that names no documents. It is given
   * the name of the method and its arguments; default: {@linkcode anyChange}. Undefined: nothing does, so that the response
   * is not registered (`read-unknown`).
   */
  readonly set?: (
    method: string,
    ...args: readonly unknown[]
  ) => Dependency | readonly Dependency[] | undefined;
  /**
   * For a client of a relational database: the tables that statements may read, by the names that the feed reports. Each call
   * of the handle then depends on all of them: which of them a statement reads cannot be told from its rows. Name what a
   * view or a function reads as well. Without it, `set` and `methods`, a statement counts as a read of what is unknown.
   */
  readonly tables?: readonly string[];
  /** Where the reads belong; default: to the run of the handler that is under way. */
  readonly reads?: Reads;
  /**
   * The group of a document, as the follower's feed names it where it was mapped; default: the id. What `set` and `methods`
   * give is taken as it is named.
   */
  readonly id?: (id: string) => string;
  /**
   * Methods of another kind of handle, by name: what a call depends on, by what it gave. Undefined: it cannot be known.
   * A method of a part is named with it: `posts.get`. All methods that are not named count as reads of a set.
   */
  readonly methods?: Readonly<
    Record<
      string,
      (result: unknown, ...args: readonly unknown[]) => Dependency | readonly Dependency[] | undefined
    >
  >;
}

/**
 * The group that each change of a followed database touches. It stands for a set of documents where nothing narrower was
 * named. Give it to `follow`, in `groups`: a response that depends on it is not registered otherwise.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { anyChange } from "@stillfresh/etag/reads";
 *
 * assert.equal(anyChange._id, "any change");
 * assert.equal(anyChange.matches({ id: "post-1" }), true);
 * ```
 */
export const anyChange: Group = /* @__PURE__ */ group("any change", () => true);

/** A read that is under way or done, and the places that wait for it. */
class Read {
  /** Where it was begun. */
  readonly #place: Place | undefined;
  /** Where else it is awaited. */
  #others: Set<Place> | undefined;
  readonly #isShared: boolean;
  #found: Found;
  #isDone = false;

  /** @param reads Where it belongs; undefined: wherever it is awaited. */
  constructor(reads: Reads | undefined) {
    this.#isShared = reads === undefined;
    this.#place = reads === undefined ? currentPlace() : { reads, role: "source" };
  }

  /** Notes that what runs now is given what was read. */
  join(): void {
    if (!this.#isShared) return;
    const place = currentPlace();
    if (place === undefined || place === this.#place || this.#others?.has(place)) return;
    this.#others ??= new Set();
    this.#others.add(place);
    if (this.#isDone) note(place, this.#found);
  }

  settle(found: Found): void {
    this.#found = found;
    this.#isDone = true;
    note(this.#place, found);
    if (this.#others !== undefined) { for (const place of this.#others) note(place, found); }
  }
}

/**
 * What a tracked method returns. It may be shared: whichever request awaits it has read what it gives, also one that began
 * long after.
 */
class ReadPromise<T> extends Promise<T> {
  #read: Read | undefined;

  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  /**
   * @param settle What was read, of the value.
   * @param fail The same, of the error.
   * @param shown What is given in place of the value.
   */
  static of<T>(
    promise: PromiseLike<T>,
    read: Read,
    settle: (value: T) => void,
    fail: (error: unknown) => void,
    shown: (value: T) => T,
  ): ReadPromise<T> {
    const made = new ReadPromise<T>((resolve, reject) =>
      void promise.then((value) => {
        settle(value);
        resolve(shown(value));
      }, (error) => {
        fail(error);
        reject(error);
      })
    );
    made.#read = read;
    return made;
  }

  override then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    this.#read?.join();
    return super.then(onFulfilled, onRejected);
  }
}

/**
 * Wraps a handle of a database, such as `nano.use("blog")` or a PouchDB: whatever it gives while a handler runs becomes a
 * dependency of that handler's response, with its revision. Layouts, helpers and loaders compose without passing anything.
 *
 * A document that was read is a dependency at its revision, one that does not exist by its name. A list, a view or a search
 * also depends on documents that may come to belong to it: on {@linkcode anyChange}, or on what the option `set` names. A
 * read that fails for another reason than a 404 leaves the response unregistered.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { anyChange, Reads, tracked } from "@stillfresh/etag/reads";
 *
 * // As `nano("http://localhost:5984").use("blog")` gives it.
 * const blog = tracked({
 *   get: (id: string) => Promise.resolve({ _id: id, _rev: "2-b", title: "Fresh" }),
 *   list: () => Promise.resolve({ rows: [{ id: "post-1", value: { rev: "2-b" } }] }),
 * });
 *
 * const reads = new Reads();
 * await reads.run(async () => {
 *   await blog.get("post-1");
 *   await blog.list();
 * });
 * assert.deepEqual(reads.dependencies, [{ _id: "post-1", _rev: "2-b" }, anyChange]);
 * ```
 *
 * @param handle Of nano or PouchDB, or any object with `methods`.
 * @param options What stands for sets, how ids are named.
 * @returns A handle of the same type. Writes and events are passed on.
 * @throws {TypeError} If this is no object, or `tables` holds what is no name of a table.
 */
export function tracked<T extends object>(handle: T, options: TrackedOptions = {}): T {
  if (typeof handle !== "object" && typeof handle !== "function" || handle === null) {
    throw new TypeError(`tracked() takes a handle of a database, not ${String(handle)}`);
  }
  if (options.tables?.length === 0) {
    throw new TypeError("tracked() takes at least one table, and was given none");
  }
  options.tables?.forEach(wholeTable);
  return trackedPart(handle, options, "");
}

/** Parts behind which anything of the server can be read. */
const DOORS: ReadonlySet<PropertyKey> = new Set(["server"]);

/** Parts that hold settings. */
const SETTINGS: ReadonlySet<PropertyKey> = new Set(["config"]);

/** Methods that give a handle of a database. */
const GIVE_HANDLES: ReadonlySet<string> = new Set(["use", "scope", "db.use", "db.scope"]);

/** Methods of relational clients that give a statement or a connection, which may be kept for other requests. */
const GIVE_RUNNERS: ReadonlySet<string> = new Set([
  "prepare",
  "connect",
  "reserve",
  "acquire",
  "getConnection",
]);

/** Whether a call gave what runs statements later, and no rows: `query` of `bun:sqlite` gives a statement too. */
function isRunner(name: string, result: unknown): result is object {
  if (typeof result === "function") return true;
  if (!isPart(result)) return false;
  return GIVE_RUNNERS.has(name) ||
    name === "query" && typeof (result as { readonly all?: unknown }).all === "function";
}

/** A part of a handle, whose methods are named with a prefix: `get` of `attachment` is `attachment.get`. */
function trackedPart<T extends object>(handle: T, options: TrackedOptions, prefix: string): T {
  const made = new Map<PropertyKey, { readonly from: unknown; readonly to: unknown }>();
  // What is frozen cannot be seen differently through a proxy of its own.
  const target = typeof handle === "function" || Object.isExtensible(handle) ? handle : Object.create(handle);
  const proxy: T = new Proxy(target, {
    get(_target, name) {
      // By the handle itself: its getters and methods may have private fields.
      const value: unknown = Reflect.get(handle, name, handle);
      if (name === "constructor") return value;
      const known = made.get(name);
      if (known !== undefined && known.from === value) return known.to;
      if (DOORS.has(name)) noteDoor(options);
      let to = value;
      const path = `${prefix}${String(name)}`;
      if (typeof value === "function") {
        to = trackedMethod(handle, value, path, options, () => proxy);
      } else if (isPart(value) && !DOORS.has(name) && !SETTINGS.has(name)) {
        to = trackedPart(value, options, `${path}.`);
      }
      if (to !== value) made.set(name, { from: value, to });
      return to;
    },
    set: (_target, name, value) => Reflect.set(handle, name, value, handle),
    apply(_target, self, args) {
      noteDoor(options);
      return Reflect.apply(handle as unknown as () => unknown, self, args);
    },
  });
  return proxy;
}

/** Whether a value may have methods that read. */
function isPart(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whatever is read there cannot be seen from here. */
function noteDoor({ reads, tables }: TrackedOptions): void {
  const found = tables?.map(wholeTable);
  if (reads !== undefined) return reads.note(found);
  const place = currentPlace();
  if (place !== undefined) note(place, found);
}

/**
 * A method whose calls are reads.
 *
 * @param self The tracked handle: what a method returns for the next call is not to show a way around it.
 */
function trackedMethod(
  target: object,
  // deno-lint-ignore ban-types -- any method of a client
  method: Function,
  name: string,
  options: TrackedOptions,
  self: () => object,
): (...args: unknown[]) => unknown {
  const own = options.methods?.[name];
  const shown = (result: unknown) => {
    if (result === target) return self();
    return options.tables !== undefined && isRunner(name, result) ? trackedPart(result, options, "") : result;
  };
  // A relational client may give by such a name what it has read, such as the rows of `insert … returning`.
  if (own === undefined && options.tables === undefined && others.has(name)) {
    return (...args) => shown(Reflect.apply(method, target, args));
  }
  if (own === undefined && GIVE_HANDLES.has(name)) {
    return (...args) => {
      const given: unknown = Reflect.apply(method, target, args);
      return isPart(given) ? trackedPart(given, options, "") : given;
    };
  }
  return (...args: unknown[]): unknown => {
    const read = new Read(options.reads);
    const settle = (result: unknown) => read.settle(foundBy(name, args, result, options));
    const fail = (error: unknown) => read.settle(foundMissing(name, args, error, options));
    const callback = args.at(-1);
    // The only argument of `query` is a map function.
    const isMap = name === "query" && args.length === 1;
    if (typeof callback === "function" && finders.has(name) && !isMap) {
      args.pop();
      const given = (error: unknown, ...results: unknown[]): unknown => {
        if (error) fail(error);
        else settle(results[0]);
        return Reflect.apply(callback, undefined, [error, ...results]);
      };
      return Reflect.apply(method, target, [...args, given]);
    }
    let result: unknown;
    try {
      result = Reflect.apply(method, target, args);
    } catch (error) {
      fail(error);
      throw error;
    }
    if (!isThenable(result)) {
      settle(result);
      return shown(result);
    }
    return isEmitter(result)
      ? joined(result, read, settle, fail)
      : ReadPromise.of(result, read, settle, fail, shown);
  };
}

/** What PouchDB's `changes` gives: it can be awaited, and tells of each row before. */
interface Emitter extends PromiseLike<unknown> {
  readonly on: unknown;
}

function isEmitter(result: PromiseLike<unknown>): result is Emitter {
  return typeof (result as Partial<Emitter>).on === "function";
}

/** The same emitter. It has been read as soon as it is there, and again by whatever awaits it. */
function joined(
  emitter: Emitter,
  read: Read,
  settle: (value: unknown) => void,
  fail: (error: unknown) => void,
): Emitter {
  const { then } = emitter;
  settle(undefined);
  const joining: Emitter["then"] = (onFulfilled, onRejected) => {
    read.join();
    const rejected = onRejected && ((error: unknown) => {
      fail(error);
      return onRejected(error);
    });
    return Reflect.apply(then, emitter, [onFulfilled, rejected]);
  };
  return Object.assign(emitter, { then: joining });
}

/** What a call gave: documents by the names that the feed has for them, and what stands for the set as it was named. */
function foundBy(
  name: string,
  args: readonly unknown[],
  result: unknown,
  options: TrackedOptions,
): Found {
  const own = options.methods?.[name];
  const find = finders.get(name) ?? anything;
  let standing: Found = [];
  const set = () => {
    standing = setOf(name, args, options);
    return standing && [];
  };
  try {
    if (own !== undefined) return listOf(own(result, ...args));
    if (options.tables !== undefined) return options.tables.map(wholeTable);
    if (options.set === undefined && options.methods === undefined && statements.has(name)) return undefined;
    const documents = renamed(find({ args, result, set }), options);
    return documents && standing && [...documents, ...standing];
  } catch {
    return undefined;
  }
}

/** What a call that failed depends on: on a document that does not exist, or on nothing that could be named. */
function foundMissing(
  name: string,
  args: readonly unknown[],
  error: unknown,
  options: TrackedOptions,
): Found {
  const { statusCode, status } = (error ?? {}) as {
    readonly statusCode?: unknown;
    readonly status?: unknown;
  };
  const [id] = args;
  const isMissing = (statusCode ?? status) === 404 && ofOne.has(name) && typeof id === "string";
  return isMissing ? renamed([id], options) : undefined;
}

function setOf(name: string, args: readonly unknown[], { set }: TrackedOptions): Found {
  // Nothing would void what the index has yet to learn, because the feed has told it already.
  if (mayLag(args)) return undefined;
  return set === undefined ? [anyChange] : listOf(set(name, ...args));
}

function listOf(given: Dependency | readonly Dependency[] | undefined): Found {
  return given === undefined || Array.isArray(given) ? given as Found : [given as Dependency];
}

/** Documents by the names that the feed has for them. */
function renamed(documents: Found, { id }: TrackedOptions): Found {
  if (id === undefined || documents === undefined) return documents;
  return documents.map((one) => typeof one === "string" ? id(one) : { ...one, _id: id(one._id) });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as PromiseLike<unknown>).then === "function";
}
