/**
 * What a response can be built from: a group by name, or a document at a revision.
 *
 * @module
 */

/**
 * A group by name, or a document at a revision. Documents of nano, PouchDB and `fetch` fit as they are.
 *
 * A group is a name that a response depends on and a change can carry (RFC 9875, HTTP Cache Groups); by default it
 * is a document's id.
 */
export type Source = string | {
  /** The document's id: its group. */
  readonly _id: string;
  /** The revision the response was built from; absent: any change of the group voids it. */
  readonly _rev?: string | undefined;
};

/** The group a source belongs to. */
export function groupOf(source: Source): string {
  return typeof source === "string" ? source : source._id;
}

/** The revision a source was read at, if it carries one. */
export function revOf(source: Source): string | undefined {
  return typeof source === "string" ? undefined : source._rev;
}

/** The group that a write to a resource changes, whoever asks and whatever selected the variant. */
export function resourceGroup(key: string): string {
  return `\0resource ${key}`;
}
