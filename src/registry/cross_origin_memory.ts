/**
 * The fields that resources have last sent to origins, for all handlers of a registry: within its bound, and gone with
 * `clear()`.
 *
 * @module
 */
import { copied, textBytes } from "./kept_text.ts";
import { CROSS_ORIGIN_BYTES, REFERENCE_BYTES } from "./memory_cost.ts";
import { SeededMap } from "./seeded_map.ts";

/** How many pairs of resource and origin are remembered. */
const MOST_KNOWN = 1_000;
/** A longer key or origin is not remembered. */
const LONGEST = 1_000;

type Fields = Readonly<Record<string, string>>;

interface Known {
  readonly name: string;
  readonly fields: Fields;
}

function knownBytes({ name, fields }: Known): number {
  const values = Object.values(fields);
  return values.reduce(
    (sum, value) => sum + REFERENCE_BYTES + textBytes(value),
    CROSS_ORIGIN_BYTES + textBytes(name),
  );
}

/** Fields by resource and origin; those that were noted longest ago leave first. */
export class CrossOriginMemory {
  readonly #maxBytes: number;
  readonly #known = new SeededMap<Known>();
  /** The oldest first. */
  readonly #order = new Set<Known>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes + this.#known.bytes;
  }

  /** The fields that a resource has last sent to an origin; undefined where they are not known. */
  get(key: string, origin: string): Fields | undefined {
    return this.#known.get(nameOf(key, origin))?.fields;
  }

  /** Remembers fields in the place of what was there; undefined: forgets that. */
  set(key: string, origin: string, fields: Fields | undefined): void {
    if (key.length > LONGEST || origin.length > LONGEST) return;
    const name = nameOf(key, origin);
    const previous = this.#known.get(name);
    if (previous !== undefined) this.#delete(previous);
    if (fields === undefined) return;
    const known = { name: previous?.name ?? copied(name), fields };
    this.#known.set(known.name, known);
    this.#order.add(known);
    this.#bytes += knownBytes(known);
    for (const oldest of this.#order) {
      if (this.#order.size <= MOST_KNOWN && this.bytes <= this.#maxBytes) return;
      this.#delete(oldest);
    }
  }

  #delete(known: Known): void {
    this.#known.delete(known.name);
    this.#order.delete(known);
    this.#bytes -= knownBytes(known);
  }

  /** Forgets all. */
  clear(): void {
    this.#known.clear();
    this.#order.clear();
    this.#bytes = 0;
  }
}

function nameOf(key: string, origin: string): string {
  return `${origin} ${key}`;
}
