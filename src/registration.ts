/**
 * What becomes of a response: it gets its entity tag, and is registered if it says what it was built from.
 *
 * @module
 */
import { parseCacheGroups } from "./cache_groups.ts";
import { parseEntityTag } from "./entity_tag.ts";
import type { Source } from "./group.ts";
import { parseHttpDate } from "./http_date.ts";
import type { Lease, Reason } from "./registry.ts";
import { amend, replayedFields } from "./responses.ts";
import { isResponse, type Site } from "./site.ts";
import { isPublic, whyNotStored } from "./storing.ts";
import { evaluated } from "./validation.ts";
import { deriveTag, digestTag, representationId } from "./validator.ts";
import { varyFields } from "./vary.ts";

/** One GET or HEAD on its way through the handler. */
export interface Exchange {
  readonly request: Request;
  readonly caller: string | undefined;
  /** Undefined for HEAD, which never registers. */
  readonly lease: Lease | undefined;
}

/** What the handler answered, tagged and registered as far as it may be. */
export function complete(site: Site, exchange: Exchange, result: unknown): unknown {
  if (!isResponse(result)) {
    exchange.lease?.release();
    return result;
  }
  const { request, caller, lease } = exchange;
  const field = result.headers.get("cache-groups");
  const own = result.headers.get("etag") ?? undefined;
  if (field === null && (own !== undefined || !site.digest)) {
    return unregistered(site, exchange, result, "undeclared");
  }
  const sources = field === null ? [] : parseCacheGroups(field);
  const malformed = sources === undefined || (own !== undefined && parseEntityTag(own) === undefined);
  const refusal = malformed ? "malformed" : whyNotStored(request.headers, result, caller);
  if (refusal !== undefined) return unregistered(site, exchange, result, refusal);
  const vary = varyFields(result.headers.get("vary"));
  const representation = representationId(request.headers, result, vary, caller);
  const tag = own ?? deriveTag(sources!, site.build, representation);
  const offer = { sources: sources!, vary, tag };
  // The body of a HEAD is not there to be read.
  if (tag === undefined && site.digest && lease !== undefined) {
    return digested(site, exchange, result, offer, representation);
  }
  return registered(site, exchange, result, offer);
}

/** What is known of a response that may be registered. */
interface Offer {
  /** Empty where nothing is declared, and so nothing may be registered. */
  readonly sources: readonly Source[];
  readonly vary: readonly string[];
  readonly tag: string | undefined;
}

function unregistered(site: Site, exchange: Exchange, response: Response, why: Reason): Response {
  exchange.lease?.release();
  site.registry.count(why);
  return evaluated(site, exchange.request, why === "undeclared" ? response : amend(response, undefined));
}

function registered(site: Site, exchange: Exchange, response: Response, offer: Offer): Response {
  const { request, lease } = exchange;
  const { headers } = response;
  let { tag } = offer;
  if (offer.sources.length === 0) {
    lease?.release();
    site.registry.count("undeclared");
  } else if (lease !== undefined) {
    const entry = site.registry.register(lease, {
      etag: tag,
      lastModified: parseHttpDate(headers.get("last-modified") ?? ""),
      fields: replayedFields(headers, site.replay),
      isPublic: isPublic(response),
      vary: offer.vary,
      sources: offer.sources,
    }, request.headers);
    // A derived tag says what the response was built from, registered or not. A minted one says only that it was.
    if (typeof entry !== "string") tag = entry.etag;
  }
  return evaluated(site, request, amend(response, tag));
}

async function digested(
  site: Site,
  exchange: Exchange,
  response: Response,
  offer: Offer,
  representation: string,
): Promise<Response> {
  let body: ArrayBuffer;
  try {
    body = await response.arrayBuffer();
  } catch (error) {
    exchange.lease?.release();
    throw error;
  }
  const { status, statusText, headers } = response;
  const read = new Response(body, { status, statusText, headers });
  return registered(site, exchange, read, { ...offer, tag: await digestTag(body, representation) });
}
