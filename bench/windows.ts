/**
 * Contestants measured in alternating windows of one run: each round gives every one of them a short window, in an
 * order that rotates, and a ratio is taken within a round. What else the machine does then meets all of them alike;
 * tools that measure one contestant to the end before the next (`mitata`) cannot tell it from a difference.
 *
 * @module
 */

/** The middle of some figures, and the quarter on either side of it; NaN stands for a window that was left out. */
export function quartiles(figures: readonly number[]): readonly [middle: number, low: number, high: number] {
  const sorted = figures.filter((figure) => !Number.isNaN(figure)).sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return [at(0.5), at(0.25), at(0.75)];
}

/** Figures by contestant, one a round. */
export type Windows = Readonly<Record<string, readonly number[]>>;

/** What each round's figure of one contestant was, compared with another's of the same round. */
export function compared(
  windows: Windows,
  name: string,
  reference: string,
  how: (figure: number, reference: number) => number,
): number[] {
  const basis = windows[reference] ?? [];
  return (windows[name] ?? []).map((figure, round) => how(figure, basis[round] ?? NaN));
}

/** Gives every contestant a window in each round, the first of a round being another each time. */
export async function alternate(
  names: readonly string[],
  rounds: number,
  window: (name: string, round: number) => number | Promise<number>,
): Promise<Windows> {
  const windows: Record<string, number[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    const first = round % names.length;
    for (const name of [...names.slice(first), ...names.slice(0, first)]) {
      windows[name]!.push(await window(name, round));
    }
  }
  return windows;
}
