/** The registry in a file, so that a restart begins warm. */
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import process from "node:process";
import type { EtagRegistry } from "../../mod.ts";

const interval = 30_000;

/**
 * What an earlier process left; undefined where there is no file, or none that may be read.
 *
 * @param onProgress Called after each piece with the bytes read so far and in all.
 */
export async function openSnapshot(
  file: string,
  onProgress: (read: number, total: number) => void = () => {},
): Promise<AsyncIterable<Uint8Array> | undefined> {
  try {
    const handle = await open(file);
    const { size } = await handle.stat();
    return counted(handle.createReadStream(), size, onProgress);
  } catch (error) {
    const { code, message } = error as { code?: string; message: string };
    if (code !== "ENOENT") console.error(`blog: ${file} cannot be read: ${message}`);
    return undefined;
  }
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  total: number,
  onProgress: (read: number, total: number) => void,
): AsyncIterable<Uint8Array> {
  let read = 0;
  for await (const piece of pieces) {
    yield piece;
    read += piece.length;
    onProgress(read, total);
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
