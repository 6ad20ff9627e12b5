/**
 * What becomes of a response that the handler gave. Its fields are read, it gets its entity tag, it is registered if it
 * says what it was built from, and then its fields are written: `inspect`, `tagFor`, `register`, `finish`.
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { purgeField } from "../http/cdn_tags.ts";
import {
  type DeclaredDependency,
  declaredIn,
  DEPENDS_ON,
  FOLLOWED,
  GUARD,
  readDeclaration,
} from "../http/dependency.ts";
import { parseEntityTag } from "../http/entity_tag.ts";
import { parseHttpDate } from "../http/http_date.ts";
import { varyFields } from "../http/vary.ts";
import type { BodyRecord } from "../registry/entry.ts";
import { randomTag } from "../registry/random_tag.ts";
import type { RegistrationRefusal } from "../registry/reason.ts";
import { forwardedStatus } from "./cache_status.ts";
import type { AuditedAnswer } from "./audit.ts";
import { cacheability, expiryOf } from "./cacheable.ts";
import type { HandlerContext, RequestContext } from "./context.ts";
import { type Current, readCurrent } from "./current_state.ts";
import {
  dependenciesId,
  deriveTag,
  digestTag,
  representationOf,
  type Revision,
  toldBy,
} from "./derived_tag.ts";
import { echoIn } from "./echo.ts";
import { evaluateAgainst, spellingFields, whyRefused } from "./evaluate.ts";
import { preconditionFailed } from "./refusals.ts";
import {
  cancelBody,
  CROSS_ORIGIN,
  isDecoded,
  isResponse,
  notModifiedInstead,
  pickFields,
  remade,
  withFields,
} from "./responses.ts";

/** Characters of a declaration: several thousand documents. A longer one can name a group instead. */
const MOST_DECLARED = 262_144;

/** What the fields of a response say. */
interface Facts {
  /** Empty where nothing is declared. */
  readonly dependencies: readonly DeclaredDependency[];
  /** The handler's own entity tag. */
  readonly ownTag: string | undefined;
  /** The request fields that selected the response. */
  readonly vary: readonly string[];
  readonly isPublic: boolean;
  /** The groups for caches in front. */
  readonly purgeFields: Readonly<Record<string, string>>;
  /** Why the response may neither be registered nor get a tag of ours; undefined if it may. */
  readonly refusal: RegistrationRefusal | undefined;
}

/** The entity tag that a response is to have. */
interface TagChoice {
  /** Undefined: its own, or none, or a random one where it is registered. */
  readonly etag: string | undefined;
  /** What a random tag carries, in etagc. */
  readonly id: string;
  /** Whether equal tags mean equal dependencies. */
  readonly identifiesDependencies: boolean;
  /** Whether it is a digest of the body. */
  readonly isHashed?: boolean;
  /**
   * The same without what `current` said, for a response that may be older than that: what a replica or a view answers
   * may lag behind the document.
   */
  readonly untold?: TagChoice;
}

/** Whether a response was registered, and under which tag. */
interface Registered {
  /** Undefined: no tag of ours. */
  readonly etag: string | undefined;
  /** Undefined: it was registered, or it answers a HEAD. */
  readonly refusal: RegistrationRefusal | undefined;
  /** Whether an audit has found that the tag, or the entry that it was to confirm, stands for another response. */
  readonly isRefuted: boolean;
}

/** Reasons for which a response may be older than what the database has reported. */
const STALE: ReadonlySet<RegistrationRefusal | undefined> = /* @__PURE__ */ new Set(
  [
    "lease-broken",
    "settling",
    "revision-differs",
    "superseded",
  ] as const,
);

/** Where caches in front are purged by group, the change that such a response missed has been purged already. */
const NOT_FOR_SHARED_CACHES = { "cache-control": "private, no-cache", "cdn-cache-control": "no-store" };

const NO_TAG: TagChoice = { etag: undefined, id: "", identifiesDependencies: true };

/** The response as the client gets it; what is no Response is returned untouched. */
export function finishRetrieval(context: HandlerContext, request: RequestContext, result: unknown): unknown {
  if (!isResponse(result)) {
    request.lease?.release();
    return result;
  }
  context.crossOrigin.note(request.key, request.request.headers.get("origin"), result);
  const facts = inspect(context, request, result);
  const finishWith = (written: readonly Revision[]) => finishTagged(context, request, result, facts, written);
  return asksCurrent(context, request, facts) ? askCurrent(request).then(finishWith) : finishWith([]);
}

/**
 * Whether the document that the response is about may be named without its revision, so that the tag cannot tell a write
 * which state it is of: where the first dependency that is no group of a follower is a bare name.
 */
function asksCurrent(
  { hashBody }: HandlerContext,
  { current, lease }: RequestContext,
  { dependencies, ownTag, refusal }: Facts,
): boolean {
  if (current === undefined || lease === undefined || refusal !== undefined || ownTag !== undefined) {
    return false;
  }
  const built = dependencies.filter((dependency) => !dependency[GUARD] && dependency[FOLLOWED] === undefined);
  const [first] = built;
  if (first === undefined) return hashBody;
  return first._rev === undefined;
}

/** The documents that `current` gives; none where it cannot tell, or was not meant for this request. */
async function askCurrent({ current }: RequestContext): Promise<readonly Revision[]> {
  try {
    return readCurrent(await current?.() as Current)?.documents?.revisions ?? [];
  } catch {
    return [];
  }
}

/** @param written The documents that a write to the resource is judged by, where the response does not declare them. */
function finishTagged(
  context: HandlerContext,
  request: RequestContext,
  result: Response,
  facts: Facts,
  written: readonly Revision[],
): Response | Promise<Response> {
  const tag = tagFor(context, request, result, facts, written);
  // The body of the response to a HEAD is not there to be hashed.
  if (
    tag.etag === undefined && facts.refusal === undefined && context.hashBody && request.lease !== undefined
  ) {
    return finishHashed(context, request, result, facts, written);
  }
  return finishAudited(context, request, result, facts, tag);
}

/** Registers and finishes the response, after its body has been read if it is drawn for an audit. */
function finishAudited(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  tag: TagChoice,
): Response | Promise<Response> {
  const { audit } = context;
  const finishWith = (body: BodyRecord | undefined) => {
    const refuted = audit?.check(auditedAnswer(asked, response, facts, tag, body)) ?? false;
    const registered = (refuted ? refuse : register)(context, asked, response, facts, tag, body);
    return finish(context, asked, response, facts, registered);
  };
  // What cannot be registered has no body that an entry could stand for.
  if (audit === undefined || !isRegistrable(asked, facts)) return finishWith(undefined);
  if (asked.audited === undefined && !audit.shouldAudit()) return finishWith(undefined);
  return audit.record(response, asked.given).then(finishWith);
}

function isRegistrable({ lease }: RequestContext, { refusal, dependencies }: Facts): boolean {
  return lease !== undefined && refusal === undefined && dependencies.length > 0;
}

function auditedAnswer(
  { request: { headers }, given: request, key, caller, lease, audited }: RequestContext,
  { status }: Response,
  { dependencies, ownTag, refusal }: Facts,
  { etag, id, isHashed = false }: TagChoice,
  body: BodyRecord | undefined,
): AuditedAnswer {
  return {
    ...{ request, headers, key, caller, lease, audited, status, dependencies, id, isHashed, refusal, body },
    etag: etag ?? ownTag,
  };
}

/** Leaves a response that an audit has refuted unregistered. Closes the lease. */
function refuse(
  { registry }: HandlerContext,
  asked: RequestContext,
  _response: Response,
  facts: Facts,
  { etag, id }: TagChoice,
): Registered {
  const refusal = facts.refusal ?? "refuted";
  asked.lease?.release();
  registry.count(refusal);
  const given = etag ?? (isRegistrable(asked, facts) ? randomTag(id) : undefined);
  return { etag: given, refusal, isRefuted: true };
}

/** Reads the fields. */
function inspect(context: HandlerContext, asked: RequestContext, response: Response): Facts {
  const { headers } = response;
  const ownTag = headers.get("etag") ?? undefined;
  const dependencies = readDependencies(context, headers);
  if (typeof dependencies === "string") return withoutDependencies(ownTag, dependencies);
  const hashed = context.hashBody && ownTag === undefined && !isDecoded(response);
  if (dependencies.length === 0 && !hashed) {
    return withoutDependencies(ownTag, "undeclared");
  }
  const selecting = headers.get("vary");
  const vary = selecting === null ? [] : varyFields(selecting);
  if (vary === undefined || (ownTag !== undefined && parseEntityTag(ownTag) === undefined)) {
    return withoutDependencies(ownTag, "malformed");
  }
  const { isPublic, refusal } = cacheability(asked.request.headers, response, asked.caller);
  return { dependencies, ownTag, vary, isPublic, purgeFields: purgeFieldsOf(context, dependencies), refusal };
}

function withoutDependencies(ownTag: string | undefined, refusal: RegistrationRefusal): Facts {
  return { dependencies: [], ownTag, vary: [], isPublic: false, purgeFields: {}, refusal };
}

function readDependencies(
  { trustCacheGroups }: HandlerContext,
  headers: Headers,
): readonly DeclaredDependency[] | RegistrationRefusal {
  const field = declaredIn(headers, DEPENDS_ON);
  const upstream = trustCacheGroups ? headers.get("cache-groups") : null;
  if (field === null && upstream === null) return [];
  if ((field?.length ?? 0) + (upstream?.length ?? 0) > MOST_DECLARED) return "declaration-too-large";
  const own = field === null ? [] : readDeclaration(field);
  const trusted = upstream === null ? [] : parseCacheGroups(upstream)?.map((_id) => ({ _id }));
  return own === undefined || trusted === undefined ? "malformed" : own.concat(trusted);
}

function tagFor(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  { dependencies, ownTag, vary, refusal }: Facts,
  written: readonly Revision[],
): TagChoice {
  if (refusal !== undefined) return NO_TAG;
  if (ownTag !== undefined) return { etag: ownTag, id: "", identifiesDependencies: false };
  const representation = representationOf(asked, response, vary);
  const etag = deriveTag(dependencies, context.build, representation);
  const idWith = (told: readonly Revision[]) =>
    etag === undefined ? dependenciesId(representation, dependencies, toldBy(dependencies, told)) : "";
  const identifiesDependencies = !dependencies.some((dependency) => dependency[GUARD]);
  const untold = { etag, id: idWith([]), identifiesDependencies };
  if (written.length === 0) return untold;
  return { ...untold, id: idWith(written), untold };
}

/** Registers the response, as far as that is possible. Closes the lease. */
function register(
  context: HandlerContext,
  asked: RequestContext,
  { headers }: Response,
  { dependencies, vary, isPublic, purgeFields, refusal }: Facts,
  choice: TagChoice,
  body: BodyRecord | undefined,
): Registered {
  const { etag, id, identifiesDependencies, untold = choice } = choice;
  const { registry } = context;
  const { request, lease } = asked;
  const refused = refusal ?? (dependencies.length === 0 ? "undeclared" : undefined);
  if (refused !== undefined || lease === undefined) {
    lease?.release();
    if (refused !== undefined) registry.count(refused);
    return { etag, refusal: refused, isRefuted: false };
  }
  const echo = echoIn(context, asked, pickFields(headers, context.retainedNames));
  if (echo.hostEchoed) {
    lease.release();
    registry.count("host-echoed");
    return { etag, refusal: "host-echoed", isRefuted: false };
  }
  if (echo.byOrigin) registry.originMatters = true;
  const fields = identifiesDependencies ? echo.fields : { ...echo.fields, ...purgeFields };
  const date = headers.get("last-modified");
  const lastModified = date === null ? undefined : parseHttpDate(date);
  const entry = registry.register(lease, {
    etag,
    representation: id,
    lastModified,
    expires: expiryOf(headers, () => registry.now),
    fields,
    isPublic,
    // Selected by Origin, or good for all of them.
    anyOrigin: echo.byOrigin || vary.includes("origin") || fields["access-control-allow-origin"] === "*",
    vary: echo.byOrigin && !vary.includes("origin") ? [...vary, "origin"].sort() : vary,
    dependencies,
    body,
  }, request.headers);
  if (typeof entry !== "string") return { etag: entry.etag, refusal: undefined, isRefuted: false };
  return { etag: untold.etag ?? randomTag(untold.id), refusal: entry, isRefuted: false };
}

/** The same for a response that nothing but its body identifies. */
async function finishHashed(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  written: readonly Revision[],
): Promise<Response> {
  let body: ArrayBuffer;
  try {
    body = await response.arrayBuffer();
  } catch (error) {
    asked.lease?.release();
    throw error;
  }
  const read = remade(response, body, new Headers(response.headers));
  // Without `current` no write is judged here, and the tag is that of the body alone.
  const tagWith = async (documents: readonly Revision[]) => {
    const told = asked.current === undefined ? undefined : toldBy(facts.dependencies, documents);
    const etag = await digestTag(body, representationOf(asked, read, facts.vary), told);
    return { etag, id: "", identifiesDependencies: false, isHashed: true };
  };
  const untold = await tagWith([]);
  const tag = written.length === 0 ? untold : { ...await tagWith(written), untold };
  return finishAudited(context, asked, read, facts, tag);
}

/** Writes the fields of the response, or of the 304 or 412 in its place. */
function finish(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  { ownTag, purgeFields }: Facts,
  { etag, refusal, isRefuted }: Registered,
): Response {
  const { registry, cacheName } = context;
  const { request, reason, lease } = asked;
  const stored = lease !== undefined && refusal === undefined;
  const forwarding = { reason, handlerStatus: response.status, stored, refusal };
  const fields = {
    ...purgeFields,
    ...etag === undefined ? {} : { etag },
    ...mayBeStale(context, refusal) ? NOT_FOR_SHARED_CACHES : {},
  };
  // Without a condition, and a date to compare, there is nothing to evaluate.
  const conditional = reason !== "unconditional" || response.headers.has("last-modified");
  const outcome = conditional ? evaluateAgainst(context, request, response, etag ?? ownTag) : "proceed";
  switch (outcome === 304 && isRefuted ? "proceed" : outcome) {
    case 304:
      registry.count("not-modified");
      return notModifiedInstead(response, [...context.retainedNames, ...context.purgeFields], {
        ...fields,
        ...spellingFields(request.headers, etag ?? ownTag, response.headers.get("vary")),
        ...forwardedStatus(cacheName, null, forwarding),
      });
    case 412: {
      registry.count("precondition-failed-late");
      const lastModified = response.headers.get("last-modified") ?? undefined;
      const why = whyRefused(request, { etag: etag ?? ownTag, lastModified });
      const repeated = pickFields(response.headers, CROSS_ORIGIN);
      cancelBody(response);
      return preconditionFailed(request, why, {
        ...repeated,
        ...forwardedStatus(cacheName, null, forwarding),
      });
    }
    default:
      if (cacheName === undefined) return withFields(response, fields);
      return withFields(response, {
        ...fields,
        ...forwardedStatus(cacheName, response.headers.get("cache-status"), forwarding),
      });
  }
}

/** Whether a cache in front would go on sending an old response that no purge removes any more. */
function mayBeStale(
  { registry, purgeFields }: HandlerContext,
  refusal: RegistrationRefusal | undefined,
): boolean {
  return purgeFields.length > 0 && (STALE.has(refusal) || registry.suspended);
}

/** The groups for caches in front, in each field that was asked for and is large enough. */
function purgeFieldsOf(
  { registry, purgeFields }: HandlerContext,
  dependencies: readonly DeclaredDependency[],
): Record<string, string> {
  const fields: Record<string, string> = {};
  if (dependencies.length === 0) return fields;
  for (const name of purgeFields) {
    const value = purgeField(name, dependencies.map(({ _id }) => _id));
    if (value === undefined) registry.count("purge-field-too-large");
    else fields[name] = value;
  }
  return fields;
}
