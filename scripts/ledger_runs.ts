/**
 * A run of a ledger over a feed as it is, and over each weakened one, for the tasks of databases.
 *
 * @module
 */

/** How the command line asks for it. */
export interface Asked {
  readonly seconds: number;
  readonly seed: number;
  /** One weakened feed alone, or `none` of them; undefined: all. */
  readonly only: string | undefined;
}

/** A ledger over a database. */
export interface LedgerRuns<Weakening, Outcome extends { readonly wrong: readonly string[] }> {
  readonly run: (
    plan: { readonly seed: number; readonly seconds: number; readonly weakening: Weakening | undefined },
  ) => Promise<Outcome>;
  readonly weakenings: Readonly<Record<string, Weakening>>;
  /** Seconds for a weakened feed: the run ends when it is found. */
  readonly weakened: number;
  readonly report: (name: string, outcome: Outcome) => void;
  /** What a run of the whole feed has to have seen, and has not; default: nothing. */
  readonly omissions?: (outcome: Outcome, seconds: number) => readonly string[];
}

/** Runs it; sentences that say what is not clean. */
export async function runLedgers<Weakening, Outcome extends { readonly wrong: readonly string[] }>(
  { seconds, seed, only }: Asked,
  { run, weakenings, weakened, report, omissions = () => [] }: LedgerRuns<Weakening, Outcome>,
): Promise<string[]> {
  const found: string[] = [];
  if (only === undefined || only === "none") {
    const whole = await run({ seed, seconds, weakening: undefined });
    report("the feed", whole);
    if (whole.wrong.length > 0) {
      found.push(`${whole.wrong.length} wrong: ${whole.wrong.slice(0, 3).join("; ")}`);
    }
    found.push(...omissions(whole, seconds));
  }
  for (const [name, weakening] of Object.entries(weakenings)) {
    if (only !== undefined && name !== only) continue;
    const weak = await run({ seed, seconds: weakened, weakening });
    report(name, weak);
    if (weak.wrong.length === 0) found.push(`nothing was wrong with ${name}`);
  }
  return found;
}

/** Says how it went; gives the exit code. */
export function conclude(
  found: readonly string[],
  only: string | undefined,
  clean: string = "0 wrong",
): number {
  console.log(
    found.length === 0
      ? `${clean}${only === "none" ? "" : ", and each weakened feed that was run was found"}`
      : `NOT CLEAN: ${found.join("; ")}`,
  );
  return found.length === 0 ? 0 : 1;
}
