/**
 * Deno, on all cores: each of its threads loads this module, and so has a registry and a follower of its own.
 *
 *     deno serve -A --parallel --port 8000 examples/processes/deno.ts
 *
 * `DENO_JOBS` says how many; by default there is one for each core.
 */
import { createSite } from "./site.ts";

const server: Deno.ServeDefaultExport = { fetch: createSite() };

export default server;
