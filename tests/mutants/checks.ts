/** `audit` and `digest`. */
import { type Mutant, mutant } from "./mutant.ts";

export const checkMutants: readonly Mutant[] = [
  mutant(
    "a check is counted, and answered without",
    "handler/hit.ts",
    'if (context.shouldAudit()) return count(context, "audit");',
    'if (context.shouldAudit()) count(context, "audit");',
  ),
  mutant("a check that failed changes nothing", "handler/miss.ts", "  registry.delete(key);\n", ""),
  mutant(
    "digest without representation",
    "handler/derived_tag.ts",
    "digestOf([representation, base64url(own)])",
    "digestOf([base64url(own)])",
  ),
];
