/**
 * What requests are made with.
 *
 * @module
 */

/** Makes a request, as the platform's `fetch` does. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/** The platform's `fetch`, looked up at each request: a program may replace it after a feed was made. */
export function platformFetch(url: string, init: RequestInit): Promise<Response> {
  return globalThis.fetch(url, init);
}

/**
 * Keeps a cache of the platform out. `workerd` throws at a field that it does not have, and has this one since the
 * compatibility date 2024-11-11; it has no such cache before.
 */
export function uncachedRequest(): RequestInit {
  return "cache" in Request.prototype ? { cache: "no-store" } : {};
}
