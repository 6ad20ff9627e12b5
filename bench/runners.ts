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

/** Deno, Bun and Node 24, or the one named. */
export async function runners(only?: string): Promise<Runner[]> {
  const all: Runner[] = [
    { ...denoRuntime(), flags: ["run", "-A", "-q", "--no-check"] },
    { ...await bunRuntime(), flags: [] },
    { ...await nodeRuntime(24), flags: [] },
  ];
  return all.filter(({ name }) => only === undefined || name === only);
}
