/**
 * What becomes of a response: it gets its entity tag, and is registered if it says what it was built from.
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { parseEntityTag } from "../http/entity_tag.ts";
import { groupOf, type Source } from "../http/dependency.ts";
import { purgeField } from "../http/cdn_tags.ts";
import { parseHttpDate } from "../http/http_date.ts";
import type { Reason } from "../registry/registry.ts";
import { pick, withFields } from "./responses.ts";
import { type HandlerContext, isResponse, type RequestContext } from "./context.ts";
import { randomTag } from "../registry/random_tag.ts";
import { isPublic, uncacheableReason } from "./cacheable.ts";
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
  readonly identifiesDependencies: boolean;
  readonly representation: Representation;
}

/** Characters of a declaration: several thousand documents. Who needs more names a group instead. */
const MOST_DECLARED = 262_144;

/** What the handler answered, tagged and registered as far as it may be. */
export function complete(context: HandlerContext, exchange: RequestContext, result: unknown): unknown {
  if (!isResponse(result)) {
    exchange.lease?.release();
    return result;
  }
  const { request, key, caller, lease, audited } = exchange;
  if (audited !== undefined && !confirms(context, exchange, audited.etag)) {
    return complete(context, { ...exchange, audited: undefined }, result);
  }
  const { headers } = result;
  const field = headers.get("cache-groups");
  if (field === null && !context.hashBody) return passed(context, exchange, result);
  const own = headers.get("etag") ?? undefined;
  if (field === null && own !== undefined) return passed(context, exchange, result);
  const declared = declarationOf(field, own, headers.get("vary"));
  if (typeof declared === "string") return refused(context, exchange, result, [], declared);
  const { sources, vary } = declared;
  const refusal = uncacheableReason(request.headers, result, caller);
  if (refusal !== undefined) return refused(context, exchange, result, sources, refusal);
  const representation = representationOf(key, request.headers, result, vary, caller);
  const tag = own ?? deriveTag(sources, context.build, representation);
  const offer = { sources, vary, tag, identifiesDependencies: own === undefined, representation };
  // The body of a HEAD is not there to be read.
  if (tag !== undefined || !context.hashBody || lease === undefined) {
    return registered(context, exchange, result, offer);
  }
  return digested(context, exchange, result, offer);
}

/** Whether the registry may still confirm a tag: void or gone meanwhile, there is nothing to check any more. */
function confirms(
  { registry }: HandlerContext,
  { key, caller, request }: RequestContext,
  etag: string,
): boolean {
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
function passed(context: HandlerContext, exchange: RequestContext, response: Response): Response {
  exchange.lease?.release();
  context.registry.count("undeclared");
  const { request, why, audited } = exchange;
  // As a rule there is nothing to take off, and to try costs a look at each field.
  const bare = response.headers.has("cache-group-invalidation") ? withFields(response) : response;
  if (audited !== undefined) audit(context, exchange, bare, [], "undeclared");
  const handling = { why, handlerStatus: response.status, refusal: "undeclared" as const };
  return explained(context, evaluated(context, request, bare, why), handling);
}

function refused(
  context: HandlerContext,
  exchange: RequestContext,
  response: Response,
  sources: readonly Source[],
  refusal: Reason,
): Response {
  exchange.lease?.release();
  context.registry.count(refusal);
  return delivered(context, exchange, response, { sources, tag: undefined }, refusal);
}

function registered(
  context: HandlerContext,
  exchange: RequestContext,
  response: Response,
  offer: Offer,
): Response {
  const { request, lease } = exchange;
  if (offer.sources.length === 0) {
    return refused(context, exchange, withFields(response, tagField(offer.tag)), [], "undeclared");
  }
  if (lease === undefined) return delivered(context, exchange, response, offer, undefined);
  const { headers } = response;
  // Only a minted tag carries it.
  const representation = offer.tag === undefined ? sourcesId(offer.representation, offer.sources) : "";
  const fields = pick(headers, context.replayedNames);
  const entry = context.registry.register(lease, {
    etag: offer.tag,
    representation,
    lastModified: parseHttpDate(headers.get("last-modified") ?? ""),
    fields: offer.identifiesDependencies ? fields : { ...fields, ...groupFieldsOf(context, offer.sources) },
    isPublic: isPublic(response),
    vary: offer.vary,
    sources: offer.sources,
  }, request.headers);
  if (typeof entry !== "string") {
    return delivered(context, exchange, response, { ...offer, tag: entry.etag }, undefined);
  }
  if (offer.tag !== undefined) return delivered(context, exchange, response, offer, entry);
  const minted = { ...offer, tag: randomTag(representation) };
  // Its tag is new whatever the answer is; what it was built from says whether a check has found another.
  const same = exchange.audited?.etag.endsWith(`.${representation}"`) === true;
  const judged = same ? { ...exchange, audited: undefined } : exchange;
  return delivered(context, judged, response, minted, entry);
}

async function digested(
  context: HandlerContext,
  exchange: RequestContext,
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
  return registered(context, exchange, read, {
    ...offer,
    tag: await digestTag(body, offer.representation),
    identifiesDependencies: false,
  });
}

/** The response as the client gets it, or the 304 or 412 in its place. */
function delivered(
  context: HandlerContext,
  exchange: RequestContext,
  response: Response,
  { sources, tag }: Pick<Offer, "sources" | "tag">,
  refusal: Reason | undefined,
): Response {
  const groups = groupFieldsOf(context, sources);
  if (sources.length > 0) {
    for (const name of context.purgeFields) {
      if (!(name in groups)) context.registry.count("group-field-too-large");
    }
  }
  const { status } = response;
  const amended = withFields(response, { ...groups, ...tagField(tag) });
  const { request, lease, why, audited } = exchange;
  if (audited !== undefined) audit(context, exchange, amended, sources, refusal);
  const stored = lease !== undefined && refusal === undefined;
  return explained(context, evaluated(context, request, amended, why), {
    why,
    handlerStatus: status,
    stored,
    refusal,
  });
}

/** The groups for caches in front, in each field that was asked for and is large enough. */
function groupFieldsOf({ purgeFields }: HandlerContext, sources: readonly Source[]): Record<string, string> {
  const fields: Record<string, string> = {};
  if (sources.length === 0) return fields;
  for (const name of purgeFields) {
    const value = purgeField(name, sources);
    if (value !== undefined) fields[name] = value;
  }
  return fields;
}

function tagField(tag: string | undefined): Record<string, string> {
  return tag === undefined ? {} : { etag: tag };
}

/** Compares what the handler gave with what the registry would have confirmed. */
function audit(
  { registry, onAudit }: HandlerContext,
  { key, audited, lease }: RequestContext,
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
