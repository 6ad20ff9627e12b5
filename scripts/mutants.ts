/**
 * `deno task mutants`: takes one rule after the other out of a copy of the sources, and fails if the soak does not
 * notice. Prints how many steps it needed; docs/consistency.md keeps the table.
 *
 * `deno task mutants lease` tries only those whose name contains one of the words.
 *
 * @module
 */
import { applied, type Mutant } from "../tests/mutants/mutant.ts";
import { leftToModel, mutants } from "../tests/mutants/all.ts";
import { deno, manifest, root } from "./run.ts";

/** A mutant that these do not find survives. */
const SEEDS = 2_400;
const AT_ONCE = 2;

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copy(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}

/** Applies a mutant to a copy of the sources. */
async function edit(folder: string, { edits }: Mutant): Promise<void> {
  for (const edit of edits) {
    const path = `${folder}/src/${edit.file}`;
    await Deno.writeTextFile(path, applied(edit, await Deno.readTextFile(path)));
  }
}

/** The sources with their mutant, beside the simulation that is to find it. */
async function copyWith(mutant: Mutant): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "mutant" });
  await Deno.copyFile(`${root}/mod.ts`, `${folder}/mod.ts`);
  for (const part of ["src", "tests/simulation"]) await copy(`${root}/${part}`, `${folder}/${part}`);
  await Deno.mkdir(`${folder}/scripts`);
  for (const script of ["soak.ts", "progress.ts"]) {
    await Deno.copyFile(`${root}/scripts/${script}`, `${folder}/scripts/${script}`);
  }
  await edit(folder, mutant);
  return folder;
}

/**
 * Checks the types of all mutants at once. One that names what the sources no longer have throws in the simulation, and
 * would count as found for that.
 *
 * @throws {Error} If the sources have moved on from under a mutant: it has to be written anew.
 */
async function requireValid(wanted: readonly Mutant[]): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mutants" });
  try {
    const files: string[] = [];
    for (const mutant of wanted) {
      const own = `${folder}/${mutant.name.replaceAll(/\W+/g, "_")}`;
      await copy(`${root}/src`, `${own}/src`);
      await edit(own, mutant);
      files.push(...mutant.edits.map(({ file }) => `${own}/src/${file}`));
    }
    // What a rule needed may be of no use without it.
    const compilerOptions = { ...manifest().compilerOptions, noUnusedParameters: false };
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ compilerOptions }));
    const { code, output } = await deno(["check", "-q", ...new Set(files)], { cwd: folder });
    if (code !== 0) throw new Error(`Some mutants do not fit the sources:\n${output}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Verdict {
  readonly mutant: Mutant;
  readonly steps: number;
  /** Undefined: it survived. */
  readonly message: string | undefined;
}

async function judge(mutant: Mutant): Promise<Verdict> {
  const folder = await copyWith(mutant);
  try {
    const args = ["run", "-A", "-q", "--no-check", "--no-config", `${folder}/scripts/soak.ts`];
    const command = new Deno.Command(Deno.execPath(), {
      args: [...args, "--worker", "1", `${SEEDS}`, "1"],
      stderr: "inherit",
    });
    const { code, stdout } = await command.output();
    if (code !== 0) throw new Error(`The mutant "${mutant.name}" does not run`);
    // The lines before the last one say how far it was.
    const { steps, failures } = JSON.parse(new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!);
    const [failure] = failures;
    return { mutant, steps, message: failure && `seed ${failure.seed}: ${failure.message}` };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function judgeAll(wanted: readonly Mutant[]): Promise<Verdict[]> {
  const waiting = [...wanted];
  const verdicts: Verdict[] = [];
  const work = async () => {
    for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
      const verdict = await judge(mutant);
      verdicts.push(verdict);
      const { steps, message } = verdict;
      console.log(
        `${message === undefined ? "SURVIVES" : "found   "} ${mutant.name.padEnd(52)}` +
          `${steps.toLocaleString("en").padStart(12)}  ${message?.slice(0, 100) ?? ""}`,
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return verdicts;
}

if (import.meta.main) {
  const wanted = mutants.filter(({ name }) =>
    Deno.args.length === 0 ? !leftToModel.has(name) : Deno.args.some((word) => name.includes(word))
  );
  await requireValid(wanted);
  const verdicts = await judgeAll(wanted);
  const survivors = verdicts.filter(({ message }) => message === undefined);
  console.log(`${verdicts.length - survivors.length} of ${verdicts.length} mutants found`);
  if (Deno.args.length === 0) console.log(`${leftToModel.size} are left to deno task model`);
  Deno.exit(survivors.length === 0 && verdicts.length > 0 ? 0 : 1);
}
