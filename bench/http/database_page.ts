/** To come. */
import type { Contestant } from "./contestants.ts";
export const pageContestants: Readonly<Record<string, Contestant>> = {};
