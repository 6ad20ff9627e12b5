/**
 * A conditional request answered from the registry alone (RFC 9111 §4.3.2), without the handler.
 *
 * @module
 */
import { evaluateSelected, type Validators } from "../http/selected_representation.ts";
import type { StoredEntry } from "../registry/entry.ts";
import type { LookupRefusal, Outcome } from "../registry/reason.ts";
import { hasCredentials } from "./cacheable.ts";
import { answeredStatus } from "./cache_status.ts";
import type { HandlerContext } from "./context.ts";
import { countOverlongLists, spellingFields, taggedRepresentation, whyRefused } from "./evaluate.ts";
import { preconditionFailed } from "./refusals.ts";
import { crossOriginFields } from "./responses.ts";
import { endRequest, tellEnd } from "./tell.ts";

/**
 * The answer, else why the handler has to run.
 *
 * @param isHead Whether its method is HEAD; reading that takes as long as a tenth of a hit.
 */
export function answerFromRegistry(
  context: HandlerContext,
  request: Request,
  key: string,
  caller: string | undefined,
  isHead: boolean,
): Response | LookupRefusal | Outcome {
  const { registry } = context;
  const { headers } = request;
  const field = headers.get("if-none-match");
  if (field === null && !headers.has("if-match")) return count(context, "unconditional");
  const entry = registry.lookup(key, headers, caller);
  if (typeof entry === "string") return entry;
  if (!entry.headers.isPublic && caller === undefined && hasCredentials(headers)) {
    return count(context, "credentials");
  }
  const isAlone = matchesAlone(entry, field, headers);
  const outcome = isAlone ? 304 : evaluate(context, request, entry);
  if (outcome === 412) {
    endRequest(registry, request, "precondition-failed");
    const status = answeredStatus(context.cacheName, "precondition-failed");
    const why = whyRefused(request, validatorsOf(entry));
    return preconditionFailed(request, why, { ...crossOriginFields(entry.headers.fields), ...status });
  }
  // A date alone is for the handler to answer: evaluate.ts says why.
  if (outcome !== 304 || field === null) return count(context, "tag-differs");
  if (context.audit?.shouldAudit()) return count(context, "audit");
  // By its own name: under one that varies, V8 takes as long as it does to read a field of a request.
  registry.counters.hit++;
  // The response to a HEAD has no content anyway.
  if (!isHead) registry.savedByHits += entry.length;
  if (registry.observers.tell !== undefined) tellEnd(registry, request, "hit");
  return notModified(context, entry, isAlone ? undefined : headers);
}

/**
 * A 304 of its own for each hit: what a middleware does to one must not show in the next.
 *
 * @param asked The request's fields, if they may spell the tag otherwise.
 */
function notModified(
  { registry, cacheName, nativeHeaders }: HandlerContext,
  { headers, etag }: StoredEntry,
  asked: Headers | undefined,
): Response {
  if (nativeHeaders && cacheName === undefined && asked === undefined) {
    const response = new Response(null, {
      status: 304,
      headers: headers.ready ?? registry.readyHeaders(headers),
    });
    response.headers.set("etag", etag);
    return response;
  }
  const fields: Record<string, string> = { ...headers.fields, etag };
  if (asked !== undefined) Object.assign(fields, spellingFields(asked, etag, fields["vary"]));
  if (cacheName !== undefined) Object.assign(fields, answeredStatus(cacheName, "hit"));
  return new Response(null, { status: 304, headers: fields });
}

/** Whether the request has one condition, and it names the entry's tag and no other: as most clients ask. */
function matchesAlone({ etag, lastModified }: StoredEntry, field: string | null, headers: Headers): boolean {
  return field === etag && !headers.has("if-match") &&
    (lastModified === undefined || !headers.has("if-unmodified-since"));
}

function evaluate(
  context: HandlerContext,
  request: Request,
  entry: StoredEntry,
): "proceed" | 304 | 412 {
  countOverlongLists(context, request.headers);
  return evaluateSelected(request, taggedRepresentation(validatorsOf(entry)));
}

function validatorsOf({ etag, lastModified }: StoredEntry): Validators {
  return { etag, lastModified: lastModified === undefined ? undefined : new Date(lastModified * 1000) };
}

function count<R extends LookupRefusal | Outcome>({ registry }: HandlerContext, reason: R): R {
  registry.count(reason);
  return reason;
}
