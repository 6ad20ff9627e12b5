/** One rule taken out of a copy of the sources, to see whether the simulation misses it. */

/** A piece of text that occurs exactly once in a file of `src/`, and what replaces it. */
export interface Edit {
  /** Path below `src/`. */
  readonly file: string;
  readonly search: string;
  readonly replace: string;
}

export interface Mutant {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** A mutant of one edit. */
export function mutant(name: string, file: string, search: string, replace: string): Mutant {
  return { name, edits: [{ file, search, replace }] };
}

/**
 * The text after an edit.
 *
 * @throws {Error} If what it searches for is not there exactly once: then the mutant has to be written anew.
 */
export function applied({ file, search, replace }: Edit, text: string): string {
  const pieces = text.split(search);
  if (pieces.length === 2) return pieces.join(replace);
  throw new Error(`src/${file} holds this ${pieces.length - 1} times instead of once:\n${search}`);
}
