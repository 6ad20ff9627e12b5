/**
 * What each document was in when it was last reported, in bounded memory.
 *
 * @module
 */
import { copied, textBytes } from "./kept_text.ts";
import { DOCUMENT_BYTES, REFERENCE_BYTES } from "./memory_cost.ts";
import { SeededMap } from "./seeded_map.ts";

/** What is remembered of a document. */
export interface RememberedDocument {
  readonly id: string;
  /** The generation of its revision. */
  readonly generation: number;
  readonly keys: readonly string[];
}

/** Documents by id, as many as fit; those reported longest ago leave first. */
export class DocumentMemory {
  readonly #maxBytes: number;
  readonly #documents = new SeededMap<RememberedDocument>();
  /** The one that was reported longest ago comes first. */
  readonly #order = new Set<RememberedDocument>();
  /** Gives those that leave next. A new iterator would first pass over each place that a document has left. */
  #oldest: Iterator<RememberedDocument> = this.#order.values();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** How many documents are remembered. */
  get size(): number {
    return this.#documents.size;
  }

  /** Estimated bytes held. */
  get bytes(): number {
    return this.#bytes + this.#documents.bytes;
  }

  /** What is remembered of a document; undefined if nothing. */
  get(id: string): RememberedDocument | undefined {
    return this.#documents.get(id);
  }

  /** Remembers a document, in the place of what was remembered of it. */
  set(id: string, generation: number, keys: readonly string[]): void {
    const known = this.#documents.get(id);
    this.delete(id);
    // Copying takes longer than all else, and a document mostly stays where it is.
    const isSame = known?.keys.length === keys.length &&
      known.keys.every((key, index) => key === keys[index]);
    const kept = { id: known?.id ?? copied(id), generation, keys: isSame ? known.keys : keys.map(copied) };
    this.#documents.set(kept.id, kept);
    this.#order.add(kept);
    this.#bytes += bytesOf(kept);
    while (this.bytes > this.#maxBytes) {
      const { value, done } = this.#oldest.next();
      // It stays at the end, where it has reached that.
      if (done) this.#oldest = this.#order.values();
      else this.delete(value.id);
    }
  }

  /** Forgets a document. */
  delete(id: string): void {
    const known = this.#documents.get(id);
    if (known === undefined) return;
    this.#documents.delete(id);
    this.#order.delete(known);
    this.#bytes -= bytesOf(known);
  }

  /** Forgets all documents. */
  clear(): void {
    this.#documents.clear();
    this.#order.clear();
    this.#oldest = this.#order.values();
    this.#bytes = 0;
  }
}

function bytesOf({ id, keys }: RememberedDocument): number {
  return keys.reduce(
    (bytes, key) => bytes + REFERENCE_BYTES + textBytes(key),
    DOCUMENT_BYTES + textBytes(id),
  );
}
