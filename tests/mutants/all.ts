/** Every mutant there is. */
import { anchorMutants } from "./anchor.ts";
import { checkMutants } from "./checks.ts";
import { contactMutants } from "./contact.ts";
import { memoryMutants } from "./memory.ts";
import type { Mutant } from "./mutant.ts";
import { restartMutants } from "./restarts.ts";
import { snapshotMutants } from "./snapshots.ts";
import { tagMutants } from "./tags.ts";
import { wiringMutants } from "./wiring.ts";

/**
 * Those that random runs do not meet in millions of steps, or meet only because another rule is left out with them. The
 * exhaustive search of `tests/model` tells.
 */
export const leftToModel: ReadonlySet<string> = new Set([
  "reported revisions ignored",
  "a known row told by the probe alone",
  "the first declared revision stands for all",
  "what comes again breaks no lease",
  "what comes again does not settle",
  "the anchor moves before it has come",
  "a feed that starts anew goes on where it was",
  "a purge hides a roll-back",
  "collections are not told of what comes again",
  "a snapshot is restored without a floor",
]);

export const mutants: readonly Mutant[] = [
  ...memoryMutants,
  ...contactMutants,
  ...anchorMutants,
  ...tagMutants,
  ...restartMutants,
  ...checkMutants,
  ...wiringMutants,
  ...snapshotMutants,
];
