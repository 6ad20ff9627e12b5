/** Rules that the model alone leaves out, in its list `furtherRules`: for the replay of its counterexamples. */
import { type Mutant, mutant } from "./mutant.ts";

export const furtherMutants: readonly Mutant[] = [
  mutant(
    "a change voids nothing",
    "registry/group_table.ts",
    "if (isRepeated && this.#declared[group] === revision) continue;",
    "if (!isRepeated || this.#declared[group] === revision) continue;",
  ),
  mutant(
    "a write through the site voids nothing",
    "handler/write.ts",
    "  for (const group of groups) registry.invalidate(group._id);\n",
    "",
  ),
  mutant(
    "an undeclared revision accepted while it settles",
    "registry/change_log.ts",
    'if (rev === undefined || report.rev === undefined) return "settling";',
    'if (rev === undefined) continue;\n      if (report.rev === undefined) return "settling";',
  ),
  mutant(
    "a stream goes on after a known row came again",
    "couchdb/reader/cursor.ts",
    "this.yielded += changes.length + repeated.length;",
    "this.yielded += changes.length;",
  ),
  mutant(
    "after a purge, no row has to come again",
    "couchdb/reader/cursor.ts",
    'if (reason !== "purged" || this.since === 0) this.anchor',
    "this.anchor",
  ),
  mutant(
    "a stream goes on after a probe with news",
    "couchdb/reader/reader.ts",
    "if (cursor.yielded !== yielded) stream = renew();",
    "if (cursor.yielded < yielded) stream = renew();",
  ),
];
