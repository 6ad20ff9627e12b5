/**
 * Calling a user's function with a change, and recording what it reads.
 *
 * A function that read nothing but the id gives the same for each change of that document, because an id never changes.
 * Whatever else it read may have been different before.
 *
 * @module
 */
import type { Change, DocumentChange } from "../changes/change.ts";

/** What a function gave for a change. */
export interface ChangeReading {
  /** Undefined where it cannot be relied on. */
  readonly keys: readonly string[] | undefined;
  /** Whether the function read more than the id. */
  readonly readsContent: boolean;
  /** A field that the function read, and that says nothing about the document. */
  readonly unknownField: string | undefined;
  /** What the function threw, or that it gave no strings. */
  readonly error: unknown;
}

/** Calls a function with a change. Never throws. */
export function readChange<C extends Change>(
  change: C,
  keysOf: (change: C) => Iterable<string>,
): ChangeReading {
  return read(change, keysOf, lacksDocument);
}

/**
 * Calls a function with what the change says of the document before it: its id, that it was not deleted, and the document.
 * Another field of the change is that of now.
 */
export function readBefore<C extends Change>(
  { id, before }: C & DocumentChange,
  keysOf: (change: C) => Iterable<string>,
): ChangeReading {
  const previous = { id, deleted: false, doc: before } as unknown as C;
  return read(previous, keysOf, (_, field) => !(field in previous));
}

function read<C extends Change>(
  change: C,
  keysOf: (change: C) => Iterable<string>,
  isUnknown: (change: C, field: string | symbol) => boolean,
): ChangeReading {
  const recorder = new Recorder(isUnknown);
  let keys: readonly string[] | undefined;
  let error: unknown;
  try {
    // Not `Array.from`, which makes an empty list of a promise or a number.
    keys = [...keysOf(new Proxy(change, recorder))].map(requireKey);
  } catch (thrown) {
    error = thrown;
  }
  const { readsContent, unknownField } = recorder;
  return { keys: unknownField === undefined ? keys : undefined, readsContent, unknownField, error };
}

function requireKey(key: unknown): string {
  if (typeof key !== "string") throw new TypeError(`A key is a string, not ${String(key)}`);
  return key;
}

/** Hands each field out as it is. */
class Recorder<C extends Change> implements ProxyHandler<C> {
  readonly #isUnknown: (change: C, field: string | symbol) => boolean;
  readsContent = false;
  unknownField: string | undefined;

  constructor(isUnknown: (change: C, field: string | symbol) => boolean) {
    this.#isUnknown = isUnknown;
  }

  get(change: C, field: string | symbol): unknown {
    this.#note(change, field);
    return Reflect.get(change, field);
  }

  has(change: C, field: string | symbol): boolean {
    this.#note(change, field);
    return Reflect.has(change, field);
  }

  getOwnPropertyDescriptor(change: C, field: string | symbol): PropertyDescriptor | undefined {
    this.#note(change, field);
    return Reflect.getOwnPropertyDescriptor(change, field);
  }

  /** A list of the fields also says whether there is a document. */
  ownKeys(change: C): (string | symbol)[] {
    this.#note(change, "doc");
    return Reflect.ownKeys(change);
  }

  #note(change: C, field: string | symbol): void {
    if (field === "id") return;
    this.readsContent = true;
    if (this.#isUnknown(change, field)) this.unknownField ??= String(field);
  }
}

/** Whether this is the document, and the change does not carry it, or not at its own revision. A tombstone has none. */
function lacksDocument({ deleted, rev, doc }: DocumentChange, field: string | symbol): boolean {
  if (field !== "doc" || deleted === true) return false;
  if (doc === undefined || doc === null) return true;
  const { _rev } = doc as { readonly _rev?: unknown };
  return rev !== undefined && _rev !== undefined && _rev !== rev;
}
