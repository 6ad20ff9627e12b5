/** Snapshots as bytes: written at once, changed, and restored. */
import { EtagRegistry, type RestoreOptions } from "../../mod.ts";

/** All bytes of a registry's snapshot, read to its end. */
export async function saved(registry: EtagRegistry): Promise<Uint8Array> {
  return new Uint8Array(await new Response(registry.snapshot()).arrayBuffer());
}

/** A source that gives these pieces. */
export async function* from(...pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield await Promise.resolve(piece);
}

/** A registry that begins with a snapshot. */
export function restored(snapshot: Uint8Array, options: RestoreOptions): Promise<EtagRegistry> {
  return EtagRegistry.restore(from(snapshot), options);
}

const decoder = new TextDecoder();

/** The lines of a snapshot. */
export function linesOf(snapshot: Uint8Array): string[] {
  return decoder.decode(snapshot).trimEnd().split("\n");
}

/** The keys under which a snapshot has entries, in its order. */
export function keysOf(snapshot: Uint8Array): string[] {
  return linesOf(snapshot).filter((line) => line.startsWith("[")).map((line) => JSON.parse(line)[0]);
}
