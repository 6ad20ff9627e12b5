/**
 * What a long step says while it runs: on a terminal one line that is written over, elsewhere a line now and then.
 *
 * @module
 */

/** Milliseconds between two lines where lines stay. */
const SELDOM = 20_000;
/** Milliseconds between two looks of the line on a terminal. */
const OFTEN = 500;

/** Where progress is written, and the time. */
export interface ProgressOutput {
  /** Whether a line can be written over. */
  readonly isTerminal: boolean;
  /** Characters of a line of the terminal. */
  readonly columns: number;
  /** Milliseconds, as `performance.now` has them. */
  now(): number;
  write(text: string): void;
  /** Calls back every `ms` milliseconds until what it returns is called. */
  every(ms: number, callback: () => void): () => void;
}

/** The standard output of this process. */
export function standardOutput(): ProgressOutput {
  const isTerminal = Deno.stdout.isTerminal();
  return {
    isTerminal,
    // A terminal without a size says 0.
    columns: isTerminal && Deno.consoleSize().columns || Infinity,
    now: () => performance.now(),
    write: (text) => void Deno.stdout.writeSync(new TextEncoder().encode(text)),
    every: (ms, callback) => {
      const timer = setInterval(callback, ms);
      return () => clearInterval(timer);
    },
  };
}

/**
 * Says from time to time that a step still runs. When it has ended, a terminal's line is taken back, so that the result
 * stands in its place.
 *
 * @param title The step.
 * @param step Runs it.
 * @param status How far it has come; default: nothing is known but the time.
 * @param output Default: standard output.
 * @returns What the step gives.
 */
export async function withProgress<T>(
  title: string,
  step: () => Promise<T>,
  status: () => string = () => "",
  output: ProgressOutput = standardOutput(),
): Promise<T> {
  const { isTerminal, columns } = output;
  const start = output.now();
  const stop = output.every(isTerminal ? OFTEN : SELDOM, () => {
    const seconds = Math.round((output.now() - start) / 1_000);
    const line = `${title}: ${[status(), `${seconds} s`].filter((part) => part !== "").join(", ")}`;
    output.write(isTerminal ? `\r\x1b[K${line.slice(0, columns - 1)}` : `  … ${line}\n`);
  });
  try {
    return await step();
  } finally {
    stop();
    if (isTerminal) output.write("\r\x1b[K");
  }
}

/** A line about a test that has ended, as Deno, Bun and Node's reporter `spec` write it. */
const ENDED = /^(?:.* \.\.\. (?:ok|FAILED|ignored)\b|\s*(?:\((?:pass|fail|skip)\)|[✔✖﹣]) )/;
/** The line with which Deno or Bun begins a file. */
const FILE = /^(?:running \d+ tests? from |\S+_test\.ts:$)/;

/** Counts the tests in what a runner prints. */
export class TestCounter {
  /** Tests that have ended. */
  tests = 0;
  /** Files that have begun; Node does not tell. */
  files = 0;
  #rest = "";

  /** Reads what the runner has printed next, in pieces of any size. */
  readonly read = (text: string): void => {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (ENDED.test(line)) this.tests++;
      else if (FILE.test(line)) this.files++;
    }
  };
}
