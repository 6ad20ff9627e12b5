/**
 * Random pages: trees of components, each of which reads documents, one after the other or at once, through one client or
 * the other, fails or is given up; and an oracle that is told by each component what it was given.
 */
import assert from "node:assert/strict";
import { Reads, tracked } from "../../src/reads/reads.ts";
import { type Library, shelf } from "./library.ts";

/** Numbers from 0 up to, not including, 1, from a seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** One component of a page. */
interface Component {
  readonly reads: readonly { readonly id: string; readonly how: number }[];
  readonly children: readonly Component[];
  readonly isParallel: boolean;
  /** Turns of the event loop, of either queue, before it begins. */
  readonly pause: number;
  readonly fails: boolean;
  /** Whether its parent goes on without waiting for it. */
  readonly isGivenUp: boolean;
}

function grow(random: () => number, depth: number): Component {
  const upTo = (most: number) => Math.floor(random() * (most + 1));
  const children = depth === 0 ? 0 : upTo(3);
  return {
    reads: Array.from({ length: upTo(3) }, () => ({ id: shelf[upTo(shelf.length - 1)]!, how: upTo(5) })),
    children: Array.from({ length: children }, () => grow(random, depth - 1)),
    isParallel: random() < 0.5,
    pause: upTo(3),
    fails: random() < 0.1,
    isGivenUp: random() < 0.05,
  };
}

/** What one page was given, and what it has asked for. */
class Oracle {
  readonly given: Set<string> = new Set();
  readonly asked: Set<string> = new Set();
}

/** Reads of all pages of one library, some of them through promises that pages share. */
export class Press {
  readonly #library: Library;
  readonly #nano: Library["nano"];
  readonly #pouch: Library["pouch"];
  #shared: Map<string, Promise<unknown>> = new Map();

  constructor(library: Library) {
    this.#library = library;
    this.#nano = tracked(library.nano);
    this.#pouch = tracked(library.pouch as object);
  }

  /** Which of its ways reads through a socket. */
  static readonly #SOCKETS = 2;

  #dependency(id: string): string {
    return `${id} ${this.#library.revOf(id) ?? ""}`;
  }

  async #read(id: string, how: number): Promise<unknown> {
    const ofNothing = (error: { statusCode?: number; status?: number }) => {
      if ((error.statusCode ?? error.status) !== 404) throw error;
    };
    switch (how) {
      case 0:
        return await this.#nano.get(id).catch(ofNothing);
      case 1:
        return await this.#nano.fetch({ keys: [id] });
      case 2:
        return await this.#pouch.allDocs({ keys: [id], include_docs: true });
      case 3: {
        // Whichever page comes first makes the promise.
        const shared = this.#shared.get(id) ?? this.#pouch.get(id);
        this.#shared.set(id, shared);
        return await shared.catch(ofNothing);
      }
      default:
        return await this.#pouch.get(id).catch(ofNothing);
    }
  }

  async #component(node: Component, oracle: Oracle, sockets: boolean): Promise<void> {
    for (let turn = 0; turn < node.pause; turn++) {
      await (turn === 2 ? new Promise((resolve) => setTimeout(resolve, 0)) : null);
    }
    const one = async ({ id, how }: Component["reads"][number]) => {
      oracle.asked.add(this.#dependency(id));
      await this.#read(id, sockets || how >= Press.#SOCKETS ? how : how + Press.#SOCKETS);
      oracle.given.add(this.#dependency(id));
    };
    if (node.isParallel) await Promise.all(node.reads.map(one));
    else for (const read of node.reads) await one(read);
    if (node.fails) throw new Error("a component fails");
    const child = (node: Component) => this.#component(node, oracle, sockets).catch(() => {});
    const waited = node.children.filter(({ isGivenUp }) => !isGivenUp);
    for (const given of node.children.filter(({ isGivenUp }) => isGivenUp)) void child(given);
    if (node.isParallel) await Promise.all(waited.map(child));
    else for (const given of waited) await child(given);
  }

  /**
   * Builds pages at once, and compares what each has declared with what its components were given.
   *
   * @param sockets Whether nano reads too.
   * @returns How many documents they depend on.
   */
  async print(seeds: readonly number[], sockets: boolean): Promise<number> {
    this.#shared = new Map();
    const sizes = await Promise.all(seeds.map(async (seed) => {
      const tree = grow(randomFrom(seed), 3);
      const [reads, oracle] = [new Reads(), new Oracle()];
      await reads.run(() => this.#component(tree, oracle, sockets)).catch(() => {});
      const given = [...oracle.given].sort();
      const declared = reads.dependencies.map((one) =>
        typeof one === "string" ? `${one} ` : `${one._id} ${one._rev}`
      ).sort();
      assert.equal(reads.isUnknown, false, `seed ${seed}`);
      if (!hasGivenUp(tree)) assert.deepEqual(declared, given, `seed ${seed}`);
      // What was given up may have been read by now, or not: no more than was asked for, and no less than was given.
      for (const one of given) {
        assert.ok(declared.includes(one), `seed ${seed}: ${one} was given, and is not declared`);
      }
      for (const one of declared) assert.ok(oracle.asked.has(one), `seed ${seed}: ${one} is of another page`);
      reads.close(() => {});
      return declared.length;
    }));
    return sizes.reduce((sum, size) => sum + size, 0);
  }
}

function hasGivenUp({ children }: Component): boolean {
  return children.some((child) => child.isGivenUp || hasGivenUp(child));
}
