/** The registry in a file, so that a restart begins warm. */
import { readFile, rename, writeFile } from "node:fs/promises";
import process from "node:process";
import type { EtagRegistry } from "../../mod.ts";

const interval = 30_000;

/** What an earlier process left; undefined where there is no file, null where it cannot be read. */
export async function readSnapshot(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, "utf8"));
  } catch (error) {
    return (error as { code?: string }).code === "ENOENT" ? undefined : null;
  }
}

/** Writes the registry to a file every 30 seconds, and a last time when closed. */
export function keepSnapshot(registry: EtagRegistry, file: string): { close(): Promise<void> } {
  let last = Promise.resolve();
  const save = () => last = last.then(() => write(registry, file));
  const timer = setInterval(save, interval);
  return {
    close() {
      clearInterval(timer);
      return save();
    },
  };
}

/** A reader of the file finds a whole snapshot, the previous one or this one, because a rename is atomic. */
async function write(registry: EtagRegistry, file: string): Promise<void> {
  const draft = `${file}.${process.pid}`;
  try {
    await writeFile(draft, JSON.stringify(registry.snapshot()));
    await rename(draft, file);
  } catch (error) {
    console.error(`blog: ${file} cannot be written: ${(error as Error).message}`);
  }
}
