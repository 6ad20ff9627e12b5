/** What each of these examples gives: a handler for any server, and what stands behind it. */
import type { EtagRegistry, Follower } from "../../mod.ts";

export interface Served {
  readonly fetch: (request: Request) => Response | Promise<Response>;
  readonly registry: EtagRegistry;
  readonly follower: Follower;
}

/** For everyone, and to be asked about each time. */
export const PUBLIC = { "cache-control": "public, no-cache" };

/** Null in the place of the error of a document that does not exist. */
export function nullIfMissing(error: { readonly statusCode?: number }): null {
  if (error.statusCode === 404) return null;
  throw error;
}

/** The id of a post in the path; undefined for any other, because a database holds more than what is public. */
export function postIdOf({ url }: Pick<Request, "url">): string | undefined {
  return /^\/(post-[\w-]+)$/.exec(new URL(url).pathname)?.[1];
}

/** Text, as HTML and XML have it. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);
}
