/**
 * Fields of a response that repeat what its request said of itself. A 304 that repeats them for another request would
 * allow the wrong origin, or name the host of a stranger.
 *
 * @module
 */
import type { HandlerContext, RequestContext } from "./context.ts";
import { CROSS_ORIGIN } from "./responses.ts";

/** What the echoes in a response mean for its registration. */
export interface Echo {
  /** The fields that a 304 may repeat. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether the request's Origin selects the response, whatever its Vary says. */
  readonly byOrigin: boolean;
  /** Whether a cross-origin field repeats the host. Without that field a 304 is of no use, and with it, it is wrong. */
  readonly hostEchoed: boolean;
}

/** Looks for the request's Origin and Host in the fields that a 304 would repeat. */
export function echoIn(
  { keyedByUrl }: HandlerContext,
  { request: { headers }, url }: RequestContext,
  fields: Readonly<Record<string, string>>,
): Echo {
  const origin = headers.get("origin");
  const byOrigin = origin !== null && Object.values(fields).some((value) => value.includes(origin));
  // A key that is the URL holds the host.
  if (keyedByUrl) return { fields, byOrigin, hostEchoed: false };
  const hosts = [hostOf(url), headers.get("host")].filter((host) => host !== null && host !== "");
  const echoing = (value: string) => hosts.some((host) => value.includes(host!));
  const kept = Object.entries(fields).filter(([name, value]) => isCrossOrigin(name) || !echoing(value));
  const hostEchoed = kept.some(([, value]) => echoing(value) && value !== origin);
  return { fields: Object.fromEntries(kept), byOrigin, hostEchoed };
}

function isCrossOrigin(name: string): boolean {
  return (CROSS_ORIGIN as readonly string[]).includes(name);
}

/** Empty where the URL has none: a Request may be made up. */
function hostOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return "";
  }
}
