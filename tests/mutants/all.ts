/** Every mutant there is. */
import { anchorMutants } from "./anchor.ts";
import { checkMutants } from "./checks.ts";
import { contactMutants } from "./contact.ts";
import { memoryMutants } from "./memory.ts";
import type { Mutant } from "./mutant.ts";
import { restartMutants } from "./restarts.ts";
import { tagMutants } from "./tags.ts";
import { wiringMutants } from "./wiring.ts";

export const mutants: readonly Mutant[] = [
  ...memoryMutants,
  ...contactMutants,
  ...anchorMutants,
  ...tagMutants,
  ...restartMutants,
  ...checkMutants,
  ...wiringMutants,
];
