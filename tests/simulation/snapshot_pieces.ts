/** Snapshots without turns between their pieces: turns are not of the simulated time. */
import type { RegistryCore } from "../../src/registry/core.ts";
import type { SnapshotRefusal } from "../../src/registry/snapshot_reader.ts";

/** The pieces of a snapshot that is written at one moment. */
export function piecesOf(core: RegistryCore, mostEntries?: number): Uint8Array[] {
  const writer = core.snapshot(mostEntries);
  const pieces: Uint8Array[] = [];
  for (let piece = writer.next(); piece !== undefined; piece = writer.next()) pieces.push(piece);
  return pieces;
}

/** Restores these pieces into a new registry at once. */
export function restoreAtOnce(
  core: RegistryCore,
  pieces: readonly Uint8Array[],
): SnapshotRefusal | undefined {
  const reader = core.restore();
  for (const piece of pieces) reader.push(piece);
  return reader.end();
}
