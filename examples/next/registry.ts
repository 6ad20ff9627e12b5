/**
 * The one registry of this process.
 *
 * Next bundles `instrumentation.ts`, the route handlers and the pages apart, and each bundle has its own instance of
 * this module; `next dev` makes a new instance with each hot reload. `globalThis` is one for all of them. With
 * `export const registry = new EtagRegistry()` the feed would keep another registry than the routes ask, and the routes'
 * would answer nothing, for the reason `unfollowed`.
 */
import { EtagRegistry } from "@stillfresh/etag";

const REGISTRY: unique symbol = Symbol.for("notes registry");
const shared = globalThis as { [REGISTRY]?: EtagRegistry };

export const registry: EtagRegistry = shared[REGISTRY] ??= new EtagRegistry();
