/** What Spin prints of a simulation: each step on a line with a dash. */

/** A step of a model. */
export interface ModelStep {
  /** What happened, and behind colons what came of it. */
  readonly text: string;
  /** What can be seen after it, where the model was made with WALK. */
  readonly shown: readonly number[];
}

/** The steps, in their order. */
export function stepsOf(output: string): ModelStep[] {
  const steps: { text: string; shown: readonly number[] }[] = [];
  for (const line of output.split("\n").map((each) => each.trim())) {
    const [mark, text] = [line.slice(0, 2), line.slice(2)];
    const last = steps.at(-1);
    if (mark === "- ") steps.push({ text, shown: [] });
    else if (last === undefined) continue;
    else if (mark === "+ ") last.text += `: ${text}`;
    else if (mark === "= ") last.shown = text.split(/\s+/).map(Number);
  }
  return steps;
}
