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
