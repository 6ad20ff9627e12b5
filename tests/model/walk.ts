/**
 * A random walk of the model, taken by the real classes as well: after each step, both have to show the same.
 *
 * Spin chooses the steps (`spin -n`, with the macro WALK) and prints what the model shows after each.
 */
import type { Library } from "./library.ts";
import type { ModelStep } from "./spin_output.ts";
import { type OwnObservation, OwnStage } from "./own_stage.ts";
import { type Sizes, sizesOf } from "./sizes.ts";
import type { Configuration } from "./configurations.ts";
import { Impossible } from "./impossible.ts";
import { type Observation, Stage } from "./stage.ts";

/** Where the two part. */
export interface Disagreement {
  readonly step: number;
  readonly problem: string;
  /** The last steps, the one of the disagreement included. */
  readonly steps: readonly string[];
}

const SHOWN = 16;

/** Takes a walk of a configuration; undefined: the two agree in each step. */
export async function disagreementIn(
  library: Library,
  { model, macros }: Configuration,
  steps: readonly ModelStep[],
): Promise<Disagreement | undefined> {
  const stage = model === "own_feed.pml" ? new OwnStage(library) : new Stage(library, macros);
  for (const [step, { text, shown }] of steps.entries()) {
    const problem = await problemAt(stage, text) ??
      (stage instanceof OwnStage
        ? ownDifference(stage.observe(), shown)
        : differenceOf(stage.observe(), shown, sizesOf(macros)));
    if (problem === undefined) continue;
    const last = steps.slice(Math.max(0, step + 1 - SHOWN), step + 1).map((each) => each.text);
    return { step, problem, steps: last };
  }
  return undefined;
}

async function problemAt(stage: Stage | OwnStage, text: string): Promise<string | undefined> {
  try {
    await stage.act(text);
    return undefined;
  } catch (error) {
    if (error instanceof Impossible) return error.message;
    throw error;
  }
}

function ownDifference(observation: OwnObservation, shown: readonly number[]): string | undefined {
  const { live, valid, copies, told, right } = observation;
  const seen = [live, valid, copies, told].map(Number);
  if (seen.join() !== shown.slice(0, 4).join()) return `live, valid, copies, told: ${seen}, not ${shown}`;
  return live ? differenceInContact([right], shown.slice(4)) : undefined;
}

/** What the reader waits for in each phase of the model. */
function expectedRequests(phase: number, step: number): readonly string[] {
  switch (phase) {
    case 0:
      return ["sleep", "information", "page"];
    case 1:
    case 3:
      return [step === 3 ? "information" : "page"];
    case 2:
      return ["read"];
    default:
      return ["nothing"];
  }
}

function differenceOf(
  { live, pages, feeds, right }: Observation,
  [isLive, ...shown]: readonly number[],
  { docs }: Sizes,
): string | undefined {
  if (live !== (isLive === 1)) return `the registry is ${live ? "" : "not "}live`;
  const [validFirst, validLast, ...rest] = shown;
  const [first, last] = [pages[0]!, pages.at(-1)!];
  for (const [page, valid] of [[first, validFirst], [last, validLast]] as const) {
    if (page.valid !== (valid === 1)) return `a page is ${page.valid ? "" : "not "}registered`;
  }
  const copies = [first.copies[0]!, first.copies[docs - 1]!, last.copies[docs - 1]!];
  for (const [index, mask] of copies.entries()) {
    if (mask !== rest[index]) return `copies show ${mask}, not ${rest[index]}`;
  }
  for (const [index, feed] of [feeds[0]!, feeds.at(-1)!].entries()) {
    const [told, phase, step] = rest.slice(3 + 3 * index) as [number, number, number];
    if (feed.told !== (told === 1)) return `the last word of a feed is ${feed.told ? "live" : "not live"}`;
    const expected = expectedRequests(phase, step);
    if (!expected.includes(feed.waitsFor)) {
      return `a feed waits for ${feed.waitsFor}, not ${expected.join(" or ")}`;
    }
  }
  return live ? differenceInContact([right[0]!, right.at(-1)!], rest.slice(9)) : undefined;
}

/** Whether the contacts are of the same moment: what may be confirmed since. */
function differenceInContact(seen: readonly number[], shown: readonly number[]): string | undefined {
  return seen.join() === shown.join() ? undefined : `right since the contact is ${seen}, not ${shown}`;
}
