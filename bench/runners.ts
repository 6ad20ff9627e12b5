/**
 * The three runtimes, ready to run a program of this folder.
 *
 * @module
 */
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "../scripts/runtimes.ts";

/** A runtime, and what goes between it and the program. */
export interface Runner extends Runtime {
  readonly flags: readonly string[];
}

/** Deno, Bun and Node 24. */
export async function runners(): Promise<Runner[]> {
  return [
    { ...denoRuntime(), flags: ["run", "-A", "-q", "--no-check"] },
    { ...await bunRuntime(), flags: [] },
    { ...await nodeRuntime(24), flags: [] },
  ];
}
