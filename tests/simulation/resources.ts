/** The pages of the simulated site: what each is built from, and what it declares. */
import { type Dependency, dependsOn } from "../../mod.ts";
import type { Database } from "./database.ts";
import type { Visit } from "./visit.ts";
import type { World } from "./world.ts";

/** Where a document lives. */
export interface Place {
  readonly database: Database;
  readonly id: string;
}

/** A document as a handler gets it. */
interface Found {
  readonly _id: string;
  readonly _rev: string;
}

/** How a handler reads documents. */
export interface ReadingManner {
  /** Whether it shows the losing revisions, too. */
  readonly withConflicts?: boolean;
  /** Whether it never takes documents that it has kept. It declares no revision, by which an old one could be told. */
  readonly isFresh?: boolean;
}

/** A page: `respond` reads, and answers. */
export interface Resource {
  readonly path: string;
  /** Request fields that may make a difference. */
  readonly fields: readonly string[];
  readonly respond: (world: World, visit: Visit) => Promise<Response>;
}

const PUBLIC = "public, no-cache";

/** The name of the group that all documents of a kind share. */
export function collectionOf(id: string): string {
  return `all ${id.slice(0, 1)}`;
}

function page(sources: readonly Dependency[], fields: Readonly<Record<string, string>> = {}): Response {
  const headers = { "cache-control": PUBLIC, ...dependsOn(...sources), ...fields };
  return new Response("page", { headers });
}

function notFound(): Response {
  return new Response("not found", { status: 404 });
}

/** What is not there is declared by its name. */
function sources(places: readonly Place[], found: readonly (Found | undefined)[]): Dependency[] {
  return places.map(({ id }, index) => found[index] ?? id);
}

/** Built from one document, or from two readings of it. */
function one(
  path: string,
  place: (world: World, visit: Visit) => Place,
  answer: (documents: readonly Found[], visit: Visit) => Response,
  fields: readonly string[] = [],
  manner: ReadingManner = {},
): Resource {
  return {
    path,
    fields,
    respond: async (world, visit) => {
      const at = place(world, visit);
      const [document] = await world.read(visit, [at], manner);
      if (document === undefined) return notFound();
      if (!visit.twice) return answer([document], visit);
      const [again] = await world.read(visit, [at], manner);
      return again === undefined ? notFound() : answer([document, again], visit);
    },
  };
}

function several(path: string, places: readonly Place[]): Resource {
  return {
    path,
    fields: [],
    respond: async (world, visit) => page(sources(places, await world.read(visit, places))),
  };
}

/** Built from whichever documents of a kind there are. */
function list(path: string, places: readonly Place[]): Resource {
  return {
    path,
    fields: [],
    respond: async (world, visit) => {
      const found = (await world.read(visit, places)).filter((document) => document !== undefined);
      return page([collectionOf(places[0]!.id), ...found]);
    },
  };
}

/** One of several documents for each language, and more choices while another document exists. */
function negotiated(path: string, choices: Readonly<Record<string, Place>>, widening: Place): Resource {
  return {
    path,
    fields: ["lang", "plan"],
    respond: async (world, visit) => {
      const place = choices[visit.fields["lang"]!]!;
      const [document, wider] = await world.read(visit, [place, widening]);
      visit.selected.add("lang");
      if (wider !== undefined) visit.selected.add("plan");
      const vary = wider === undefined ? "Accept-Language" : "Accept-Language, X-Plan";
      return page(sources([place, widening], [document, wider]), { vary });
    },
  };
}

/** Shows one document and declares it, by revision or by name, and forgets another one that it shows. */
function forgetful(path: string, declared: Place, forgotten: Place, byName: boolean): Resource {
  return {
    path,
    fields: [],
    respond: async (world, visit) => {
      const [document] = await world.read(visit, [declared]);
      await world.read(visit, [forgotten], {}, visit.forgotten);
      return page([byName ? declared.id : document ?? declared.id]);
    },
  };
}

/** Pages that only an audit can tell from right ones. */
export function forgetfulOver(a: readonly Place[], b: readonly Place[]): Resource[] {
  return [
    forgetful("/forgetful/1", a[0]!, b[0]!, false),
    forgetful("/forgetful/2", b[1]!, a[2]!, true),
  ];
}

/** Pages that declare a document of the first database by its name alone, and its id. */
export const BARE_PAGES: Readonly<Record<string, string>> = {
  "/bare/1": "a-3",
  "/conflicts": "a-2",
  "/rotating": "a-1",
};

const select = (visit: Visit, field: string): void => void visit.selected.add(field);

function answerPersonally(documents: readonly Found[], visit: Visit): Response {
  select(visit, "who");
  const headers = { "cache-control": "private, no-cache", ...dependsOn(...documents) };
  return new Response("for you", { headers });
}

/** One page for everyone, another for whoever is logged in; nothing in the answer says so. */
function answerByCookie(documents: readonly Found[], visit: Visit): Response {
  select(visit, "who");
  return new Response("who are you", {
    headers: { "cache-control": "no-cache", ...dependsOn(...documents) },
  });
}

/** Pages over the rows of a table, and one over a document and a row. */
export function resourcesOverTable(rows: readonly Place[], document: Place): Resource[] {
  const bare = (documents: readonly Found[]) => page(documents.map(({ _id }) => _id));
  return [
    one("/row/1", () => rows[0]!, (documents) => page(documents)),
    one("/row/2", () => rows[1]!, bare, [], { isFresh: true }),
    several("/document-and-row", [document, rows[0]!]),
    list("/list/rows", rows),
  ];
}

/** All pages of a site over these documents of the first database, and these of a second. */
export function resourcesOver(a: readonly Place[], b: readonly Place[], other: readonly Place[]): Resource[] {
  const plain = (documents: readonly Found[]) => page(documents);
  const bare = (documents: readonly Found[]) => page(documents.map(({ _id }) => _id));
  const rotating = (world: World) => a[world.rotation % 2]!;
  const own = (documents: readonly Found[], { build }: Visit) => {
    const revisions = documents.map(({ _id, _rev }) => `${_id}.${_rev}`).join(".");
    return page(documents, { etag: `"own.${build}.${revisions}"` });
  };
  return [
    one("/one/1", () => a[0]!, plain),
    one("/one/2", () => a[1]!, plain),
    one("/view/1", () => a[0]!, plain),
    one("/other", () => other[0]!, plain),
    several("/three/1", [a[0]!, b[0]!, other[0]!]),
    several("/three/2", [a[2]!, b[1]!, other[1]!]),
    several("/many", [...a, ...b, ...other]),
    list("/list/a", a),
    list("/list/b", b),
    one("/bare/1", () => a[2]!, bare, [], { isFresh: true }),
    one("/conflicts", () => a[1]!, bare, [], { isFresh: true, withConflicts: true }),
    one("/latest", rotating, plain),
    one("/rotating", rotating, bare, [], { isFresh: true }),
    negotiated("/negotiated", { en: a[0]!, fr: a[1]! }, b[2]!),
    one("/personal/1", () => b[0]!, answerPersonally, ["who"]),
    one("/personal/2", () => a[1]!, answerPersonally, ["who"]),
    one("/dashboard", () => b[1]!, answerByCookie, ["who"]),
    one("/own", () => b[0]!, own),
  ];
}
