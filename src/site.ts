/**
 * What one wrapped handler works with, and how its answers are recognised.
 *
 * @module
 */
import type { EtagRegistry } from "./registry.ts";

/** What one wrapped handler works with. */
export interface Site {
  /** Where valid tags are kept. */
  readonly registry: EtagRegistry;
  /** In every tag that is derived. */
  readonly build: string;
  /** Whether bodies that nothing else identifies are read and hashed. */
  readonly digest: boolean;
  /** Further fields that a 304 replays. */
  readonly replay: readonly string[];
}

/** Told by its parts and not by its class: servers on Node replace the global. */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null) return false;
  const { status, headers } = value as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}
