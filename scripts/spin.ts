/** Spin, which keeps files of its own beside the model: so each run has a copy. */
import { root } from "./run.ts";

export type ModelFile = "consistency.pml" | "own_feed.pml";

/** Has a copy of a model in a folder for as long as it is used. */
export async function withModel<T>(model: ModelFile, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "model" });
  try {
    await Deno.copyFile(`${root}tests/model/${model}`, `${folder}/${model}`);
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Debian packages, by a command of theirs that says which it is. */
const PACKAGES = { spin: ["spin", "-V"], gcc: ["cc", "--version"] } as const;

/** Ends the program, and says so, where a package is missing. */
export async function requirePackages(
  what: string,
  names: readonly (keyof typeof PACKAGES)[],
): Promise<void> {
  const missing: string[] = [];
  for (const name of names) {
    const [command, arg] = PACKAGES[name];
    if (!await isInstalled(command, arg)) missing.push(name);
  }
  if (missing.length === 0) return;
  console.log(
    `SKIPPED: ${what}, because ${missing.join(" and ")} cannot be run. ` +
      `On Debian: apt-get install ${missing.join(" ")}`,
  );
  Deno.exit(0);
}

async function isInstalled(command: string, arg: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: [arg], stdout: "null", stderr: "null" }).output())
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
