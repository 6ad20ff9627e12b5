/**
 * The calm case: no faults, one change a second, many pages of three documents each, lists and bare groups included.
 * How many of the conditional requests whose page did not change does the registry answer?
 *
 * @module
 */
import { type Dependency, dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import type { CouchChange } from "../../src/changes/change.ts";
import { changes } from "../../src/couchdb/changes.ts";
import { MS } from "./clocks.ts";
import { Database } from "./database.ts";
import type { Document } from "./document.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";
import { Server } from "./server.ts";

const PAGES = 1_000;
const DOCUMENTS = 3_000;
/** Virtual seconds. */
const SECONDS = 60;
const REQUESTS_A_SECOND = 100;
/** Documents that a list shows, and with it a collection of its own. */
const LISTED = 3;

/** How the requests went whose page had not changed since the client's copy. */
export interface SteadyState {
  readonly unchanged: number;
  readonly answered: number;
}

interface Page {
  readonly documents: readonly Document[];
  readonly kind: "derived" | "list" | "bare";
  tag: string | undefined;
  /** What the copy was built from. */
  revisions: string;
}

function makePages(database: Database, random: Random): Page[] {
  const all = Array.from({ length: DOCUMENTS }, (_, index) => database.document(`document-${index}`));
  for (const document of all) {
    document.edit("x");
    database.commit(document);
  }
  return Array.from({ length: PAGES }, (_, index): Page => ({
    documents: all.slice(index * LISTED, index * LISTED + LISTED),
    kind: random.pick(["derived", "list", "bare"] as const),
    tag: undefined,
    revisions: "",
  }));
}

function collectionOf(id: string): string {
  return `list ${Math.floor(Number(id.slice("document-".length)) / LISTED)}`;
}

function sourcesOf({ documents, kind }: Page): Dependency[] {
  if (kind === "bare") return documents.map(({ id }) => id);
  const found = documents.map(({ id, versions }) => ({ _id: id, _rev: versions.at(-1)!.rev }));
  return kind === "list" ? [collectionOf(documents[0]!.id), ...found] : found;
}

/** Runs it. The changes go to random documents, so most pages do not change. */
export async function steadyState(seed: number, replicas: number): Promise<SteadyState> {
  const random = new Random(seed);
  const scheduler = new Scheduler();
  const database = new Database({ name: "db", shards: 2, replicas }, scheduler, new Random(random.seed()));
  const pages = makePages(database, random);
  const server = new Server([database], scheduler, new Random(random.seed()));
  const { now, monotonic } = scheduler.clocks;
  const registry = new EtagRegistry({ now, monotonic });
  const clock = { now, monotonic, sleep: scheduler.sleep, random: random.next };
  const feed = changes(server.url(database), { fetch: server.fetch, ...clock });
  const follower = follow(registry, feed, { groups: ({ id }: CouchChange) => [collectionOf(id)] });
  const site = withEtag((_request: Request, page: Page) =>
    new Response("page", {
      headers: { "cache-control": "public", ...dependsOn(...sourcesOf(page)) },
    }), { registry, version: "1" });
  while (!registry.live) await scheduler.step();
  await settled(scheduler);
  const result = { unchanged: 0, answered: 0 };
  for (const page of pages) visit(site, page, result);
  result.unchanged = result.answered = 0;
  for (let second = 0; second < SECONDS; second++) {
    const document = random.pick(random.pick(pages).documents);
    document.edit("y");
    database.commit(document);
    for (let i = 0; i < REQUESTS_A_SECOND; i++) {
      await passTime(scheduler, (1_000 / REQUESTS_A_SECOND) * MS);
      visit(site, random.pick(pages), result);
    }
  }
  if (follower.error !== undefined) throw follower.error;
  await follower.close();
  return result;
}

type Site = (request: Request, page: Page) => Response | Promise<Response>;

/** Whoever asks has the copy that was last given out. */
function visit(site: Site, page: Page, result: { unchanged: number; answered: number }): void {
  const headers: Record<string, string> = page.tag === undefined ? {} : { "if-none-match": page.tag };
  const revisions = JSON.stringify(page.documents.map(({ versions }) => versions.at(-1)!.rev));
  const before = page.revisions;
  const request = new Request(`http://site.test/${page.documents[0]!.id}`, { headers });
  const response = site(request, page) as Response;
  if (revisions === before) result.unchanged++;
  if (response.status === 304) {
    if (revisions === before) result.answered++;
    return;
  }
  page.tag = response.headers.get("etag") ?? undefined;
  page.revisions = revisions;
}

async function passTime(scheduler: Scheduler, ticks: number): Promise<void> {
  let passed = false;
  scheduler.after(ticks, () => passed = true);
  while (!passed) await scheduler.step();
}

/** Longer than any replica lags, and then than a change counts. */
function settled(scheduler: Scheduler): Promise<void> {
  return passTime(scheduler, 12_000 * MS);
}
