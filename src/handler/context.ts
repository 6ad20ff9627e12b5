/**
 * What one wrapped handler works with, and the state of one request.
 *
 * @module
 */
import { type PurgeField, purgeFieldNames } from "../http/cdn_tags.ts";
import { coreOf, type RegistryCore } from "../registry/core.ts";
import type { StoredEntry } from "../registry/entry.ts";
import type { Lease } from "../registry/lease.ts";
import type { LookupRefusal, Outcome, RegistrationRefusal } from "../registry/reason.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { cacheName } from "./cache_status.ts";
import type { Current } from "./current_state.ts";
import { buildId } from "./derived_tag.ts";
import { retainedNames } from "./responses.ts";

/** How a handler is wrapped. */
export interface WithEtagOptions<Req extends Request = Request> {
  /** Where valid tags are kept; default: a registry of its own, at `.registry` of the wrapped handler. */
  readonly registry?: EtagRegistry;
  /** Of the registry that is made where none is given: whether it answers without a feed; default false. */
  readonly manual?: boolean;
  /** The resource; default `request.url`. Undefined: this request is passed on untouched. It does not identify a caller. */
  readonly key?: (request: Req) => string | undefined;
  /** Who asks; joins the key. Only this or `Cache-Control: public` admits requests with Cookie or Authorization. */
  readonly caller?: (request: Req) => string | undefined;
  /** Build id, part of every derived tag; default: the registry's, else random for this process: tags end with it. */
  readonly version?: string;
  /** Whether 200s that nothing else identifies are read and hashed: saves bytes, not the handler; default false. */
  readonly hashBody?: boolean;
  /**
   * What an unsafe request with a precondition is judged by, before the handler runs: validators, or the document
   * itself, which every tag derived from its revision matches; null: it does not exist; undefined: cannot tell, so the
   * handler decides.
   */
  readonly current?: (request: Req) => Current | Promise<Current>;
  /** Whether a PUT, PATCH or DELETE without a precondition is answered 428 (RFC 6585 §3); default false. */
  readonly requirePrecondition?: boolean;
  /** Fields in which the groups are sent on, without revisions, to caches in front; default none. */
  readonly purgeFields?: readonly PurgeField[];
  /**
   * Whether the `Cache-Groups` and `Cache-Group-Invalidation` (RFC 9875) of a response count as declarations, by name: for
   * an upstream whose groups a followed feed reports; default false.
   */
  readonly trustCacheGroups?: boolean;
  /** The name of this cache in `Cache-Status` (RFC 9211); default: no such field. */
  readonly cacheStatus?: string;
  /** Share of would-be 304s for which the handler runs after all, 0 to 1; default 0. */
  readonly auditRate?: number;
  /** Told of each check in which the handler gave another tag. Must not throw. */
  readonly onAudit?: (mismatch: AuditMismatch) => void;
  /** Draws the checks, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
  /** Names of further fields that a 304 repeats, in any case; a value with a CSP nonce is not repeated. */
  readonly retainedHeaders?: readonly string[];
}

/** A registry that would have answered with a tag that the handler no longer gives. */
export interface AuditMismatch {
  /** The resource. */
  readonly key: string;
  /** The tag that would have been confirmed. */
  readonly registered: string;
  /** The tag that the handler gave; undefined: none. */
  readonly answered: string | undefined;
  /** What the handler declared. */
  readonly groups: readonly string[];
  /** Why its response was not registered; undefined: it was. */
  readonly refusal: RegistrationRefusal | undefined;
}

/** The options of one wrapped handler, checked and completed. */
export interface HandlerContext {
  readonly registry: RegistryCore;
  /** Part of every derived tag. */
  readonly build: string;
  readonly hashBody: boolean;
  /** The fields that a 304 repeats, in lower case. */
  readonly retainedNames: readonly string[];
  readonly purgeFields: readonly PurgeField[];
  /** The name in `Cache-Status`; undefined: no field. */
  readonly cacheName: string | undefined;
  readonly requirePrecondition: boolean;
  readonly trustCacheGroups: boolean;
  /** Whether the key of a resource is its URL, which holds the host. */
  readonly keyedByUrl: boolean;
  /** Whether the next answer from the registry is drawn for a check. */
  readonly shouldAudit: () => boolean;
  readonly onAudit: ((mismatch: AuditMismatch) => void) | undefined;
}

/** A request as it arrived: preconditions and `Accept` are read from it, whatever the handler does to its own. */
export type ArrivedRequest = Pick<Request, "method" | "headers">;

/** The state of one GET or HEAD that the handler has to answer. */
export interface RequestContext {
  readonly request: ArrivedRequest;
  /** Where the request was sent. */
  readonly url: string;
  /** The resource. */
  readonly key: string;
  readonly caller: string | undefined;
  /** Undefined for HEAD, which never registers. */
  readonly lease: Lease | undefined;
  /** Why the registry did not answer. */
  readonly reason: LookupRefusal | Outcome;
  /** The entry that would have answered, where this is a check. */
  readonly audited: StoredEntry | undefined;
}

/**
 * Checks and completes the options.
 *
 * @throws {TypeError | RangeError} If one is illegal, naming it and its value.
 */
export function resolveOptions<Req extends Request>(
  registry: EtagRegistry,
  options: WithEtagOptions<Req>,
): HandlerContext {
  const { auditRate = 0, random = Math.random, purgeFields = [], cacheStatus } = options;
  if (!(auditRate >= 0 && auditRate <= 1)) {
    throw new RangeError(`auditRate is a share from 0 to 1, not ${auditRate}`);
  }
  for (const name of purgeFields) {
    if (!purgeFieldNames.includes(name)) {
      throw new TypeError(`purgeFields takes ${purgeFieldNames.join(", ")}, not ${JSON.stringify(name)}`);
    }
  }
  return {
    registry: coreOf(registry),
    build: buildId(resolveVersion(registry, options.version)),
    hashBody: options.hashBody ?? false,
    retainedNames: retainedNames(options.retainedHeaders ?? []),
    purgeFields,
    cacheName: cacheStatus === undefined ? undefined : cacheName(cacheStatus),
    requirePrecondition: options.requirePrecondition ?? false,
    trustCacheGroups: options.trustCacheGroups ?? false,
    keyedByUrl: options.key === undefined,
    shouldAudit: auditRate === 0 ? () => false : () => random() < auditRate,
    onAudit: options.onAudit,
  };
}

function resolveVersion(registry: EtagRegistry, given: string | undefined): string | undefined {
  const version = given ?? registry.version;
  if (version === "") throw new TypeError('withEtag() takes a version that says something, not ""');
  if (registry.version !== undefined && version !== registry.version) {
    const [here, there] = [version, registry.version].map((text) => JSON.stringify(text));
    throw new TypeError(`The version is ${here} here and ${there} in the registry`);
  }
  return version;
}
