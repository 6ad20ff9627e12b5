/** Entries and their groups, entity tags, who asked, the build. */
import { type Mutant, mutant } from "./mutant.ts";

const VALIDATOR = "handler/derived_tag.ts";

const withoutId: Mutant = {
  name: "tag without id",
  edits: [
    {
      file: VALIDATOR,
      search: "representation, sources.map(groupOf), revisions]",
      replace: "representation, revisions]",
    },
    { file: VALIDATOR, search: ".${idDigest(groupOf(only))}.", replace: "." },
  ],
};

const MINTED = "  return groups.every((group) => wanted.has(group)) ? etag : undefined;";

// Either alone is enough: the one for those who register by themselves, the other for what withEtag() registers.
const otherGroups: Mutant = {
  name: "minted tag kept for other groups",
  edits: [
    { file: "registry/random_tag.ts", search: MINTED, replace: "  return etag;" },
    {
      file: VALIDATOR,
      search: "digestOf([representation, built], SHORT)",
      replace: "digestOf([representation], SHORT)",
    },
  ],
};

const REFUSED = "    if (refusal !== undefined) return this.#refuse(refusal);\n";

const FORMER_GIVEN = `    if (refusal !== undefined) {
      const previous = this.#entries.find(storageKey(lease.key, lease.caller), headers);
      return typeof previous !== "string" && offer.etag === undefined ? previous : this.#refuse(refusal);
    }
`;

export const tagMutants: readonly Mutant[] = [
  withoutId,
  mutant("tag without build", VALIDATOR, "= [build, representation,", "= [representation,"),
  mutant("tag without resource", VALIDATOR, "return [key, caller ?? null,", "return [caller ?? null,"),
  mutant("tag without caller", VALIDATOR, "return [key, caller ?? null,", "return [key,"),
  mutant("tag without variant", VALIDATOR, "language, selected]", "language]"),
  mutant(
    "tag for a private copy",
    "handler/miss.ts",
    "{ sources, tag: undefined }, refusal)",
    `{
    sources,
    tag: deriveTag(
      sources,
      context.build,
      representationOf(exchange.key, exchange.request.headers, response, [], exchange.caller),
    ),
  }, refusal)`,
  ),
  mutant(
    "a private copy is registered",
    "handler/cacheable.ts",
    'if (caller === undefined && !directives.has("public") && hasCredentials(request)) return "credentials";',
    "",
  ),
  mutant(
    "an answer for nobody goes to somebody",
    "handler/evaluate.ts",
    `  if (!entry.isPublic && caller === undefined && hasCredentials(headers)) {
    return counted(context, "credentials");
  }
`,
    "",
  ),
  otherGroups,
  mutant(
    "minted tag kept after a change",
    "registry/entry_store.ts",
    "tagFor(previous !== undefined && this.isValid(previous) ? previous : undefined)",
    "tagFor(previous)",
  ),
  mutant("minted tag kept for another response", "registry/registry.ts", REFUSED, FORMER_GIVEN),
  mutant(
    "a group leaves with its first entry",
    "registry/group_table.ts",
    "if (--this.#dependents[group]! > 0) return;",
    "if (--this.#dependents[group]! < 0) return;",
  ),
  mutant(
    "the epoch stands still",
    "registry/group_table.ts",
    "this.#marks[table.idAt(slot)] = this.#changedAt = sequence;",
    "this.#marks[table.idAt(slot)] = sequence;",
  ),
  mutant(
    "collections are not told",
    "registry/subscription.ts",
    'for (const group of typeof touched === "string" ? [touched] : touched) this.#change(group, undefined);',
    "",
  ),
];
