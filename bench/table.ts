/**
 * Tables on the terminal, with the targets beside the figures.
 *
 * @module
 */
import { compared, quartiles, type Windows } from "./windows.ts";

/** A bound that a figure is held against. */
export interface Target {
  readonly bound: number;
  readonly kind: "at most" | "at least";
}

export const atMost = (bound: number): Target => ({ bound, kind: "at most" });
export const atLeast = (bound: number): Target => ({ bound, kind: "at least" });

/** What is said of a figure that has a target. */
export function verdict(figure: number, target: Target | undefined, unit = ""): string {
  if (target === undefined) return "";
  const reached = target.kind === "at most" ? figure <= target.bound : figure >= target.bound;
  return `${target.kind === "at most" ? "≤" : "≥"} ${target.bound}${unit} ${reached ? "reached" : "MISSED"}`;
}

/** Prints rows under a title, each column as wide as its widest cell; the first to the left, the rest to the right. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const widths = head.map((_, at) => Math.max(...[head, ...rows].map((row) => (row[at] ?? "").length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)).join("  ");
  console.log(`\n${title}\n${line(head)}\n${widths.map((width) => "-".repeat(width)).join("  ")}`);
  for (const row of rows) console.log(line(row).trimEnd());
}

/** `1.23 (1.20–1.31)`: a median and its quartiles. */
export function spread(figures: readonly number[], digits: number): string {
  const [middle, low, high] = quartiles(figures).map((figure) => figure.toFixed(digits));
  return `${middle} (${low}–${high})`;
}

/** How a contestant is compared with another. */
export interface Comparison {
  readonly with: string;
  readonly as: "÷" | "−";
  readonly target?: Target | undefined;
}

/** The cells of one comparison: the figure with its spread, and the verdict. */
export function comparison(
  windows: Windows,
  name: string,
  { with: reference, as, target }: Comparison,
): string[] {
  const how = as === "÷" ? (a: number, b: number) => a / b : (a: number, b: number) => a - b;
  const figures = compared(windows, name, reference, how);
  const [middle] = quartiles(figures);
  return [`${as} ${reference}`, spread(figures, as === "÷" ? 2 : 0), verdict(middle, target)];
}
