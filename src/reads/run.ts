/**
 * What one run of a handler reads.
 *
 * @module
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { isResponse } from "../handler/responses.ts";
import { readWithin } from "./body.ts";
import { type Dependency, DEPENDS_ON, dependsOn, guard, isGuard, undeclarable } from "../http/dependency.ts";

/** What a read gave: dependencies, or that it cannot be followed to any. */
export type Found = readonly Dependency[] | undefined;

/** As what the reads of a stretch of code count. */
export type Role = "source" | "guard" | "nothing";

/** Where a read belongs: a run, and as what. */
export interface Place {
  readonly reads: Reads;
  readonly role: Role;
}

const storage: AsyncLocalStorage<Place> = new AsyncLocalStorage();

/** How many reads belonged to no response, since the process began. */
const counters = { outside: 0, late: 0 };

/** The place of what is running now; undefined: no handler of a request. */
export function currentPlace(): Place | undefined {
  return storage.getStore();
}

/** Adds what a read gave to its place, or counts it where there is none. */
export function note(place: Place | undefined, found: Found): void {
  if (place === undefined) counters.outside++;
  else place.reads.note(found, place.role);
}

/**
 * What has been read for one response: by the tracked handles that its handler used, or by those that it was given
 * explicitly.
 *
 * With {@linkcode reads} each run has one, and nothing has to be passed. Where no asynchronous context follows the work (a
 * GraphQL resolver that is called from elsewhere, a runtime without `AsyncLocalStorage`), make one for a response, give
 * it to `tracked`, and spread {@linkcode Reads.declaration} into the headers.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Reads, tracked } from "@stillfresh/etag/reads";
 *
 * const blog = { get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a" }) };
 * const reads = new Reads();
 * await tracked(blog, { reads }).get("post-1");
 * assert.deepEqual(reads.dependencies, [{ _id: "post-1", _rev: "1-a" }]);
 * new Response("page", { headers: { ...reads.declaration() } });
 * ```
 */
export class Reads {
  /** In the order of the reads; a document that is read twice is there twice. */
  #found: Dependency[] = [];
  #isUnknown = false;
  #onLate: (() => void) | undefined;

  /** What has been read so far. */
  get dependencies(): readonly Dependency[] {
    const spelled = (one: Dependency) =>
      typeof one === "string" ? one : `${one._id} ${one._rev ?? ""} ${isGuard(one)}`;
    return [...new Map(this.#found.map((one) => [spelled(one), one])).values()];
  }

  /** Whether something was read that cannot be followed to documents or groups: then the response is not registered. */
  get isUnknown(): boolean {
    return this.#isUnknown;
  }

  /** Adds what a read gave. */
  note(found: Found, role: Role = "source"): void {
    if (role === "nothing") return;
    if (this.#onLate !== undefined) {
      counters.late++;
      this.#onLate();
    } else if (found === undefined) {
      this.#isUnknown = true;
    } else {
      for (const dependency of found) this.#found.push(role === "guard" ? guard(dependency) : dependency);
    }
  }

  /** Runs a task whose tracked reads belong here, and those of whatever it starts. */
  run<T>(task: () => T): T {
    return storage.run({ reads: this, role: "source" }, task);
  }

  /** Runs a handler, and takes over its body: what that reads while it is sent belongs here too. `withEtag` calls this. */
  runHandler(handler: () => unknown): unknown {
    const within = <T>(task: () => T): T => this.run(task);
    const result = within(handler);
    if (isResponse(result)) return this.#mayStand(result) ? readWithin(result, within) : result;
    if (typeof (result as PromiseLike<unknown> | undefined)?.then !== "function") return result;
    return Promise.resolve(result).then((response) =>
      isResponse(response) && this.#mayStand(response) ? readWithin(response, within) : response
    );
  }

  /** Whether a response may be registered, so that all that it is built from has to be known. */
  #mayStand({ status, headers }: Response): boolean {
    return status === 200 &&
      (this.#found.length > 0 || headers.has(DEPENDS_ON) || headers.has("cache-groups"));
  }

  /** What has been read, as a record to spread into the headers of the response. */
  declaration(): Record<string, string> {
    if (this.#isUnknown) return undeclarable();
    try {
      return dependsOn(...this.#found);
    } catch {
      // A name that no feed can report, such as that of a local document.
      return undeclarable();
    }
  }

  /**
   * Ends it: the response is made. `withEtag` calls this.
   *
   * @param onLate Called for each later read: the response may go on being built from it.
   * @returns What has been read, as a field; null: nothing.
   */
  close(onLate: () => void): string | null {
    this.#onLate = onLate;
    return this.declaration()[DEPENDS_ON] ?? null;
  }

  /** Begins anew, for another run of the same handler. */
  reopen(): void {
    this.#onLate = undefined;
    this.#found = [];
    this.#isUnknown = false;
  }
}

/** Runs a task whose reads count as something else than those around it. */
function runAs<T>(role: Role, task: () => T): T {
  const place = storage.getStore();
  return place === undefined ? task() : storage.run({ reads: place.reads, role }, () => settledHere(task()));
}

/** Awaits a promise here, so that to await it elsewhere is no further read. */
function settledHere<T>(result: T): T {
  const { then } = (result ?? {}) as { readonly then?: unknown };
  if (typeof then !== "function") return result;
  return new Promise((resolve, reject) => Reflect.apply(then, result, [resolve, reject])) as T;
}

/**
 * Runs a task whose tracked reads are no sources of the response: what is read for a log, or to be written back.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Reads, tracked, untracked } from "@stillfresh/etag/reads";
 *
 * const blog = tracked({ get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a" }) });
 * const reads = new Reads();
 * await reads.run(() => untracked(() => blog.get("visits")));
 * assert.deepEqual(reads.dependencies, []);
 * ```
 *
 * @param task What reads; the promise that it returns included.
 * @returns What the task returns.
 */
export function untracked<T>(task: () => T): T {
  return runAs("nothing", task);
}

/**
 * Runs a task whose tracked reads decide who may see the response: its dependencies are guards, which void the entry and are
 * no part of its tag.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { guarding, Reads, tracked } from "@stillfresh/etag/reads";
 *
 * const sessions = tracked({ get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a" }) });
 * const reads = new Reads();
 * await reads.run(() => guarding(() => sessions.get("session-1")));
 * assert.deepEqual(reads.dependencies.map((dependency) => typeof dependency), ["object"]);
 * ```
 *
 * @param task What reads; the promise that it returns included.
 * @returns What the task returns.
 */
export function guarding<T>(task: () => T): T {
  return runAs("guard", task);
}

/**
 * Adds dependencies to the response that is being built: of what was read without a tracked handle, such as a document that
 * a loader gives which several requests share.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { declare, Reads } from "@stillfresh/etag/reads";
 *
 * const reads = new Reads();
 * reads.run(() => declare({ _id: "post-1", _rev: "1-a" }, "all posts"));
 * assert.deepEqual(reads.dependencies, [{ _id: "post-1", _rev: "1-a" }, "all posts"]);
 * ```
 *
 * @param dependencies As `dependsOn` takes them.
 */
export function declare(...dependencies: Dependency[]): void {
  note(storage.getStore(), dependencies);
}

/**
 * For the option `reads` of `withEtag`: whatever tracked handles give while a handler runs is a dependency of its response.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withEtag } from "@stillfresh/etag";
 * import { reads, tracked } from "@stillfresh/etag/reads";
 *
 * const blog = tracked({ get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a", title: "Fresh" }) });
 * const handler = withEtag(async () => Response.json(await blog.get("post-1")), { reads, manual: true });
 * const etag = (await handler(new Request("http://localhost/"))).headers.get("etag")!;
 *
 * assert.equal(handler.registry.hasTag(etag), true);
 * handler.registry.invalidate("post-1");
 * assert.equal(handler.registry.hasTag(etag), false);
 * ```
 *
 * @returns The reads of one run.
 */
export function reads(): Reads {
  return new Reads();
}

/**
 * How many tracked reads belonged to no response since the process began: made outside of any handler, or after the
 * response.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { strayReads } from "@stillfresh/etag/reads";
 *
 * assert.deepEqual(Object.keys(strayReads()), ["outside", "late"]);
 * ```
 */
export function strayReads(): { readonly outside: number; readonly late: number } {
  return { ...counters };
}
