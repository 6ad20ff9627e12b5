/**
 * What one wrapped handler works with, and the state of one request.
 *
 * @module
 */
import { type PurgeField, purgeFieldNames } from "../http/cdn_tags.ts";
import { coreOf, type RegistryCore } from "../registry/core.ts";
import type { StoredEntry } from "../registry/entry.ts";
import type { Lease } from "../registry/lease.ts";
import type { LookupRefusal, Outcome } from "../registry/reason.ts";
import type { EtagRegistry } from "../registry/registry.ts";
import { Audit, type AuditMismatch } from "./audit.ts";
import { cacheName } from "./cache_status.ts";
import type { Current } from "./current_state.ts";
import { buildId } from "./derived_tag.ts";
import { retainedNames } from "./responses.ts";
import { TagKey } from "./tag_key.ts";

/** How a handler is wrapped. */
export interface WithEtagOptions<Req extends Request = Request, Rest extends readonly unknown[] = []> {
  /** Where valid tags are kept; default: a registry of its own, at `.registry` of the wrapped handler. */
  readonly registry?: EtagRegistry;
  /** Of the registry that is made where none is given: whether it answers without a feed; default false. */
  readonly manual?: boolean;
  /**
   * The resource; default `request.url`. Undefined: this request is passed on untouched. It does not identify a caller. Like
   * `caller` and `current`, it is given whatever else the server passes to the handler.
   */
  readonly key?: (request: Req, ...rest: Rest) => string | undefined;
  /**
   * Who asks; joins the key. Only this or `Cache-Control: public` admits requests with Cookie or Authorization. The id of the
   * session, as its cookie has it, costs nothing. Where this gives a promise, a request waits for it only if something is
   * registered for its resource; else the handler runs at the same time.
   */
  readonly caller?: (request: Req, ...rest: Rest) => string | undefined | Promise<string | undefined>;
  /** Build id, part of every derived tag; default: the registry's, else random for this process: tags end with it. */
  readonly version?: string;
  /**
   * What the digests in tags are made with, so that no tag lets a client try ids offline; at least 16 characters. Default:
   * random for this process, so that derived tags end with it. Give it, beside `version`, to all processes of one site.
   */
  readonly secret?: string;
  /**
   * Whether derived tags hide the revisions, and how often a document was edited, behind digests; default false.
   * `revisionOf()` then needs `current`.
   */
  readonly hideRevisions?: boolean;
  /**
   * Whether 200s that nothing else identifies are read and hashed: saves bytes, not the handler; default false. Private
   * answers too, because the handler has run for each. Left alone are event streams, and bodies that are longer than 8 MiB
   * or not complete within 2 s.
   */
  readonly hashBody?: boolean;
  /**
   * What an unsafe request with a precondition is judged by, before the handler runs: the document that it replaces, or
   * all that its page is built from (a list, what `dependsOn()` gives, or a response that declares it), and then every tag
   * that was given for that state matches; or validators; null: it does not exist; undefined: cannot tell, so the handler
   * decides. It may be asked for a GET whose response names its document without a revision: its tag then tells the
   * revision that this gives.
   */
  readonly current?: (request: Req, ...rest: Rest) => Current | Promise<Current>;
  /**
   * Whether a PUT, PATCH or DELETE is answered 428 (RFC 6585 §3) unless it names a state: a tag in `If-Match`, `*` there
   * or in `If-None-Match`, or a date that `current` gave something to compare with; default false.
   */
  readonly requirePrecondition?: boolean;
  /**
   * Whether the `If-Match` of a write also matches a tag of this library that compression on the way has marked weak
   * (`W/`), or has written its coding into. RFC 9110 §13.1.1 asks for a strong comparison, because weak tags may hide a
   * change; these tell the revision all the same. Default false: such a write is answered 412, which says so.
   */
  readonly acceptWeakTags?: boolean;
  /**
   * Collects what tracked handles give while the handler runs, as dependencies of its response: `reads` of `./reads`. Default:
   * the response declares all by itself.
   */
  readonly reads?: () => ReadsOfRun;
  /** Fields in which the groups are sent on, without revisions, to caches in front; default none. */
  readonly purgeFields?: readonly PurgeField[];
  /**
   * Whether the `Cache-Groups` and `Cache-Group-Invalidation` (RFC 9875) of a response count as declarations, by name: for
   * an upstream whose groups a followed feed reports; default false.
   */
  readonly trustCacheGroups?: boolean;
  /** The name of this cache in `Cache-Status` (RFC 9211); default: no such field. */
  readonly cacheStatus?: string;
  /**
   * Share of would-be 304s for which the handler runs after all, and of registered responses whose bodies are read, so
   * that the two can be compared; 0 to 1, default 0. 1 in development.
   */
  readonly auditRate?: number;
  /** Told of each response that differs from the registered one; default: the console is told of the first. */
  readonly onAudit?: (mismatch: AuditMismatch, request: Req) => unknown;
  /** A body without nonces, times and the like, as an audit compares it; default: as it is. Text only. */
  readonly normalizeBody?: (body: string, request: Req) => string;
  /** Whether the first MiB of a body is kept, so that `onAudit` is told where two bodies differ; default false. */
  readonly auditBodies?: boolean;
  /** Draws the audits, from 0 up to, not including, 1; default `Math.random`. */
  readonly random?: () => number;
  /**
   * Names of further fields that a 304 repeats, in any case; a value with a CSP nonce is not repeated. Refused are
   * `set-cookie`, `date`, `age`, what describes a body (`content-…`) and what is of one connection.
   */
  readonly retainedHeaders?: readonly string[];
}

/** What one run of a handler reads; `./reads` makes it. */
export interface ReadsOfRun {
  /** Runs the handler, whose reads belong here, and those of its body. */
  runHandler(handler: () => unknown): unknown;
  /**
   * Ends it, because the response is made.
   *
   * @param onLate Called for each later read.
   * @returns What has been read, as a declaration; null: nothing.
   */
  close(onLate: () => void): string | null;
  /** Begins anew, for another run of the same handler. */
  reopen(): void;
}

/** The options of one wrapped handler, checked and completed. */
export interface HandlerContext {
  readonly registry: RegistryCore;
  /** Part of every derived tag. */
  readonly build: string;
  /** Makes the digests in tags. */
  readonly tagKey: TagKey;
  readonly hashBody: boolean;
  /** The fields that a 304 repeats, in lower case. */
  readonly retainedNames: readonly string[];
  readonly purgeFields: readonly PurgeField[];
  /** The name in `Cache-Status`; undefined: no field. */
  readonly cacheName: string | undefined;
  readonly requirePrecondition: boolean;
  readonly acceptWeakTags: boolean;
  /** Undefined: nothing is audited. */
  readonly audit: Audit | undefined;
  readonly trustCacheGroups: boolean;
  /** Whether the key of a resource is its URL, which holds the host. */
  readonly keyedByUrl: boolean;
  /**
   * Whether `Headers` is native code, as in Bun: then a Response copies one in less time than it reads a record. Elsewhere
   * it takes longer.
   */
  readonly nativeHeaders: boolean;
}

/** A request as it arrived: preconditions and `Accept` are read from it, whatever the handler does to its own. */
export type ArrivedRequest = Pick<Request, "method" | "headers">;

/** The state of one GET, HEAD or QUERY that the handler has to answer. */
export interface RequestContext {
  readonly request: ArrivedRequest;
  /** What the handler was given, for the hooks of an audit. */
  readonly given: Request;
  /** Where the request was sent. */
  readonly url: string;
  /** The resource. */
  readonly key: string;
  readonly caller: string | undefined;
  /** Asks the option `current`; undefined: there is none. */
  readonly current: (() => unknown) | undefined;
  /** What the handler reads through tracked handles; undefined: the option is not given. */
  readonly reads: ReadsOfRun | undefined;
  /** Taken before the handler ran. */
  readonly lease: Lease;
  /** Whether a response may be registered: not that to a HEAD or a QUERY. */
  readonly mayRegister: boolean;
  /** Runs the handler again, for the whole representation: as a GET without `Range`. */
  readonly askForWhole: () => unknown;
  /** Why the registry did not answer. */
  readonly reason: LookupRefusal | Outcome;
  /** The entry that would have answered, where this is an audit. */
  readonly audited: StoredEntry | undefined;
}

/**
 * Checks and completes the options.
 *
 * @throws {TypeError | RangeError} If one is illegal, naming it and its value.
 */
export function resolveOptions<Req extends Request, Rest extends readonly unknown[]>(
  registry: EtagRegistry,
  options: WithEtagOptions<Req, Rest>,
): HandlerContext {
  const { purgeFields = [], cacheStatus } = options;
  const core = coreOf(registry);
  for (const name of purgeFields) {
    if (!purgeFieldNames.includes(name)) {
      throw new TypeError(`purgeFields takes ${purgeFieldNames.join(", ")}, not ${JSON.stringify(name)}`);
    }
  }
  return {
    registry: core,
    build: buildId(resolveVersion(registry, options.version)),
    tagKey: new TagKey(options.secret, options.hideRevisions),
    hashBody: options.hashBody ?? false,
    retainedNames: retainedNames(options.retainedHeaders ?? []),
    purgeFields,
    cacheName: cacheStatus === undefined ? undefined : cacheName(cacheStatus),
    requirePrecondition: options.requirePrecondition ?? false,
    acceptWeakTags: options.acceptWeakTags ?? false,
    audit: resolveAudit(core, options),
    trustCacheGroups: options.trustCacheGroups ?? false,
    keyedByUrl: options.key === undefined,
    nativeHeaders: "toJSON" in Headers.prototype,
  };
}

function resolveAudit<Req extends Request, Rest extends readonly unknown[]>(
  registry: RegistryCore,
  options: WithEtagOptions<Req, Rest>,
): Audit | undefined {
  const { auditRate: rate = 0, random = Math.random, auditBodies: keepsBodies = false } = options;
  if (!(rate >= 0 && rate <= 1)) throw new RangeError(`auditRate is a share from 0 to 1, not ${rate}`);
  for (const name of ["onAudit", "normalizeBody", "random"] as const) {
    const given: unknown = options[name];
    if (given !== undefined && typeof given !== "function") {
      throw new TypeError(`${name} is a function, not ${String(given)}`);
    }
  }
  if (rate === 0) return undefined;
  // The handler's requests are the ones that its hooks are given.
  const { onAudit, normalizeBody } = options as unknown as WithEtagOptions;
  return new Audit(registry, { rate, random, onAudit, normalizeBody, keepsBodies });
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
