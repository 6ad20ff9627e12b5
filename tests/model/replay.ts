/** A counterexample of the model, taken by the real classes. */
import type { Configuration } from "./configurations.ts";
import { Impossible } from "./impossible.ts";
import type { Library } from "./library.ts";
import { OwnStage } from "./own_stage.ts";
import { sizesOf } from "./sizes.ts";
import { Stage } from "./stage.ts";

/** How a replay went. */
export interface Replay {
  /** Why an answer of the registry was wrong; undefined: none was. */
  readonly wrong: string | undefined;
  /** The first step that the library did not take, and why; undefined: it has taken all. */
  readonly departure: string | undefined;
}

/** Takes the steps one after the other, leaves out what the library does not do, and asks for each page at the end. */
export async function replay(
  library: Library,
  { model, macros }: Pick<Configuration, "model" | "macros">,
  steps: readonly string[],
): Promise<Replay> {
  const stage = model === "own_feed.pml" ? new OwnStage(library) : new Stage(library, macros);
  let departure: string | undefined;
  for (const [index, step] of steps.entries()) {
    try {
      await stage.act(step);
    } catch (error) {
      if (!(error instanceof Impossible)) throw error;
      departure ??= `${index + 1}. ${step}: ${error.message}`;
    }
  }
  for (const page of sizesOf(macros).pages.keys()) {
    const wrong = await stage.wrong(page);
    if (wrong !== undefined) return { wrong, departure };
  }
  return { wrong: undefined, departure };
}
