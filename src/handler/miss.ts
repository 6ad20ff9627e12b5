/**
 * What becomes of a response that the handler gave. Its fields are read, it gets its entity tag, it is registered if it
 * says what it was built from, and then its fields are written: `inspect`, `tagFor`, `register`, `finish`.
 *
 * @module
 */
import { parseCacheGroups } from "../http/cache_groups.ts";
import { cacheDirectives } from "../http/cache_control.ts";
import { purgeField } from "../http/cdn_tags.ts";
import {
  type DeclaredDependency,
  declaredIn,
  DEPENDS_ON,
  FOLLOWED,
  GUARD,
  isUndeclarable,
  LOCAL,
  readDeclaration,
} from "../http/dependency.ts";
import { parseEntityTag } from "../http/entity_tag.ts";
import { parseHttpDate } from "../http/http_date.ts";
import { varyFields } from "../http/vary.ts";
import type { BodyRecord } from "../registry/entry.ts";
import { randomTag } from "../registry/random_tag.ts";
import type { Outcome, RegistrationRefusal } from "../registry/reason.ts";
import { forwardedStatus, type Forwarding } from "./cache_status.ts";
import type { AuditedAnswer } from "./audit.ts";
import { mayBeRead } from "./body_limits.ts";
import { cacheability, expiryOf, isOfPart } from "./cacheable.ts";
import type { HandlerContext, RequestContext } from "./context.ts";
import { noteCrossOrigin } from "./cross_origin.ts";
import { type Current, readCurrent } from "./current_state.ts";
import {
  dependenciesId,
  deriveTag,
  digestTag,
  representationOf,
  toldBy,
  withoutGuards,
} from "./derived_tag.ts";
import { echoIn } from "./echo.ts";
import { evaluateAgainst, spellingFields, whyRefused } from "./evaluate.ts";
import { readBody } from "./hashed_body.ts";
import {
  askedForWhole,
  failsIfRange,
  hasTagCondition,
  isForLess,
  mayLackFields,
  withoutBody,
} from "./part.ts";
import { preconditionFailed } from "./refusals.ts";
import type { Revision } from "./tag_key.ts";
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
import { endRequest } from "./tell.ts";

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
  /** Why the response may not be registered; undefined if it may. */
  readonly refusal: RegistrationRefusal | undefined;
  /** Why neither it nor the 200 that it is a part of may get a tag of ours; undefined if it may. */
  readonly refusalOfWhole: RegistrationRefusal | undefined;
  /**
   * Whether a digest of the body may be its tag. The handler and its access check have run, and equal tags mean equal
   * bytes: so this does not depend on who asked.
   */
  readonly isHashable: boolean;
  /** Bytes of the body, where it was read; absent: `Content-Length` may say. */
  readonly length?: number;
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
  /** Undefined: it was registered, or it is the response to a HEAD. */
  readonly refusal: RegistrationRefusal | undefined;
  /** Whether an audit has found that the tag, or the entry that it was to confirm, stands for another response. */
  readonly isRefuted: boolean;
  /** Whether caches in front are purged by group, and no purge would remove this response when it has to go. */
  readonly escapesPurges: boolean;
}

/** Reasons for which it is not known what a response was built from, though it may be built from something. */
const UNREADABLE: ReadonlySet<RegistrationRefusal | undefined> = /* @__PURE__ */ new Set(
  ["malformed", "read-unknown", "declaration-too-large"] as const,
);

/** Of a response that escapes the purges. */
const NOT_FOR_SHARED_CACHES = { "cache-control": "private, no-cache", "cdn-cache-control": "no-store" };

const NO_TAG: TagChoice = { etag: undefined, id: "", identifiesDependencies: true };

/** The response as the client gets it; what is no Response is returned untouched. */
export function finishRetrieval(context: HandlerContext, request: RequestContext, result: unknown): unknown {
  if (!isResponse(result)) {
    request.lease.release();
    endRequest(context.registry, request.given, "handled", { reason: request.reason });
    return result;
  }
  noteCrossOrigin(context.registry, request.key, request.request.headers.get("origin"), result);
  const facts = inspect(context, request, result);
  const isLess = (request.request.method === "HEAD" || isOfPart(result)) && isForLess(request);
  return (isLess ? finishLess : finishWhole)(context, request, result, facts);
}

/** The response of a whole representation. */
function finishWhole(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
): Response | Promise<Response> {
  const finishWith = (written: readonly Revision[]) => {
    const tag = tagFor(context, asked, response, facts, written);
    if (tag.etag === undefined && facts.isHashable && response.status === 200) {
      return finishHashed(context, asked, response, facts, written);
    }
    return finishAudited(context, asked, response, facts, tag);
  };
  return asksCurrent(asked, facts) ? askCurrent(context, asked).then(finishWith) : finishWith([]);
}

/**
 * Whether the document that the response is about may be named without its revision, so that the tag cannot tell a write
 * which state it is of: where the first dependency that is no group of a follower is a bare name.
 */
function asksCurrent(
  { current, request: { method } }: RequestContext,
  { dependencies, ownTag, refusalOfWhole, isHashable }: Facts,
): boolean {
  if (current === undefined || ownTag !== undefined || method !== "GET") return false;
  if (refusalOfWhole !== undefined && !isHashable) return false;
  const [first] = withoutGuards(dependencies).filter((dependency) => dependency[FOLLOWED] === undefined);
  return first === undefined ? isHashable : first._rev === undefined;
}

/** The documents that `current` gives; none where it cannot tell, or was not meant for this request. */
async function askCurrent(
  { tagKey }: HandlerContext,
  { current }: RequestContext,
): Promise<readonly Revision[]> {
  try {
    return readCurrent(await current?.() as Current, tagKey)?.documents?.revisions ?? [];
  } catch {
    return [];
  }
}

/** The response to a HEAD, or about a part: with the tag of the whole, or replaced by the whole. */
function finishLess(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
): Response | Promise<Response> {
  const { dependencies, ownTag } = facts;
  const tag = tagOfLess(context, asked, response, facts);
  const isDeclared = dependencies.length > 0;
  if (tag.etag === undefined && ownTag === undefined && isTagWanted(context, asked, response, facts)) {
    const own = mayLackFields(asked, response) ? undefined : tagFor(context, asked, response, facts).etag;
    return finishByWhole(context, asked, response, facts, asked.request.method !== "HEAD", own);
  }
  // A client that has a tag of ours has no use for a date, which two edits can share (RFC 9110 §8.8.2.2).
  const dated = isDeclared && ownTag === undefined ? undefined : response.headers.get("last-modified");
  const isKnown = isDeclared || tag.etag !== undefined || ownTag !== undefined || typeof dated === "string";
  if (isKnown && failsIfRange(asked, response, tag.etag ?? ownTag, dated ?? undefined)) {
    return finishByWhole(context, asked, response, facts, false);
  }
  return finishAudited(context, asked, response, facts, tag);
}

/** Whether the tag of the whole is worth asking the handler for it. */
function isTagWanted(
  { registry }: HandlerContext,
  asked: RequestContext,
  response: Response,
  { dependencies, refusalOfWhole, isHashable }: Facts,
): boolean {
  const { key, caller, request: { method, headers } } = asked;
  const isDeclared = dependencies.length > 0 && refusalOfWhole === undefined;
  if (isDeclared && areRevisionsKnown(dependencies)) return true;
  if (method !== "HEAD") return (isDeclared || isHashable) && hasTagCondition(asked);
  // A random tag is that of an entry, and a digest that of a 200.
  return isHashable
    ? response.status === 200
    : isDeclared && registry.peek(key, headers, caller) !== undefined;
}

/** The tag of the whole, as far as it is known without asking for that. */
function tagOfLess(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
): TagChoice {
  const { lease, request: { headers } } = asked;
  const { dependencies, ownTag, refusalOfWhole } = facts;
  const tag = tagFor(context, asked, response, facts);
  if (ownTag !== undefined || refusalOfWhole !== undefined || dependencies.length === 0) return tag;
  if (tag.etag === undefined) {
    return { ...tag, etag: context.registry.keptTag(lease, dependencies, tag.id, headers) };
  }
  return isRegistered(context, asked, tag.etag) ? tag : NO_TAG;
}

function areRevisionsKnown(dependencies: readonly DeclaredDependency[]): boolean {
  const built = withoutGuards(dependencies);
  return built.length > 0 && built.every(({ _rev }) => _rev !== undefined);
}

/**
 * Asks the handler for the whole representation, and answers with it; a part only gets its tag, if it is built from the
 * same revisions.
 *
 * @param mayStay Whether the part may be sent after all.
 * @param own The tag that the fields of the part tell, where they can be trusted to: that of a part in another coding,
 * which is one of another representation.
 */
async function finishByWhole(
  context: HandlerContext,
  asked: RequestContext,
  less: Response,
  facts: Facts,
  mayStay: boolean,
  own?: string,
): Promise<Response> {
  if (!mayStay) cancelBody(less);
  let whole: unknown;
  try {
    whole = await asked.askForWhole();
  } catch (error) {
    asked.lease.release();
    throw error;
  }
  if (!isResponse(whole)) return finishAudited(context, asked, less, facts, NO_TAG);
  const isSame = mayStay && isOfSameState(context, asked, facts, whole);
  const isCodedAlike = less.status === 416 || codingOf(less) === codingOf(whole);
  const answer =
    await (finishRetrieval(context, askedForWhole(asked), whole) as Response | Promise<Response>);
  if (asked.request.method === "HEAD") return withoutBody(answer);
  const given = answer.headers.get("etag") ?? undefined;
  const etag = isCodedAlike ? given : own;
  const stays = isSame && etag !== undefined && answer.status === 200 &&
    (areRevisionsKnown(facts.dependencies) || isRegistered(context, asked, etag));
  if (!stays || failsIfRange(asked, less, etag, undefined)) {
    if (mayStay) cancelBody(less);
    return answer;
  }
  cancelBody(answer);
  // The conditions are true of the whole, which is what they are about, and which has been counted and told of.
  const escapesPurges =
    answer.headers.get("cdn-cache-control") === NOT_FOR_SHARED_CACHES["cdn-cache-control"];
  const fields = fieldsFor(facts, { etag, escapesPurges });
  const { reason } = asked;
  const forwarding = { reason, handlerStatus: less.status, stored: false, refusal: "not-200" } as const;
  return withForwarding(context, less, fields, forwarding);
}

/** Whether a part is surely of the state of which the handler gave the whole just now. */
function isOfSameState(
  context: HandlerContext,
  asked: RequestContext,
  { dependencies }: Facts,
  whole: Response,
): boolean {
  const declared = readDependencies(context, asked, whole.headers);
  if (typeof declared === "string" || dependencies.length === 0) return false;
  if (dependenciesId(context.tagKey, [], declared) !== dependenciesId(context.tagKey, [], dependencies)) {
    return false;
  }
  // Without revisions, both are of what the feed has reported; but a digest would tell them apart.
  return areRevisionsKnown(dependencies) ||
    !context.hashBody && !context.registry.isOvertaken(asked.lease, dependencies);
}

function codingOf({ headers }: Response): string | null {
  return headers.get("content-encoding");
}

/** Whether a tag is that of the entry which this request finds. */
function isRegistered(
  { registry }: HandlerContext,
  { key, caller, request: { headers } }: RequestContext,
  etag: string,
): boolean {
  return registry.peek(key, headers, caller)?.etag === etag;
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

function isRegistrable({ mayRegister }: RequestContext, { refusal, dependencies }: Facts): boolean {
  return mayRegister && refusal === undefined && dependencies.length > 0;
}

function auditedAnswer(
  { request: { headers }, given: request, key, caller, lease, mayRegister, audited }: RequestContext,
  { status }: Response,
  { dependencies, ownTag, refusal }: Facts,
  { etag, id, isHashed = false }: TagChoice,
  body: BodyRecord | undefined,
): AuditedAnswer {
  return {
    ...{ request, headers, key, caller, audited, status, dependencies, id, isHashed, refusal, body },
    lease: mayRegister ? lease : undefined,
    etag: etag ?? ownTag,
  };
}

/** Leaves a response that an audit has refuted unregistered. Closes the lease. */
function refuse(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  { etag, id }: TagChoice,
): Registered {
  const refusal = facts.refusal ?? "refuted";
  const escapes = escapesPurges(context, asked, response, facts);
  asked.lease.release();
  context.registry.count(refusal);
  const given = etag ?? (isRegistrable(asked, facts) ? randomTag(id) : undefined);
  return { etag: given, refusal, isRefuted: true, escapesPurges: escapes };
}

/** Reads the fields. */
function inspect(context: HandlerContext, asked: RequestContext, response: Response): Facts {
  const { headers } = response;
  const ownTag = headers.get("etag") ?? undefined;
  const declared = readDependencies(context, asked, headers);
  if (typeof declared === "string") return withoutDependencies(ownTag, declared);
  // A middleware that guards all pages has declared none of them.
  const dependencies = declared.every((dependency) => dependency[GUARD]) ? [] : declared;
  const isHashed = context.hashBody && ownTag === undefined && !isDecoded(response) && mayBeRead(response);
  if (dependencies.length === 0 && !isHashed) {
    // A declaration would not help, where the status is another.
    return withoutDependencies(ownTag, response.status === 200 ? "undeclared" : "not-200");
  }
  const selecting = headers.get("vary");
  const vary = selecting === null ? [] : varyFields(selecting);
  if (vary === undefined || (ownTag !== undefined && parseEntityTag(ownTag) === undefined)) {
    return withoutDependencies(ownTag, "malformed");
  }
  const { isPublic, refusal, refusalOfWhole } = cacheability(
    asked.request.headers,
    response,
    asked.caller,
  );
  const purgeFields = purgeFieldsOf(context, dependencies);
  return {
    dependencies,
    ownTag,
    vary,
    isPublic,
    purgeFields,
    refusal,
    refusalOfWhole,
    isHashable: isHashed && (response.status === 200 || isOfPart(response)),
  };
}

function withoutDependencies(ownTag: string | undefined, refusal: RegistrationRefusal): Facts {
  return {
    dependencies: [],
    ownTag,
    vary: [],
    isPublic: false,
    purgeFields: {},
    refusal,
    refusalOfWhole: refusal,
    isHashable: false,
  };
}

function readDependencies(
  { registry, trustCacheGroups }: HandlerContext,
  { key, reads }: RequestContext,
  headers: Headers,
): readonly DeclaredDependency[] | RegistrationRefusal {
  const declared = declaredIn(headers, DEPENDS_ON);
  const read = reads === undefined ? null : reads.close(() => {
    registry.count("read-late");
    registry.delete(key);
  });
  const field = declared === null || read === null ? declared ?? read : `${declared}, ${read}`;
  if (field !== null && isUndeclarable(field)) return "read-unknown";
  const upstream = trustCacheGroups ? headers.get("cache-groups") : null;
  if (field === null && upstream === null) return [];
  if ((field?.length ?? 0) + (upstream?.length ?? 0) > MOST_DECLARED) return "declaration-too-large";
  const own = field === null ? [] : readDeclaration(field);
  const trusted = upstream === null ? [] : parseCacheGroups(upstream)?.map((_id) => ({ _id }));
  if (own === undefined || trusted === undefined) return "malformed";
  // The feed reports no local documents.
  return trusted.some(({ _id }) => _id.startsWith(LOCAL)) ? "malformed" : own.concat(trusted);
}

function tagFor(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  { dependencies, ownTag, vary, refusalOfWhole }: Facts,
  written: readonly Revision[] = [],
): TagChoice {
  if (refusalOfWhole !== undefined) return NO_TAG;
  if (ownTag !== undefined) return { etag: ownTag, id: "", identifiesDependencies: false };
  // Two queries of one resource are told by their content, which is not known here.
  if (asked.request.method === "QUERY") return NO_TAG;
  const representation = representationOf(asked, response, vary);
  const etag = deriveTag(context.tagKey, dependencies, context.build, representation);
  const idWith = (told: readonly Revision[]) =>
    etag === undefined
      ? dependenciesId(context.tagKey, representation, dependencies, toldBy(dependencies, told))
      : "";
  const identifiesDependencies = !dependencies.some((dependency) => dependency[GUARD]);
  const untold = { etag, id: idWith([]), identifiesDependencies };
  if (written.length === 0) return untold;
  return { ...untold, id: idWith(written), untold };
}

/** Registers the response, as far as that is possible. Closes the lease. */
function register(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  choice: TagChoice,
  body: BodyRecord | undefined,
): Registered {
  const { headers } = response;
  const { dependencies, vary, isPublic, purgeFields, refusal } = facts;
  const { etag, id, identifiesDependencies, untold = choice } = choice;
  const told = { isRefuted: false, escapesPurges: escapesPurges(context, asked, response, facts) };
  const { registry } = context;
  const { request, lease, mayRegister } = asked;
  const refused = refusal ?? (dependencies.length === 0 ? "undeclared" : undefined);
  if (refused !== undefined || !mayRegister) {
    // The response to a HEAD has the random tag that the GET would keep.
    const kept = refused === undefined && etag === undefined
      ? registry.keptTag(lease, dependencies, id, request.headers)
      : etag;
    lease.release();
    if (refused !== undefined) registry.count(refused);
    return { etag: kept, refusal: refused, ...told };
  }
  const echo = echoIn(context, asked, pickFields(headers, context.retainedNames));
  if (echo.hostEchoed) {
    lease.release();
    registry.count("host-echoed");
    return { etag, refusal: "host-echoed", ...told };
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
    length: lengthOf(response, facts),
    body,
  }, request.headers);
  if (typeof entry !== "string") return { etag: entry.etag, refusal: undefined, ...told };
  return { etag: untold.etag ?? randomTag(untold.id), refusal: entry, ...told };
}

/** The same for a response that nothing but its body identifies; one that is too long for that gets no tag. */
async function finishHashed(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  written: readonly Revision[],
): Promise<Response> {
  let body: Awaited<ReturnType<typeof readBody>>;
  try {
    body = await readBody(response);
  } catch (error) {
    asked.lease.release();
    throw error;
  }
  const read = remade(response, body, new Headers(response.headers));
  if (body instanceof ReadableStream) {
    return finishAudited(context, asked, read, facts, tagFor(context, asked, read, facts, written));
  }
  // Without `current` no write is judged here, and the tag is that of the body alone.
  const tagWith = async (documents: readonly Revision[]) => {
    const told = asked.current === undefined ? undefined : toldBy(facts.dependencies, documents);
    const etag = await digestTag(context.tagKey, body, representationOf(asked, read, facts.vary), told);
    return { etag, id: "", identifiesDependencies: false, isHashed: true };
  };
  const untold = await tagWith([]);
  const tag = written.length === 0 ? untold : { ...await tagWith(written), untold };
  return finishAudited(context, asked, read, { ...facts, length: body.byteLength }, tag);
}

/** Writes the fields of the response, or of the 304 or 412 in its place. */
function finish(
  context: HandlerContext,
  asked: RequestContext,
  response: Response,
  facts: Facts,
  registered: Registered,
): Response {
  const { registry, cacheName } = context;
  const { ownTag, dependencies, refusalOfWhole } = facts;
  const { etag, refusal, isRefuted } = registered;
  const { request, reason, mayRegister } = asked;
  const stored = mayRegister && refusal === undefined;
  const forwarding = { reason, handlerStatus: response.status, stored, refusal };
  const end = (outcome: Outcome) => endRequest(registry, asked.given, outcome, forwarding);
  const fields = fieldsFor(facts, registered);
  // Without a condition, and a date to compare, there is nothing to evaluate. Those of a QUERY have not been looked for.
  const isQuery = request.method === "QUERY";
  const conditional = reason !== "unconditional" || isQuery || response.headers.has("last-modified");
  const isDeclared = dependencies.length > 0;
  const isTaggable = isDeclared && refusalOfWhole === undefined && !isQuery;
  const isOurs = ownTag === undefined && (etag !== undefined || isTaggable);
  const outcome = conditional
    ? evaluateAgainst(context, request, response, { etag: etag ?? ownTag, isOurs, isDeclared })
    : "proceed";
  switch (outcome === 304 && isRefuted ? "proceed" : outcome) {
    case 304: {
      const answer = notModifiedInstead(response, [...context.retainedNames, ...context.purgeFields], {
        ...fields,
        ...spellingFields(request.headers, etag ?? ownTag, response.headers.get("vary")),
        ...forwardedStatus(cacheName, null, forwarding),
      });
      // The handler did not ask for its answer to be validated, so that must not lose what it sets.
      if (etag !== undefined && refusalOfWhole === "set-cookie") keepCookies(response, answer);
      end("not-modified");
      if (asked.given.method !== "HEAD") registry.savedAfterHandler += lengthOf(response, facts);
      return answer;
    }
    case 412: {
      const lastModified = response.headers.get("last-modified") ?? undefined;
      const why = whyRefused(request, { etag: etag ?? ownTag, lastModified });
      const repeated = pickFields(response.headers, CROSS_ORIGIN);
      cancelBody(response);
      const answer = preconditionFailed(request, why, {
        ...repeated,
        ...forwardedStatus(cacheName, null, forwarding),
      });
      end("precondition-failed-late");
      return answer;
    }
    default: {
      const answer = withForwarding(context, response, fields, forwarding);
      end("handled");
      return answer;
    }
  }
}

/** The fields that a response gets, and a 304 in its place. */
function fieldsFor(
  { purgeFields }: Facts,
  { etag, escapesPurges }: Pick<Registered, "etag" | "escapesPurges">,
): Record<string, string> {
  return {
    ...purgeFields,
    ...etag === undefined ? {} : { etag },
    ...escapesPurges ? NOT_FOR_SHARED_CACHES : {},
  };
}

/** The response with further fields, and the one that says what became of the request. */
function withForwarding(
  { cacheName }: HandlerContext,
  response: Response,
  fields: Readonly<Record<string, string>>,
  forwarding: Forwarding,
): Response {
  if (cacheName === undefined) return withFields(response, fields);
  return withFields(response, {
    ...fields,
    ...forwardedStatus(cacheName, response.headers.get("cache-status"), forwarding),
  });
}

/** Bytes of the content of a response; 0: not known. */
function lengthOf({ headers }: Response, { length }: Facts): number {
  if (length !== undefined) return length;
  const field = headers.get("content-length");
  return field !== null && /^[0-9]{1,15}$/.test(field) ? Number(field) : 0;
}

function keepCookies({ headers }: Response, answer: Response): void {
  for (const cookie of headers.getSetCookie()) answer.headers.append("set-cookie", cookie);
}

/**
 * Whether a cache in front would go on sending a response that no purge removes any more: the change that it missed has
 * been purged already, or a change of it will not be. Asked while its lease is open.
 */
function escapesPurges(
  { registry, purgeFields }: HandlerContext,
  { lease }: RequestContext,
  { headers }: Response,
  { dependencies, purgeFields: sent, refusal }: Facts,
): boolean {
  if (purgeFields.length === 0) return false;
  const isPurged = dependencies.length === 0
    ? !UNREADABLE.has(refusal)
    : Object.keys(sent).length === purgeFields.length &&
      registry.refusalOf(lease, dependencies) === undefined;
  if (isPurged && !registry.suspended) return false;
  // What the handler says of itself may be stricter.
  const directives = cacheDirectives(headers.get("cache-control"));
  return !directives.has("no-store") && !directives.has("private");
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
