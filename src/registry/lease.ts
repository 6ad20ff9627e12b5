/**
 * Leases: at which change a handler's run began.
 *
 * @module
 */
import type { Instant } from "../changes/clock.ts";

/** Taken before a handler runs, and used once: by `register()`, or given back by `release()`. */
export interface Lease {
  /** The resource. */
  readonly key: string;
  /** The caller, where the answer depends on it; one that has to be looked up is named before the lease is used. */
  caller: string | undefined;
  /** Gives the lease back: nothing will be registered. Harmless when repeated. */
  release(): void;
}

/** A lease, and its place among those that are open. */
export class OpenLease implements Lease {
  readonly key: string;
  caller: string | undefined;
  /** How many changes there had been when it was taken. */
  readonly sequence: number;
  /** When it was taken; read only where a `replicaLag` is in force. */
  readonly at: Instant | undefined;
  readonly #issuer: { close(lease: Lease): void };
  older: OpenLease | undefined = undefined;
  newer: OpenLease | undefined = undefined;
  /** The generation of {@linkcode OpenLeases} that it is open in; undefined once it is closed. */
  generation: object | undefined = undefined;

  /** @param issuer What closes it. */
  constructor(
    issuer: { close(lease: Lease): void },
    key: string,
    caller: string | undefined,
    sequence: number,
    at: Instant | undefined,
  ) {
    this.#issuer = issuer;
    this.key = key;
    this.caller = caller;
    this.sequence = sequence;
    this.at = at;
  }

  release(): void {
    this.#issuer.close(this);
  }
}

/** The open leases, oldest first. A linked list: a Set takes three times as long to enter and leave. */
export class OpenLeases {
  #oldest: OpenLease | undefined;
  #newest: OpenLease | undefined;
  #size = 0;
  #generation = {};

  /** How many are open. */
  get size(): number {
    return this.#size;
  }

  /** The oldest one. */
  get oldest(): OpenLease | undefined {
    return this.#oldest;
  }

  /** Whether a lease is open here. */
  has({ generation }: OpenLease): boolean {
    return generation === this.#generation;
  }

  /** Opens a lease, and returns it. */
  add(lease: OpenLease): OpenLease {
    lease.generation = this.#generation;
    lease.older = this.#newest;
    if (this.#newest === undefined) this.#oldest = lease;
    else this.#newest.newer = lease;
    this.#newest = lease;
    this.#size++;
    return lease;
  }

  /** Closes a lease; false if it was not open. */
  delete(lease: OpenLease): boolean {
    if (!this.has(lease)) return false;
    const { older, newer } = lease;
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
    // A lease that is still referenced must not keep all older ones alive.
    lease.older = lease.newer = lease.generation = undefined;
    this.#size--;
    return true;
  }

  /** Closes those of a resource. Looks at every one: an index would cost each lease more than a write costs here. */
  deleteAllOf(key: string): void {
    let lease = this.#oldest;
    while (lease !== undefined) {
      const { newer } = lease;
      if (lease.key === key) this.delete(lease);
      lease = newer;
    }
  }

  /** Closes all. */
  clear(): void {
    this.#oldest = this.#newest = undefined;
    this.#size = 0;
    this.#generation = {};
  }
}
