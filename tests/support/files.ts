/** The files of the repository, as tests about the tests see them. */
import { readdirSync } from "node:fs";

/** What is installed beside the files of the repository, and is none of them. */
const INSTALLED = "node_modules";

/** The names of the folders in a folder, sorted. */
export function foldersIn(folder: URL): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return entries.map(({ name }) => name).filter((name) => name !== INSTALLED).sort();
}

/** The paths of all files below a folder, relative to it, with `/` between. */
export function filesBelow(folder: URL): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile());
  const below = foldersIn(folder).flatMap((name) =>
    filesBelow(new URL(`${name}/`, folder)).map((path) => `${name}/${path}`)
  );
  return [...entries.map(({ name }) => name), ...below];
}
