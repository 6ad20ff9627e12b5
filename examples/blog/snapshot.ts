/** The registry in a file, so that a restart begins warm. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import process from "node:process";
import type { EtagRegistry } from "../../mod.ts";

const interval = 30_000;

/** What an earlier process left; undefined where there is no file, or none that may be read. */
export async function openSnapshot(file: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    return (await open(file)).createReadStream();
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "ENOENT") console.error(`blog: ${file} cannot be read: ${message}`);
    return undefined;
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
    const handle = await open(draft, "w");
    try {
      for await (const piece of registry.snapshot()) await writeAll(handle, piece);
      // The name must not be there before the bytes, or a power failure leaves an empty file.
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    console.error(`blog: ${file} cannot be written: ${(error as Error).message}`);
    await rm(draft, { force: true });
  }
}

async function writeAll(handle: FileHandle, piece: Uint8Array): Promise<void> {
  for (let at = 0; at < piece.length;) at += (await handle.write(piece, at)).bytesWritten;
}
