/** `auditRate` and `hashBody`. */
import { type Mutant, mutant } from "./mutant.ts";

const AUDIT = "handler/audit.ts";

export const checkMutants: readonly Mutant[] = [
  mutant(
    "a check is counted, and answered without",
    "handler/hit.ts",
    'if (context.audit?.shouldAudit()) return count(context, "audit");',
    'if (context.audit?.shouldAudit()) count(context, "audit");',
  ),
  mutant("a check that failed changes nothing", AUDIT, "    this.#registry.delete(key);\n", ""),
  mutant(
    "a check does not look at the body",
    AUDIT,
    'return this.#hasOtherBody(entry, answer, isCurrent) ? "body" : undefined;',
    "return undefined;",
  ),
  mutant(
    "a check that failed answers 304",
    "handler/miss.ts",
    'outcome === 304 && isRefuted ? "proceed" : outcome',
    "outcome",
  ),
  mutant("a refuted tag is confirmed again", AUDIT, "this.#remember(tagDigest(answer, etag));", "void 0;"),
  mutant(
    "a check of an entry that is void by now is dropped",
    AUDIT,
    "of new Set([current, audited])",
    "of new Set([current])",
  ),
  mutant(
    "a check takes an overtaken handler at its word",
    AUDIT,
    "!this.#registry.isOvertaken(lease, dependencies)",
    "true",
  ),
  mutant(
    "digest without representation",
    "handler/derived_tag.ts",
    "key.digest([representation, base64url(own)])",
    "key.digest([base64url(own)])",
  ),
];
