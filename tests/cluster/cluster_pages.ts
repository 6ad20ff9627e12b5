/** Documents on shelves: pages that are read from any node, in each way that CouchDB offers; and writers. */
import { dependsOn } from "../../mod.ts";
import type { Random } from "../simulation/random.ts";
import type { State, Written } from "./feed_ledger.ts";
import { addressed } from "./raw_feed.ts";

const shelves = 40;
const perShelf = 5;
/** ms for one request to a node that may be paused. */
const patience = 6_000;

interface Document {
  readonly _id: string;
  readonly _rev: string;
}

/** Asks one node about the database, or gives up. */
export class Node {
  readonly url: URL;

  constructor(url: URL) {
    this.url = url;
  }

  async ask(path: string, method = "GET", body?: unknown): Promise<{ status: number; body: unknown }> {
    const { href, headers } = addressed(this.url);
    const response = await fetch(`${href}${path}`, {
      method,
      headers: { ...headers, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(patience),
    });
    return { status: response.status, body: await response.json() };
  }
}

const shelfName = (shelf: number) => `shelf-${String(shelf).padStart(2, "0")}`;
const itemName = (shelf: number, item: number) => `${shelfName(shelf)}:${item}`;

/** The collection that a document is in. */
export const shelfOf = (id: string): string => id.split(":", 1)[0]!;

/** All on one shelf. */
export function itemsOf(shelf: string): string[] {
  return Array.from({ length: perShelf }, (_, item) => `${shelf}:${item}`);
}

/** How a page is read: of one document, or of a shelf. */
export const kinds = ["r=1", "quorum", "_all_docs", "_find", "_view"] as const;
export type Kind = (typeof kinds)[number];

/** The pages that show a document. */
export function pathsOf(id: string): string[] {
  return kinds.map((kind) => `/${kind}/${kind === "r=1" || kind === "quorum" ? id : shelfOf(id)}`);
}

/** All pages. */
export function allPaths(): string[] {
  const all = Array.from({ length: shelves }, (_, shelf) => itemsOf(shelfName(shelf))).flat();
  return [...new Set(all.flatMap(pathsOf))];
}

/** Builds a page from what a node says. It tells which states it was built from. */
export async function page(node: Node, request: Request): Promise<Response> {
  const [, kind, name] = decodeURIComponent(new URL(request.url).pathname).split("/") as [
    string,
    Kind,
    string,
  ];
  if (kind === "r=1" || kind === "quorum") {
    const { status, body } = await node.ask(`/${name}${kind === "r=1" ? "?r=1" : ""}`);
    if (status !== 200) return new Response("", { status });
    const document = body as Document;
    return Response.json([[document._id, document._rev]], { headers: dependsOn(document) });
  }
  const documents = await shelf(node, kind, name);
  if (documents === undefined) return new Response("", { status: 503 });
  const found = new Map<string, State>(documents.map(({ _id, _rev }) => [_id, _rev]));
  const states = itemsOf(name).map((id) => [id, found.get(id) ?? null]);
  return Response.json(states, { headers: dependsOn(name, ...documents) });
}

async function shelf(node: Node, kind: Kind, name: string): Promise<readonly Document[] | undefined> {
  if (kind === "_find") {
    const { status, body } = await node.ask("/_find", "POST", { selector: { shelf: name } });
    return status === 200 ? (body as { docs: Document[] }).docs : undefined;
  }
  const range = kind === "_view"
    ? `_design/shelves/_view/all?key=${encodeURIComponent(JSON.stringify(name))}`
    : `_all_docs?startkey=${encodeURIComponent(`"${name}:"`)}&endkey=${encodeURIComponent(`"${name}:z"`)}`;
  const { status, body } = await node.ask(`/${range}&include_docs=true`);
  if (status !== 200) return undefined;
  return (body as { rows: { doc: Document | null }[] }).rows.flatMap(({ doc }) => doc === null ? [] : [doc]);
}

/** Creates everything. */
export async function fill(node: Node, known: Written): Promise<void> {
  const map = "function (doc) { if (doc.shelf) emit(doc.shelf, null); }";
  const design = { _id: "_design/shelves", views: { all: { map } } };
  const docs = Array.from({ length: shelves }, (_, shelf) => itemsOf(shelfName(shelf))).flat()
    .map((_id) => ({ _id, shelf: shelfOf(_id), edition: 0 }));
  const created = await node.ask("", "PUT");
  if (created.status >= 300) {
    throw new Error(`the database cannot be created: ${JSON.stringify(created.body)}`);
  }
  const { body } = await node.ask("/_bulk_docs", "POST", { docs: [design, ...docs] });
  for (const { id, rev } of body as { id: string; rev: string }[]) known.note(id, rev, -Infinity, false);
  await node.ask("/_index", "POST", { index: { fields: ["shelf"] } });
}

/** How often each happens. */
const deeds = { edit: 60, conflict: 15, remove: 25 };

/** Edits, conflicting edits, and deletions of winners, which may bring an older revision back. */
export class Scribe {
  readonly #node: Node;
  readonly #written: Written;
  readonly #random: Random;
  #edition = 0;
  readonly done: Record<keyof typeof deeds | "purge", number> = { edit: 0, conflict: 0, remove: 0, purge: 0 };

  constructor(node: Node, written: Written, random: Random) {
    this.#node = node;
    this.#written = written;
    this.#random = random;
  }

  /** One write, to a few shelves most of the time. A node that does not answer is let be. */
  async write(): Promise<void> {
    const shelf = Math.floor(this.#random.next() ** 3 * shelves);
    const id = itemName(shelf, this.#random.integer(0, perShelf - 1));
    const deed = this.#random.weighted(deeds);
    try {
      const { status, body } = await this.#node.ask(`/${id}`);
      if (status !== 200 && status !== 404) return;
      const rev = status === 200 ? (body as Document)._rev : undefined;
      await this.#change(id, rev, rev === undefined ? "edit" : deed);
      this.done[deed]++;
    } catch {
      // Paused, or away.
    }
  }

  /** Purges a document: no feed tells of it. It is written again at once, so that each feed says what it is now. */
  async purge(): Promise<void> {
    const id = itemName(this.#random.integer(0, shelves - 1), this.#random.integer(0, perShelf - 1));
    try {
      const { status, body } = await this.#node.ask(`/${id}`);
      if (status !== 200) return;
      this.#written.removing(id, performance.now());
      const purged = await this.#node.ask("/_purge", "POST", { [id]: [(body as Document)._rev] });
      if (purged.status < 300) this.done.purge++;
      await this.#change(id, undefined, "edit");
    } catch {
      // Paused, or away.
    }
  }

  async #change(id: string, rev: string | undefined, deed: keyof typeof deeds): Promise<void> {
    const begun = performance.now();
    const content = { _id: id, shelf: shelfOf(id), edition: ++this.#edition, at: begun };
    if (deed === "conflict") {
      // A sibling of the winner: of one generation, the greater digest wins on every node.
      const _rev = `${Number.parseInt(rev!)}-${crypto.randomUUID().replaceAll("-", "")}`;
      const doc = { ...content, _rev };
      this.#written.note(id, _rev, begun, false);
      await this.#node.ask("/_bulk_docs", "POST", { docs: [doc], new_edits: false });
      return;
    }
    const sent = { ...content, ...(rev && { _rev: rev }), ...(deed === "remove" && { _deleted: true }) };
    if (deed === "remove") this.#written.removing(id, begun);
    const { status, body } = await this.#node.ask(`/${id}`, "PUT", sent);
    if (status < 300) this.#written.note(id, (body as { rev: string }).rev, begun, deed === "remove");
  }
}
