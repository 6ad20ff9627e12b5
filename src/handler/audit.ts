/**
 * Audits: for a share of the answers that the registry would give, the handler runs all the same, and what it answers
 * is compared with what was registered. A tag that is derived from a declaration proves nothing about the declaration,
 * so the bodies are compared as well: a digest of the body is kept with the entry.
 *
 * @module
 */
import type { DeclaredDependency } from "../http/dependency.ts";
import { base64url, sha256 } from "../http/sha256.ts";
import type { RegistryCore } from "../registry/core.ts";
import type { BodyRecord, StoredEntry } from "../registry/entry.ts";
import type { Lease } from "../registry/lease.ts";
import { isTagOf } from "../registry/random_tag.ts";
import type { RegistrationRefusal } from "../registry/reason.ts";
import { copyBody } from "./body_copy.ts";
import { BODY_LIMITS } from "./body_limits.ts";

/**
 * What two responses differ in, the first of these that applies: the status; the groups that they declare; the entity
 * tag; under the same tag, the body.
 */
export type AuditReason = "status" | "declaration" | "tag" | "body";

/**
 * A tag that would have been confirmed, though the handler now gives another response. `onAudit` is told of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type AuditMismatch, dependsOn, withEtag } from "@stillfresh/etag";
 *
 * const post = { _id: "post-1", _rev: "2-abc" };
 * let author = "Ada";
 * const mismatches: AuditMismatch[] = [];
 * // The author is read as well, and not declared.
 * const page = withEtag(() => new Response(`by ${author}`, { headers: dependsOn(post) }), {
 *   manual: true,
 *   auditRate: 1,
 *   auditBodies: true,
 *   onAudit: (mismatch) => mismatches.push(mismatch),
 * });
 *
 * const etag = (await page(new Request("http://localhost/"))).headers.get("etag")!;
 * author = "Grace";
 * const answer = await page(new Request("http://localhost/", { headers: { "if-none-match": etag } }));
 * assert.equal(await answer.text(), "by Grace");
 * assert.equal(mismatches[0]?.reason, "body");
 * assert.deepEqual(mismatches[0]?.difference, { offset: 3, registered: "by Ada", answered: "by Grace" });
 * ```
 */
export interface AuditMismatch {
  /** The resource. */
  readonly key: string;
  /** What differs. */
  readonly reason: AuditReason;
  /** The tag that would have been confirmed. */
  readonly registered: string;
  /** The tag of the handler's response; undefined: none, or a random one, which is new each time. */
  readonly answered: string | undefined;
  /** The status of the handler's response. */
  readonly status: number;
  /** What the handler declared. */
  readonly groups: readonly string[];
  /** What had been declared when the tag was registered; empty where the entry has left since. */
  readonly registeredGroups: readonly string[];
  /** Why the handler's response may not be registered; undefined: it may. */
  readonly refusal: RegistrationRefusal | undefined;
  /** Where the bodies differ; undefined unless `auditBodies` is set and they differ within their first MiB. */
  readonly difference: BodyDifference | undefined;
}

/** The first place where two bodies differ, after `normalizeBody`. */
export interface BodyDifference {
  /** Bytes before the place. */
  readonly offset: number;
  /** The registered body around the place. */
  readonly registered: string;
  /** The body that the handler gave, around the same place. */
  readonly answered: string;
}

/** What an audit is made with. */
export interface AuditOptions {
  /** Above 0, up to 1. */
  readonly rate: number;
  readonly random: () => number;
  readonly onAudit: ((mismatch: AuditMismatch, request: Request) => unknown) | undefined;
  readonly normalizeBody: ((body: string, request: Request) => string) | undefined;
  readonly keepsBodies: boolean;
}

/** What a handler has answered, and to what. */
export interface AuditedAnswer {
  /** The request, for the hooks. */
  readonly request: Request;
  /** The fields that the request arrived with. */
  readonly headers: Headers;
  /** The resource. */
  readonly key: string;
  readonly caller: string | undefined;
  /** Undefined for HEAD. */
  readonly lease: Lease | undefined;
  /** The entry that would have answered; undefined: none would. */
  readonly audited: StoredEntry | undefined;
  readonly status: number;
  readonly dependencies: readonly DeclaredDependency[];
  /** The tag of the response; undefined: none, or a random one. */
  readonly etag: string | undefined;
  /** What a random tag would carry; empty where the tag is none. */
  readonly id: string;
  /** Whether the tag is a digest of the body. */
  readonly isHashed: boolean;
  readonly refusal: RegistrationRefusal | undefined;
  /** What was read of the body; undefined: nothing. */
  readonly body: BodyRecord | undefined;
}

/** Bytes of a body that are kept, where they are: 1 MiB. */
const MOST_KEPT = 1_048_576;
/** Refuted tags that are remembered. */
const MOST_REFUTED = 1_000;
/** Characters of a digest: 132 bits. */
const DIGEST = 22;
/** Bytes that are shown before the first difference. */
const BEFORE = 24;
/** Bytes that are shown from the first difference on. */
const AFTER = 56;

/** Statuses of an answer that is about a part of the representation, or about the client's copy. */
const WITHOUT_BODY: ReadonlySet<number> = /* @__PURE__ */ new Set([206, 304, 416]);

/** The audit of one wrapped handler. */
export class Audit {
  readonly #registry: RegistryCore;
  readonly #options: AuditOptions;
  /** Digests of the tags that two bodies have been seen under, oldest first. */
  readonly #refuted: Set<string> = new Set();
  /** What the console has been told. */
  readonly #told: Set<string> = new Set();

  /** @param registry Where the handler's responses are registered. */
  constructor(registry: RegistryCore, options: AuditOptions) {
    this.#registry = registry;
    this.#options = options;
  }

  /** Whether the next answer from the registry, or the next response to be registered, is drawn. */
  shouldAudit(): boolean {
    const { rate, random } = this.#options;
    return random() < rate;
  }

  /** Reads what is to be known of a body; undefined, and counted, where it cannot be read. */
  async record(response: Response, request: Request): Promise<BodyRecord | undefined> {
    const copy = await copyBody(response, BODY_LIMITS);
    if (copy === undefined) this.#registry.count("audit-unread");
    const bytes = copy === undefined ? undefined : this.#normalized(copy, request);
    if (bytes === undefined) return undefined;
    const hash = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
    return {
      digest: base64url(new Uint8Array(hash), DIGEST),
      bytes: this.#options.keepsBodies ? bytes.slice(0, MOST_KEPT) : undefined,
    };
  }

  /**
   * Compares an answer with the entry that stands for it, and reports what differs; the entry goes, because what it
   * confirms is not what the handler gives.
   *
   * @returns Whether the answer may neither be registered nor replaced by a 304: it differs, or its tag has been seen
   * under another body before.
   */
  check(answer: AuditedAnswer): boolean {
    const { key, caller, headers, audited, body, etag } = answer;
    const isDrawn = audited !== undefined || body !== undefined;
    const current = isDrawn ? this.#registry.peek(key, headers, caller) : undefined;
    // The entry that was looked up may have been voided or replaced since. Its tag stands for one body all the same.
    for (const entry of new Set([current, audited])) {
      const reason = entry === undefined ? undefined : this.#reasonOf(entry, answer, entry === current);
      if (entry === undefined || reason === undefined) continue;
      if (reason === "body" && etag === entry.etag) this.#remember(tagDigest(answer, etag));
      this.#report(entry, answer, reason);
      return true;
    }
    return etag !== undefined && this.#refuted.size > 0 && this.#refuted.has(tagDigest(answer, etag));
  }

  /** @param isCurrent Whether the registry would confirm the entry now, but for the state of its feeds. */
  #reasonOf(entry: StoredEntry, answer: AuditedAnswer, isCurrent: boolean): AuditReason | undefined {
    const { status, etag, dependencies } = answer;
    const isCheck = isCurrent && answer.audited?.etag === entry.etag;
    if (isCheck && status !== 200) {
      // A handler that fails says nothing of what it would have answered.
      if (status >= 500) return undefined;
      if (!WITHOUT_BODY.has(status)) return "status";
      return etag === undefined || etag === entry.etag ? undefined : "tag";
    }
    const groups = new Set(dependencies.map(({ _id }) => _id));
    const registered = this.#registry.groupsOf(entry) ?? [];
    const isDeclaredAlike = groups.size === registered.length && registered.every((name) => groups.has(name));
    if (hasTagOf(entry, answer) || isDeclaredAlike && this.#isToldByBody(entry, answer)) {
      return this.#hasOtherBody(entry, answer, isCurrent) ? "body" : undefined;
    }
    if (!isCheck) return undefined;
    if (isHead(answer) && etag === undefined && (isDeclaredAlike || groups.size === 0)) return undefined;
    return isDeclaredAlike ? "tag" : "declaration";
  }

  /** Whether bodies are compared in the place of tags, because the tag is a digest of a body that is not normalized. */
  #isToldByBody({ body }: StoredEntry, answer: AuditedAnswer): boolean {
    if (!answer.isHashed) return false;
    return this.#options.normalizeBody !== undefined || body !== undefined && answer.body !== undefined;
  }

  #hasOtherBody({ body }: StoredEntry, answer: AuditedAnswer, isCurrent: boolean): boolean {
    if (body === undefined || answer.body === undefined || body.digest === answer.body.digest) return false;
    if (answer.etag !== undefined && !answer.isHashed) return true;
    // A random tag, or a digest, is no word of the handler: the bodies may differ because something declared has changed.
    const { lease, dependencies } = answer;
    return isCurrent && this.#registry.live && lease !== undefined &&
      !this.#registry.isOvertaken(lease, dependencies);
  }

  #report(entry: StoredEntry, answer: AuditedAnswer, reason: AuditReason): void {
    const { key, status, dependencies, refusal, request } = answer;
    const mismatch: AuditMismatch = {
      ...{ key, reason, status, refusal },
      registered: entry.etag,
      answered: reason === "body" && answer.etag === undefined ? entry.etag : answer.etag,
      groups: [...new Set(dependencies.map(({ _id }) => _id))],
      registeredGroups: this.#registry.groupsOf(entry) ?? [],
      difference: firstDifference(entry.body?.bytes, answer.body?.bytes),
    };
    this.#registry.count("audit-mismatch");
    this.#registry.delete(key);
    const { onAudit } = this.#options;
    if (onAudit === undefined) return this.#tell("mismatch", sentenceOf(mismatch));
    try {
      // It may be asynchronous: a rejection that is not handled would end the process.
      Promise.resolve(onAudit(mismatch, request)).catch((error) => this.#threw("onAudit", error));
    } catch (error) {
      this.#threw("onAudit", error);
    }
  }

  #remember(tag: string): void {
    const [oldest] = this.#refuted;
    if (this.#refuted.size >= MOST_REFUTED) this.#refuted.delete(oldest!);
    this.#refuted.add(tag);
  }

  /** The body without what may differ; undefined where the hook threw. */
  #normalized(body: Uint8Array, request: Request): Uint8Array | undefined {
    const { normalizeBody } = this.#options;
    const text = normalizeBody === undefined ? undefined : textOf(body);
    if (normalizeBody === undefined || text === undefined) return body;
    try {
      const normal: unknown = normalizeBody(text, request);
      if (typeof normal === "string") return new TextEncoder().encode(normal);
      throw new TypeError(`normalizeBody() gives a string, at once, not ${String(normal)}`);
    } catch (error) {
      this.#threw("normalizeBody", error);
      return undefined;
    }
  }

  #threw(hook: string, error: unknown): void {
    this.#registry.count("audit-threw");
    const sentence = `Stillfresh: ${hook} threw. Further errors of hooks are only counted, as audit-threw.`;
    this.#tell("error", sentence, error);
  }

  /** Tells the console, once for each kind of thing. */
  #tell(kind: "mismatch" | "error", ...what: readonly unknown[]): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    console.warn(...what);
  }
}

/** Whether a response has the tag of an entry, or would keep it. */
function hasTagOf({ etag, headers }: StoredEntry, answer: AuditedAnswer): boolean {
  if (answer.etag !== undefined) return answer.etag === etag;
  return headers.minted && answer.id !== "" && isTagOf(etag, answer.id);
}

function isHead({ lease }: AuditedAnswer): boolean {
  return lease === undefined;
}

/** A tag of a resource, in a form that has a bound. */
function tagDigest({ key, caller }: AuditedAnswer, etag: string): string {
  return base64url(sha256(JSON.stringify([key, caller ?? null, etag])), DIGEST);
}

function sentenceOf({ key, reason, registered, groups }: AuditMismatch): string {
  const declared = JSON.stringify(groups);
  return `Stillfresh: for ${key} the handler gave another ${reason} than the response that was registered under ` +
    `${registered}. The new response declares ${declared}: is that all that it was built from, and does a list ` +
    "declare its group? docs/audit.md has the usual causes. Further mismatches are only counted; give withEtag() an " +
    "onAudit to be told of each.";
}

/** The text of a body; undefined where it is none, such as an image. */
function textOf(body: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return undefined;
  }
}

/**
 * The first place where two bodies differ.
 *
 * @returns Undefined where they are alike as far as they are known.
 */
export function firstDifference(
  registered: Uint8Array | undefined,
  answered: Uint8Array | undefined,
): BodyDifference | undefined {
  if (registered === undefined || answered === undefined) return undefined;
  let offset = 0;
  const end = Math.min(registered.length, answered.length);
  while (offset < end && registered[offset] === answered[offset]) offset++;
  if (offset === registered.length && offset === answered.length) return undefined;
  let start = Math.max(0, offset - BEFORE);
  // Not within a character: only its later bytes begin with the bits 1 and 0 (RFC 3629 §3).
  while (start < offset && (registered[start]! & 0xC0) === 0x80) start++;
  // In streaming mode a character that is cut off at the end is left out.
  const excerpt = (body: Uint8Array) =>
    new TextDecoder().decode(body.subarray(start, offset + AFTER), { stream: true });
  return { offset, registered: excerpt(registered), answered: excerpt(answered) };
}
