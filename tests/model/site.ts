/** A site of one process: pages behind the real wrapper, with handlers that respond when a step of the model says so. */
import type { EtagRegistry } from "../../src/registry/registry.ts";
import { Impossible } from "./impossible.ts";
import type { Library } from "./library.ts";

export const VERSION = "1";

const ROOT = "http://localhost/";

const urlOf = (page: number): string => `${ROOT}page-${page}`;

/** The states that were read, by document. */
export type Reading = ReadonlyMap<number, number>;

/** By page, tag and document: the states that copies with the tag show, as masks. Clients outlive a process. */
export class Copies {
  readonly #shown = new Map<string, number>();
  readonly #tags = new Map<number, Set<string>>();

  /** A client gets a copy. */
  note(page: number, etag: string, read: Reading): void {
    this.#tags.set(page, this.tagsOf(page).add(etag));
    for (const [document, state] of read) {
      const name = `${page} ${document} ${etag}`;
      this.#shown.set(name, (this.#shown.get(name) ?? 0) | 1 << state);
    }
  }

  tagsOf(page: number): Set<string> {
    return this.#tags.get(page) ?? new Set();
  }

  /** What copies with a tag show of a document. */
  shown(page: number, etag: string, document: number): number {
    return this.#shown.get(`${page} ${document} ${etag}`) ?? 0;
  }
}

/** A handler that runs. */
interface Running {
  readonly page: number;
  readonly respond: (response: Response) => void;
  readonly result: Promise<Response>;
  /** What the client gets. */
  response: Promise<Response>;
}

export class Site {
  readonly registry: EtagRegistry;
  readonly #library: Library;
  readonly #copies: Copies;
  readonly #answer: (request: Request) => Response | Promise<Response>;
  readonly #handlers = new Map<number | "write", Running>();
  /** The handler that the next request is for. */
  #next: Running | undefined;

  constructor(library: Library, registry: EtagRegistry, copies: Copies) {
    this.registry = registry;
    this.#library = library;
    this.#copies = copies;
    const options = { registry, version: VERSION, cacheStatus: "Model" };
    this.#answer = library.main.withEtag((request: Request) => this.#handle(request), options);
  }

  /** A request for a page reaches its handler: the client has a copy that nothing confirms. */
  run(handler: number, page: number): void {
    this.#start(handler, page, new Request(urlOf(page), { headers: { "if-none-match": '"none"' } }));
  }

  /**
   * A handler responds.
   *
   * @param declaration What `dependsOn()` made.
   * @param read What the response shows.
   * @returns Whether the response was registered.
   */
  async respond(handler: number, declaration: Record<string, string>, read: Reading): Promise<boolean> {
    const running = this.#take(handler);
    const headers = { "cache-control": "public, no-cache", ...declaration };
    running.respond(new Response("page", { headers }));
    const response = await running.response;
    await response.text();
    const etag = response.headers.get("etag");
    if (etag !== null) this.#copies.note(running.page, etag, read);
    return response.headers.get("cache-status")!.includes("; stored");
  }

  /** A write reaches its handler. */
  beginWrite(): void {
    this.#start("write", -1, new Request(`${ROOT}write`, { method: "PUT" }));
  }

  /** The handler of a write responds. */
  async endWrite(group: string): Promise<void> {
    const { respond, response } = this.#take("write");
    respond(new Response(null, { status: 204, headers: this.#library.main.invalidates(group) }));
    await response;
  }

  /** The tag that the registry confirms to a client that has every copy; undefined: it does not answer. */
  async ask(page: number): Promise<string | undefined> {
    const tags = [...this.#copies.tagsOf(page)];
    const headers = tags.length > 0 ? { "if-none-match": tags.join(", ") } : {};
    const response = await this.#answer(new Request(urlOf(page), { headers }));
    return response.status === 304 ? response.headers.get("etag")! : undefined;
  }

  /** The tag of the entry that would answer if every feed were live; undefined: there is none. */
  registeredTag(page: number): string | undefined {
    return this.#library.coreOf(this.registry).peek(urlOf(page), new Headers())?.etag;
  }

  #handle(_: Request): Response | Promise<Response> {
    const running = this.#next;
    this.#next = undefined;
    return running?.result ?? new Response(null, { status: 404 });
  }

  #start(handler: number | "write", page: number, request: Request): void {
    const { promise: result, resolve: respond } = Promise.withResolvers<Response>();
    const running: Running = { page, respond, result, response: result };
    this.#next = running;
    running.response = Promise.resolve(this.#answer(request));
    this.#handlers.set(handler, running);
  }

  #take(handler: number | "write"): Running {
    const running = this.#handlers.get(handler);
    if (running === undefined) throw new Impossible("no handler runs");
    this.#handlers.delete(handler);
    return running;
  }
}
