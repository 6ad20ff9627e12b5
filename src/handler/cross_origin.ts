/**
 * The fields without which a browser hides an answer from a script of another origin (Fetch, "CORS check"), for answers
 * that are made before the handler runs: as the handler gave them last to the same origin, for the same resource.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import { CROSS_ORIGIN, pickFields } from "./responses.ts";

/** Notes what a response of the handler has, for a request of that origin. */
export function noteCrossOrigin(
  registry: RegistryCore,
  key: string | undefined,
  origin: string | null,
  { status, headers }: Response,
): void {
  if (origin === null || key === undefined) return;
  const allows = headers.has("access-control-allow-origin");
  // An error that is made elsewhere may lack the fields, and says nothing of the resource.
  if (!allows && (status < 200 || status >= 300)) return;
  registry.noteCrossOrigin(key, origin, allows ? pickFields(headers, CROSS_ORIGIN) : undefined);
}
