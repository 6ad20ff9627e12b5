/**
 * Running a command and finding files: what the other scripts share.
 *
 * @module
 */

/** The repository. */
export const root: string = decodeURIComponent(new URL("..", import.meta.url).pathname).replace(
  /^\/(?=[A-Za-z]:)/,
  "",
);

/** How a command ended. */
export interface Outcome {
  /** Exit code; not 0 when the time limit ended it. */
  readonly code: number;
  /** What it wrote to standard output. */
  readonly stdout: string;
  /** What it wrote to standard output and standard error, in the order it came. */
  readonly output: string;
}

/**
 * Runs a command to its end, without standard input, and keeps what it writes.
 *
 * @param command The program.
 * @param args Its arguments.
 * @param options Working directory (default: the repository), time limit in seconds (default: 600), more variables for
 * its environment, what hears the output as it comes.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly limit?: number;
    readonly env?: Readonly<Record<string, string>>;
    readonly onText?: (text: string) => void;
  } = {},
): Promise<Outcome> {
  const { cwd = root, limit = 600, env = {}, onText } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let [stdout, output, overdue] = ["", "", false];
  const timer = setTimeout(() => {
    overdue = true;
    child.kill();
  }, limit * 1000);
  const collect = async (
    stream: ReadableStream<Uint8Array<ArrayBuffer>>,
    isStdout: boolean,
  ): Promise<void> => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      output += text;
      if (isStdout) stdout += text;
      onText?.(text);
    }
  };
  const collected = Promise.all([collect(child.stdout, true), collect(child.stderr, false)]);
  const status = await child.status;
  clearTimeout(timer);
  // A process that the command left behind may hold the pipes open for ever.
  await Promise.race([collected, new Promise((resolve) => Deno.unrefTimer(setTimeout(resolve, 5000)))]);
  if (overdue) output += `\nended after its time limit of ${limit} s\n`;
  return { code: overdue ? 124 : status.code, stdout, output };
}

/** Runs Deno itself: the very binary that runs this script. */
export function deno(args: readonly string[], options?: Parameters<typeof run>[2]): Promise<Outcome> {
  return run(Deno.execPath(), args, options);
}

const foreign = new Set([".git", "node_modules", "coverage", "reference", ".next", "next-env.d.ts"]);

/** Every file of the repository under `folder`, as sorted paths relative to the root with `/` between. */
export function filesUnder(folder = ""): string[] {
  const found: string[] = [];
  for (const entry of Deno.readDirSync(`${root}${folder}`)) {
    if (foreign.has(entry.name)) continue;
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) found.push(...filesUnder(`${path}/`));
    else found.push(path);
  }
  return found.sort();
}

/** The part of `deno.json` that the scripts read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Read by npm alone, as are the next four; `deno pack` leaves them out, `scripts/pack.ts` puts them in. */
  readonly description: string;
  readonly keywords: readonly string[];
  /** The address of the repository; README's links to its files begin with it. */
  readonly repository: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly sideEffects: boolean;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string>>;
  readonly compilerOptions: Readonly<Record<string, unknown>>;
}

/** Reads `deno.json`. */
export function manifest(): Manifest {
  return JSON.parse(Deno.readTextFileSync(`${root}deno.json`)) as Manifest;
}

/** Whether a file imports from JSR, so that it can be loaded only where JSR answers. */
export function needsJsr(path: string): boolean {
  return path.startsWith("tests/std/") || path === "examples/static_files.ts";
}

/** Whether JSR answers here and now: tried, not guessed. */
export async function jsrAnswers(): Promise<boolean> {
  const packages = ["jsr:@std/assert@^1", "jsr:@std/http@^1"];
  const outcome = await deno(["cache", "-q", "--no-config", "--no-lock", ...packages], { limit: 60 });
  return outcome.code === 0;
}
