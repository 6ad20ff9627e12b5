/**
 * What becomes of a response: it gets its entity tag, and is registered if it says what it was built from.
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { parseEntityTag } from "../http/entity_tag.ts";
import { groupOf, type Source } from "../http/dependency.ts";
import { groupField } from "../http/cdn_tags.ts";
import { parseHttpDate } from "../http/http_date.ts";
import type { Reason } from "../registry/registry.ts";
import { amend, pick } from "./responses.ts";
import { type Exchange, isResponse, type Site } from "./context.ts";
import { mintTag } from "../registry/random_tag.ts";
import { isPublic, whyNotStored } from "./cacheable.ts";
import { evaluated, explained } from "./evaluate.ts";
import { deriveTag, digestTag, type Representation, representationOf, sourcesId } from "./derived_tag.ts";
import { varyFields } from "../registry/storage_key.ts";

/** What is known of a response by the time that it may be registered. */
interface Offer {
  /** Empty where nothing is declared, and so nothing may be registered. */
  readonly sources: readonly Source[];
  readonly vary: readonly string[];
  /** The handler's own tag, or one that was derived. */
  readonly tag: string | undefined;
  /** Whether equal tags mean equal sources. */
  readonly telling: boolean;
  readonly representation: Representation;
}

/** Characters of a declaration: several thousand documents. Who needs more names a group instead. */
const MOST_DECLARED = 262_144;

/** What the handler answered, tagged and registered as far as it may be. */
export function complete(site: Site, exchange: Exchange, result: unknown): unknown {
  if (!isResponse(result)) {
    exchange.lease?.release();
    return result;
  }
  const { request, key, caller, lease, audited } = exchange;
  if (audited !== undefined && !confirms(site, exchange, audited.etag)) {
    return complete(site, { ...exchange, audited: undefined }, result);
  }
  const { headers } = result;
  const field = headers.get("cache-groups");
  if (field === null && !site.digest) return passed(site, exchange, result);
  const own = headers.get("etag") ?? undefined;
  if (field === null && own !== undefined) return passed(site, exchange, result);
  const declared = declarationOf(field, own, headers.get("vary"));
  if (typeof declared === "string") return refused(site, exchange, result, [], declared);
  const { sources, vary } = declared;
  const refusal = whyNotStored(request.headers, result, caller);
  if (refusal !== undefined) return refused(site, exchange, result, sources, refusal);
  const representation = representationOf(key, request.headers, result, vary, caller);
  const tag = own ?? deriveTag(sources, site.build, representation);
  const offer = { sources, vary, tag, telling: own === undefined, representation };
  // The body of a HEAD is not there to be read.
  if (tag !== undefined || !site.digest || lease === undefined) {
    return registered(site, exchange, result, offer);
  }
  return digested(site, exchange, result, offer);
}

/** Whether the registry may still confirm a tag: void or gone meanwhile, there is nothing to check any more. */
function confirms({ registry }: Site, { key, caller, request }: Exchange, etag: string): boolean {
  return registry.peek(key, request.headers, caller)?.etag === etag;
}

/** What a response says that it was built from and selected by, else why that cannot be relied on. */
function declarationOf(
  field: string | null,
  etag: string | undefined,
  varied: string | null,
): Pick<Offer, "sources" | "vary"> | Reason {
  if (field !== null && field.length > MOST_DECLARED) return "declaration-too-large";
  const sources = field === null ? [] : parseCacheGroups(field);
  const vary = varyFields(varied);
  if (sources === undefined || vary === undefined) return "malformed";
  return etag !== undefined && parseEntityTag(etag) === undefined ? "malformed" : { sources, vary };
}

/** An undeclared response: the same object, as a rule. */
function passed(site: Site, exchange: Exchange, response: Response): Response {
  exchange.lease?.release();
  site.registry.count("undeclared");
  const { request, why, audited } = exchange;
  // As a rule there is nothing to take off, and to try costs a look at each field.
  const bare = response.headers.has("cache-group-invalidation") ? amend(response) : response;
  if (audited !== undefined) audit(site, exchange, bare, [], "undeclared");
  const handling = { why, handlerStatus: response.status, refusal: "undeclared" as const };
  return explained(site, evaluated(site, request, bare, why), handling);
}

function refused(
  site: Site,
  exchange: Exchange,
  response: Response,
  sources: readonly Source[],
  refusal: Reason,
): Response {
  exchange.lease?.release();
  site.registry.count(refusal);
  return delivered(site, exchange, response, { sources, tag: undefined }, refusal);
}

function registered(site: Site, exchange: Exchange, response: Response, offer: Offer): Response {
  const { request, lease } = exchange;
  if (offer.sources.length === 0) {
    return refused(site, exchange, amend(response, tagField(offer.tag)), [], "undeclared");
  }
  if (lease === undefined) return delivered(site, exchange, response, offer, undefined);
  const { headers } = response;
  // Only a minted tag carries it.
  const representation = offer.tag === undefined ? sourcesId(offer.representation, offer.sources) : "";
  const fields = pick(headers, site.replayed);
  const entry = site.registry.register(lease, {
    etag: offer.tag,
    representation,
    lastModified: parseHttpDate(headers.get("last-modified") ?? ""),
    fields: offer.telling ? fields : { ...fields, ...groupFieldsOf(site, offer.sources) },
    isPublic: isPublic(response),
    vary: offer.vary,
    sources: offer.sources,
  }, request.headers);
  if (typeof entry !== "string") {
    return delivered(site, exchange, response, { ...offer, tag: entry.etag }, undefined);
  }
  if (offer.tag !== undefined) return delivered(site, exchange, response, offer, entry);
  const minted = { ...offer, tag: mintTag(representation) };
  // Its tag is new whatever the answer is; what it was built from says whether a check has found another.
  const same = exchange.audited?.etag.endsWith(`.${representation}"`) === true;
  const judged = same ? { ...exchange, audited: undefined } : exchange;
  return delivered(site, judged, response, minted, entry);
}

async function digested(
  site: Site,
  exchange: Exchange,
  response: Response,
  offer: Offer,
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
  return registered(site, exchange, read, {
    ...offer,
    tag: await digestTag(body, offer.representation),
    telling: false,
  });
}

/** The response as the client gets it, or the 304 or 412 in its place. */
function delivered(
  site: Site,
  exchange: Exchange,
  response: Response,
  { sources, tag }: Pick<Offer, "sources" | "tag">,
  refusal: Reason | undefined,
): Response {
  const groups = groupFieldsOf(site, sources);
  if (sources.length > 0) {
    for (const name of site.groupFields) if (!(name in groups)) site.registry.count("group-field-too-large");
  }
  const { status } = response;
  const amended = amend(response, { ...groups, ...tagField(tag) });
  const { request, lease, why, audited } = exchange;
  if (audited !== undefined) audit(site, exchange, amended, sources, refusal);
  const stored = lease !== undefined && refusal === undefined;
  return explained(site, evaluated(site, request, amended, why), {
    why,
    handlerStatus: status,
    stored,
    refusal,
  });
}

/** The groups for caches in front, in each field that was asked for and is large enough. */
function groupFieldsOf({ groupFields }: Site, sources: readonly Source[]): Record<string, string> {
  const fields: Record<string, string> = {};
  if (sources.length === 0) return fields;
  for (const name of groupFields) {
    const value = groupField(name, sources);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

function tagField(tag: string | undefined): Record<string, string> {
  return tag === undefined ? {} : { etag: tag };
}

/** Compares what the handler gave with what the registry would have confirmed. */
function audit(
  { registry, onAudit }: Site,
  { key, audited, lease }: Exchange,
  { headers }: Response,
  sources: readonly Source[],
  refusal: Reason | undefined,
): void {
  const registered = audited!.etag;
  const answered = headers.get("etag") ?? undefined;
  if (answered === registered) return;
  // A tag that takes the body, or an entry, is not given to a HEAD.
  if (lease === undefined && answered === undefined && refusal === undefined) return;
  registry.count("audit-mismatch");
  registry.delete(key);
  onAudit?.({ key, registered, answered, groups: sources.map(groupOf), refusal });
}
