/**
 * Which of a group, or of a family of groups, a change touches: those that its document is in, and those that it was in.
 *
 * A feed reports the last state of a document. So a page may have been built from a state that no row shows: a note
 * went from one owner to the next and on to a third, and the feed reports the third. The page of the second one shows
 * the note for ever, unless the states in between are known to be none, or the whole family is void. They are known to
 * be none where the change carries the state that it replaced, and where the revisions of the document are one line
 * without a branch, of which the memory holds the last but one.
 *
 * @module
 */
import type { Change, CouchChange, DocumentChange } from "../changes/change.ts";
import { type ChangeReading, readBefore, readChange } from "./change_reading.ts";
import { DocumentMemory } from "./document_memory.ts";
import type { Membership } from "./followed_groups.ts";

/** What makes a group, or a family of groups. */
export interface MembershipRule<C extends Change> {
  /** As a message names it. */
  readonly title: string;
  /** Its name: the group that is void where a membership cannot be known. */
  readonly name: string;
  /** What a document is in, by key. */
  readonly keysOf: (change: C) => Iterable<string>;
  /** The group of a key. */
  readonly groupOf: (key: string) => string;
  /** Estimated bytes of memory for what documents were in. */
  readonly maxBytes: number;
}

/** A membership that remembers what each document was in. */
export class DocumentMembership<C extends Change> implements Membership<C> {
  readonly #rule: MembershipRule<C>;
  readonly #onUnknown: () => void;
  readonly #memory: DocumentMemory;
  /** Kinds of problems that the console has been told. */
  readonly #warned: Set<string> = new Set();

  /** @param onUnknown Called whenever a membership cannot be known. */
  constructor(rule: MembershipRule<C>, onUnknown: () => void) {
    this.#rule = rule;
    this.#onUnknown = onUnknown;
    this.#memory = new DocumentMemory(rule.maxBytes);
  }

  get name(): string {
    return this.#rule.name;
  }

  touchedBy(change: C): readonly string[] {
    const { keysOf, groupOf } = this.#rule;
    const now = this.#checked(readChange(change, keysOf));
    if (now.keys !== undefined && !now.readsContent) return now.keys.map(groupOf);
    const generation = linearGeneration(change);
    const before = this.#keysBefore(change, generation);
    const document = documentOf(change);
    if (generation === undefined || now.keys === undefined) this.#memory.delete(document);
    else this.#memory.set(document, generation, now.keys);
    if (now.keys === undefined || before === undefined) {
      this.#onUnknown();
      return [this.name];
    }
    return [...new Set([...before, ...now.keys])].map(groupOf);
  }

  forget(): void {
    this.#memory.clear();
  }

  /** What the document was in until this change; undefined where that cannot be known. */
  #keysBefore(
    change: C & DocumentChange,
    generation: number | undefined,
  ): readonly string[] | undefined {
    const { before } = change;
    if (before === null) return [];
    if (before !== undefined) return this.#checked(readBefore(change, this.#rule.keysOf)).keys;
    if (generation === undefined) return this.#unproven(change);
    const known = this.#memory.get(documentOf(change));
    if (known === undefined) return generation === 1 ? [] : undefined;
    // The same generation is the same row again.
    return known.generation === generation - 1 || known.generation === generation ? known.keys : undefined;
  }

  #checked(reading: ChangeReading): ChangeReading {
    const { unknownField, error } = reading;
    if (unknownField === "doc") {
      this.#warn(
        "doc",
        "its function reads `doc`, and the change has none: make the feed with includeDocs: true",
      );
    } else if (unknownField !== undefined) {
      this.#warn(
        "field",
        `its function reads \`${unknownField}\`, which \`before\` does not show: read \`doc\``,
      );
    } else if (error !== undefined) this.#warn("error", `its function failed with ${String(error)}`);
    return reading;
  }

  #unproven({ revs }: Partial<CouchChange>): undefined {
    if (revs !== undefined) return;
    this.#warn(
      "history",
      "its function reads more than the id, and the change does not show what the document was before: make the feed " +
        'with style: "all_docs", or have each change carry `before`',
    );
  }

  /** Says once what is missing: a family that is always void looks like one that works. */
  #warn(kind: string, problem: string): void {
    if (this.#warned.has(kind)) return;
    this.#warned.add(kind);
    console.warn(`Stillfresh: after some changes ${this.#rule.title} is void as a whole: ${problem}.`);
  }
}

/** What tells documents apart, also where `map()` gave several of them one id. */
function documentOf({ id, doc }: DocumentChange): string {
  const { _id } = (doc ?? {}) as { readonly _id?: unknown };
  return typeof _id !== "string" || _id === id ? id : `${id}\0${_id}`;
}

/**
 * The generation of a document's revision, if its revisions are one line without a branch: `"3-…"` with one leaf is 3.
 * Then the revision before it was the one of the generation before. A branch stays to be seen after its leaf was deleted
 * (CouchDB documentation, `GET /{db}/_changes`, `style`).
 */
function linearGeneration({ rev, revs }: Partial<CouchChange>): number | undefined {
  if (rev === undefined || revs?.length !== 1) return undefined;
  const generation = /^([1-9]\d*)-/.exec(rev)?.[1];
  return generation === undefined ? undefined : Number(generation);
}
