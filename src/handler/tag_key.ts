/**
 * The digests in tags, made with a key: a tag is public, and ids can be guessed. With an unkeyed digest, a client could
 * try an email address after the other, offline, until one gives the digest in the tag.
 *
 * @module
 */
import { base64url, HmacSha256 } from "../http/sha256.ts";
import { randomId } from "../registry/random_tag.ts";
import { SHORT } from "./tag_state.ts";

/** A document at a revision. */
export interface Revision {
  readonly _id: string;
  readonly _rev: string;
}

/** Where all copies of this module in one process keep the key of those that are given no secret. */
const PROCESS_KEY: unique symbol = /* @__PURE__ */ Symbol.for("@stillfresh/etag process key 1");

function processKey(): HmacSha256 {
  const globals = globalThis as { [PROCESS_KEY]?: HmacSha256 };
  if (globals[PROCESS_KEY] === undefined) {
    Object.defineProperty(globals, PROCESS_KEY, { value: new HmacSha256(randomId() + randomId()) });
  }
  return globals[PROCESS_KEY]!;
}

/** A shorter secret could be guessed from a tag. */
const LEAST_SECRET = 16;

/** Makes the digests of one site. */
export class TagKey {
  readonly #secret: string | undefined;
  /** Made when it is first asked for: an edge refuses randomness while modules are loaded. */
  #hmac: HmacSha256 | undefined;
  /** Whether tags tell a digest of each document at its revision, in place of the revisions themselves. */
  readonly hidesRevisions: boolean;

  /**
   * @param secret Undefined: a random one, for this process.
   * @throws {TypeError} If it is no text of 16 characters at least. The message does not show it.
   */
  constructor(secret?: string, hidesRevisions: boolean = false) {
    if (secret !== undefined && (typeof secret !== "string" || secret.length < LEAST_SECRET)) {
      throw new TypeError(`secret must be a text of ${LEAST_SECRET} characters at least`);
    }
    this.#secret = secret;
    this.hidesRevisions = hidesRevisions;
  }

  /** @param length Characters; default: 43, which tell 256 bits. */
  digest(value: unknown, length?: number): string {
    const secret = this.#secret;
    this.#hmac ??= secret === undefined ? processKey() : new HmacSha256(secret);
    return base64url(this.#hmac.sign(JSON.stringify(value)), length);
  }

  /** Represents a document's id in a tag: the same in every build, because a document outlives builds. */
  idDigest(id: string): string {
    return this.digest(["document", id], SHORT);
  }

  /** Represents a document at a revision. */
  revisionDigest({ _id, _rev }: Revision): string {
    return this.digest(["revision", _id, _rev], SHORT);
  }

  /** Represents documents at their revisions, in whatever order they were named. */
  stateDigest(revisions: readonly Revision[]): string {
    return this.digest(revisions.map(({ _id, _rev }) => JSON.stringify([_id, _rev])).sort());
  }
}
