/** `audit` and `digest`. */
import { type Mutant, mutant } from "./mutant.ts";

export const checkMutants: readonly Mutant[] = [
  mutant(
    "a check is counted, and answered without",
    "validation.ts",
    'if (site.drawn()) return counted(site, "audit");',
    'if (site.drawn()) counted(site, "audit");',
  ),
  mutant("a check that failed changes nothing", "registration.ts", "  registry.delete(key);\n", ""),
  mutant(
    "digest without representation",
    "validator.ts",
    "digestOf([representation, base64url(own)])",
    "digestOf([base64url(own)])",
  ),
];
