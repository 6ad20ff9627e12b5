/** A copy of the library with a mutant in it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { applied, type Mutant } from "../mutants/mutant.ts";
import { type Library, loadLibrary } from "./library.ts";

const root = new URL("../../", import.meta.url);

/** Loads a copy with a mutant for as long as it is used. */
export async function withMutant<T>(
  { edits }: Mutant,
  use: (library: Library) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "mutant-"));
  try {
    cpSync(new URL("src", root), join(folder, "src"), { recursive: true });
    cpSync(new URL("mod.ts", root), join(folder, "mod.ts"));
    // Says that the sources are modules, so that a runtime need not find out.
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    for (const edit of edits) {
      const path = join(folder, "src", edit.file);
      writeFileSync(path, applied(edit, readFileSync(path, "utf8")));
    }
    return await use(await loadLibrary(pathToFileURL(`${folder}/`)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
