/** How far a long step has come: on a terminal in one line that is written over, elsewhere in a line for each quarter. */
import process from "node:process";

/** Where it is written. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Makes what is called after each piece of a step.
 *
 * @param what The step, such as `filling the database`.
 * @param unit What is counted.
 */
export function progressOf(
  what: string,
  unit: string,
  output: ProgressOutput = process.stdout,
): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const line = `${what}: ${done} of ${total} ${unit}`;
    if (output.isTTY) return void output.write(`\r${line}${done >= total ? "\n" : ""}`);
    const quarter = Math.floor(4 * done / total);
    if (quarter <= told) return;
    told = quarter;
    output.write(`${line}\n`);
  };
}
