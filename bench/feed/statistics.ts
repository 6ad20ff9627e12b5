/** Medians, their spread, and ratios to the bare loop within the same round. */

/** The middle of some figures, and the quarter on either side of it. */
export function quartiles(figures: readonly number[]): readonly [number, number, number] {
  const sorted = [...figures].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.round(share * (sorted.length - 1))] ?? NaN;
  return [at(0.5), at(0.25), at(0.75)];
}

/** One table: a line for each reader, each round's figure divided into or by that round's bare loop. */
export function print(
  title: string,
  unit: string,
  windows: Readonly<Record<string, readonly number[]>>,
): void {
  const bare = windows["bare"] ?? [];
  for (const [name, figures] of Object.entries(windows)) {
    const [middle, low, high] = quartiles(figures);
    const [speed, slow, fast] = quartiles(figures.map((figure, round) => (bare[round] ?? NaN) / figure));
    const spread = `${low.toFixed(0)}–${high.toFixed(0)}`;
    console.log(
      `  ${title.padEnd(14)}${name.padEnd(12)}${middle.toFixed(0).padStart(6)} ${unit} (${spread})`.padEnd(
        62,
      ) +
        `${speed.toFixed(2)}× bare (${slow.toFixed(2)}–${fast.toFixed(2)}), cost ${(1 / speed).toFixed(2)}`,
    );
  }
}
