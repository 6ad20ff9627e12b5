/**
 * What one wrapped handler works with, and how its answers are recognised.
 *
 * @module
 */
import type { PurgeField } from "../http/cdn_tags.ts";
import type { Entry, EtagRegistry, Lease, Reason } from "../registry/registry.ts";

/** What one wrapped handler works with. */
export interface HandlerContext {
  /** Where valid tags are kept. */
  readonly registry: EtagRegistry;
  /** In every tag that is derived. */
  readonly build: string;
  /** Whether bodies that nothing else identifies are read and hashed. */
  readonly hashBody: boolean;
  /** The fields that a 304 replays, in lower case. */
  readonly replayedNames: readonly string[];
  /** What to make an entry's 304 of. */
  readonly initOf: (entry: Entry) => ResponseInit;
  /** Fields that carry the groups on to caches in front. */
  readonly purgeFields: readonly PurgeField[];
  /** Our name in `Cache-Status`; undefined: no field. */
  readonly cacheName: string | undefined;
  /** Whether the next answer from the registry is drawn for a check. */
  readonly shouldAudit: () => boolean;
  /** Hears of a check that failed. */
  readonly onAudit: ((mismatch: AuditMismatch) => void) | undefined;
}

/** A registry that would have answered with a tag the handler no longer gives. */
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
  readonly refusal: Reason | undefined;
}

/** One GET or HEAD on its way through the handler. */
export interface RequestContext {
  readonly request: Request;
  /** The resource. */
  readonly key: string;
  /** Who asks. */
  readonly caller: string | undefined;
  /** Undefined for HEAD, which never registers. */
  readonly lease: Lease | undefined;
  /** Why the registry did not answer. */
  readonly why: Reason;
  /** What it would have answered with, where this is a check. */
  readonly audited: Entry | undefined;
}

/**
 * Told by its parts and not by its class: servers on Node replace the global. `bodyUsed` tells it from the answers of
 * other clients, which have a status and headers too, and is not read, because some servers build the body for it.
 */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null || !("bodyUsed" in value)) return false;
  const { status, headers } = value as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}
