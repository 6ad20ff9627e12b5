/** Entries and their groups, entity tags, who asked, the build. */
import { type Mutant, mutant } from "./mutant.ts";

const VALIDATOR = "handler/derived_tag.ts";
const KEY = "handler/tag_key.ts";

const withoutId: Mutant = {
  name: "tag without id",
  edits: [
    {
      file: VALIDATOR,
      search: "representation, built.map(({ _id }) => _id), built.map(({ _rev }) => _rev)]",
      replace: "representation, built.map(({ _rev }) => _rev)]",
    },
    {
      file: KEY,
      search: 'this.digest(["document", id], SHORT)',
      replace: 'this.digest(["document"], SHORT)',
    },
    {
      file: KEY,
      search: 'this.digest(["revision", _id, _rev], SHORT)',
      replace: 'this.digest(["revision", _rev], SHORT)',
    },
  ],
};

const MINTED = "    return names.every((name) => wanted.has(name)) ? previous.etag : undefined;";

// Either alone is enough: the one for those who register by themselves, the other for what withEtag() registers.
const otherGroups: Mutant = {
  name: "minted tag kept for other groups",
  edits: [
    { file: "registry/core.ts", search: MINTED, replace: "    return previous.etag;" },
    {
      file: VALIDATOR,
      search: "return state === undefined ? digest : `${state}.${digest}`;",
      replace: "void [state, digest];\n  return key.digest([representation], SHORT);",
    },
  ],
};

const REFUSED = "    if (refusal !== undefined) return this.#refuse(refusal);\n";

const FORMER_GIVEN = `    if (refusal !== undefined) {
      const previous = this.#entries.find(storageKey(lease.key, lease.caller), headers);
      return typeof previous !== "string" && registration.etag === undefined ? previous : this.#refuse(refusal);
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
    "  if (refusalOfWhole !== undefined) return NO_TAG;\n",
    "",
  ),
  mutant(
    "a private copy is registered",
    "handler/cacheable.ts",
    'if (caller === undefined && !isPublic && hasCredentials(request)) return "not-public";',
    "",
  ),
  mutant(
    "a guest's answer goes to a request with credentials",
    "handler/hit.ts",
    `  if (!entry.headers.isPublic && caller === undefined && hasCredentials(headers)) {
    return count(context, "credentials");
  }
`,
    "",
  ),
  otherGroups,
  mutant(
    "minted tag kept after a change",
    "registry/entry_store.ts",
    "copied(tagFor(valid))",
    "copied(tagFor(previous))",
  ),
  mutant("minted tag kept for another response", "registry/core.ts", REFUSED, FORMER_GIVEN),
  mutant(
    "a group leaves with its first entry",
    "registry/group_table.ts",
    "if (--this.#dependents[group]! > 0) return;",
    "if (--this.#dependents[group]! < 0) return;",
  ),
  mutant(
    "the epoch stands still",
    "registry/group_table.ts",
    "this.#changedAt[group] = this.#lastChange = sequence;",
    "this.#changedAt[group] = sequence;",
  ),
  mutant(
    "collections are not told",
    "registry/subscription.ts",
    "if (group !== change.id) this.#change(group, undefined);",
    "",
  ),
];
