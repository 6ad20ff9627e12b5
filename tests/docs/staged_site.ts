/** A database with a feed, and a reader of one page, for the mistakes of `docs/stale-pages.md`. */
import { mock } from "node:test";
import { type AuditMismatch, withEtag, type WithEtagOptions } from "../../mod.ts";
import type { Change, ChangeBatch } from "../../src/changes/change.ts";
import { instant, systemClock } from "../../src/changes/clock.ts";
import { PushedFeed, settled } from "../support/feed.ts";
import { request } from "../support/http.ts";

/** Without audits, and with an audit of each request that could be answered from the registry. */
export const AUDIT_RATES: readonly number[] = [0, 1];

export const PUBLIC = { "cache-control": "public, no-cache" };

/** A document as the database gives it. */
export interface Doc {
  readonly _id: string;
  readonly _rev: string;
  readonly text: string;
}

/** Documents, and a feed that reports each write. */
export class Database {
  readonly feed: PushedFeed;
  readonly #docs: Map<string, Doc> = new Map();

  /**
   * Writes documents before anything follows.
   *
   * @param reported The documents whose changes the feed says that it reports; default: all.
   */
  constructor(texts: Record<string, string>, reported?: readonly string[]) {
    this.feed = new PushedFeed(reported);
    for (const [id, text] of Object.entries(texts)) this.#docs.set(id, { _id: id, _rev: "1-x", text });
  }

  read(id: string): Doc {
    return this.#docs.get(id)!;
  }

  all(): Doc[] {
    return [...this.#docs.values()];
  }

  /** Writes a document, which is not reported yet. */
  set(doc: Doc): void {
    this.#docs.set(doc._id, doc);
  }

  /** Writes a document, and reports it. */
  async put(id: string, text: string): Promise<void> {
    const generation = Number.parseInt(this.#docs.get(id)?._rev ?? "0", 10);
    const doc = { _id: id, _rev: `${generation + 1}-x`, text };
    this.set(doc);
    await this.report({ id, rev: doc._rev });
  }

  /** The feed is complete up to here, as of now. */
  async report(...changes: Change[]): Promise<void> {
    await this.push({ changes });
  }

  /** Hands a batch to the follower, if there is one, and waits until it has been applied: the next is then asked for. */
  async push(batch: Partial<ChangeBatch>): Promise<void> {
    const { reader } = this.feed;
    const { asked } = reader;
    const contact = instant(systemClock);
    reader.push({ changes: [], position: undefined, state: "live", contact, ...batch });
    while (asked > 0 && reader.asked === asked) await settled();
  }
}

/** What a reader got. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Headers;
  readonly etag: string;
}

/** The reader of a site. */
export interface Reader {
  readonly mismatches: readonly AuditMismatch[];
  /** The handler under withEtag. */
  readonly handler: ReturnType<typeof withEtag<Request, [], unknown>>;
  /** Asks for the page, or the one at a URL. */
  get(headers?: Record<string, string>, url?: string): Promise<Answer>;
  /** Asks whether a copy is still good. */
  reload(copy: Answer, headers?: Record<string, string>): Promise<Answer>;
}

/** Wraps a handler, and reads from it. */
export function read(handler: (request: Request) => unknown, options: WithEtagOptions = {}): Reader {
  const mismatches: AuditMismatch[] = [];
  const onAudit = (mismatch: AuditMismatch) => void mismatches.push(mismatch);
  return readerOf(withEtag(handler, { onAudit, cacheStatus: "here", ...options }), mismatches);
}

/** The reader of a handler that is wrapped already. */
export function readerOf(handler: Reader["handler"], mismatches: readonly AuditMismatch[] = []): Reader {
  const get = async (headers: Record<string, string> = {}, url?: string): Promise<Answer> => {
    const asked = request(headers, url === undefined ? {} : { url });
    const response = await handler(asked) as Response;
    return {
      status: response.status,
      body: await response.text(),
      headers: response.headers,
      etag: response.headers.get("etag") ?? "",
    };
  };
  const reload = (copy: Answer, headers = {}) => get({ ...headers, "if-none-match": copy.etag });
  return { mismatches, handler, get, reload };
}

/** What is said on the console meanwhile. */
export async function listening(
  method: "warn" | "error",
  body: () => unknown,
): Promise<readonly string[]> {
  const { mock: spy } = mock.method(console, method, () => {});
  try {
    await body();
    return spy.calls.map(({ arguments: said }) => said.map(String).join(" "));
  } finally {
    spy.restore();
  }
}
