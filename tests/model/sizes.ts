/** What the macros of a configuration say to a stage: sizes, and what its pages show and declare. */

/** How a page declares what it shows: by revisions, by ids, or as a list. */
export type PageKind = "derived" | "bare" | "list";

export interface Sizes {
  readonly docs: number;
  /** A document is absent (0) or at one of these. */
  readonly states: number;
  readonly feeds: number;
  readonly shards: number;
  readonly pages: readonly { readonly shows: readonly number[]; readonly kind: PageKind }[];
  /** Whether a macro is defined at all. */
  has(name: string): boolean;
}

const KINDS: Readonly<Record<string, PageKind>> = { DERIVED: "derived", BARE: "bare", LIST: "list" };

/** Reads `NAME` and `NAME=value`, with the defaults of consistency.pml. */
export function sizesOf(macros: readonly string[]): Sizes {
  const values = new Map(macros.map((macro) => [macro.split("=")[0]!, macro.split("=")[1]]));
  const number = (name: string, otherwise: number) => Number(values.get(name) ?? otherwise);
  const docs = number("DOCS", 1);
  const page = (index: number, kind: string) => ({
    shows: [0, 1].filter((doc) => number(`SHOWS${index}`, 1) >> doc & 1),
    kind: KINDS[values.get(`KIND${index}`) ?? kind]!,
  });
  const pages = [page(0, "DERIVED"), page(1, "BARE")].slice(0, number("PAGES", 1));
  return {
    docs,
    states: number("STATES", 3),
    feeds: number("FEEDS", 1),
    shards: number("SHARDS", 1),
    pages,
    has: (name) => values.has(name),
  };
}
