/** The clients: what they hold, and what they ask with it. */
import { invalidates } from "../../mod.ts";
import { checkBody, checkEvaluated, checkNotModified, Violation } from "./invariant.ts";
import { MS } from "./clocks.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { collectionOf } from "./resources.ts";
import type { Copy, Reading, Visit } from "./visit.ts";
import type { World } from "./world.ts";

/** How a request differs from a plain one. */
export interface Manner {
  readonly slow?: number;
  readonly throws?: boolean;
  readonly twice?: boolean;
  /** What happens while the handler runs. */
  readonly meanwhile?: (visit: Visit) => void;
  /** Which page; default any. */
  readonly path?: string;
  /** Asks with what it holds, whatever else it might do. */
  readonly plainly?: boolean;
}

const ORIGIN = "http://site.test";
const CLIENTS = 2;
/** Old copies that some forgotten tab still holds. */
const ATTIC = 40;

export class Clients {
  readonly #world: World;
  readonly #copies: Map<string, Copy>[] = Array.from({ length: CLIENTS }, () => new Map());
  readonly #attic: Copy[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** A client asks for a page, usually with the tag of its copy. Returns whether a condition was sent. */
  request(random: Random, manner: Manner = {}): boolean {
    const world = this.#world;
    const { path } = manner;
    const chosen = path === undefined ? undefined : world.resources.find((each) => each.path === path);
    const resource = chosen ?? random.pick(world.resources);
    const fields = {
      who: resource.fields.includes("who") && random.chance(0.3) || random.chance(0.03)
        ? random.pick(["user=1", "user=2"])
        : "",
      lang: resource.fields.includes("lang") && random.chance(0.3) ? "fr" : "en",
      plan: resource.fields.includes("plan") && random.chance(0.2) ? "pro" : "free",
    };
    const copies = random.pick(this.#copies);
    const place = [resource.path, ...resource.fields.map((name) => fields[name as keyof typeof fields])].join(
      " ",
    );
    const sent = this.#choose(random, copies.get(place), manner.plainly ?? false);
    const visit: Visit = {
      path: resource.path,
      fields,
      build: world.process.build,
      random,
      slow: manner.slow ?? (random.chance(0.06) ? random.integer(5, 400) : 0),
      throws: manner.throws ?? false,
      twice: manner.twice ?? false,
      meanwhile: () => manner.meanwhile?.(visit),
      ran: false,
      audited: false,
      upsets: 0,
      readings: [],
      forgotten: [],
      body: "",
      selected: new Set(),
    };
    const method = sent.length > 0 && random.chance(0.1) ? "HEAD" : "GET";
    this.#send(method, visit, sent, (copy) => {
      const former = copies.get(place);
      if (former !== undefined) this.#store(random, former);
      copies.set(place, copy);
    });
    return sent.length > 0;
  }

  /** Puts away what has been replaced: somebody may still ask with it. */
  #store(random: Random, copy: Copy): void {
    if (this.#attic.length < ATTIC) this.#attic.push(copy);
    else this.#attic[random.integer(0, ATTIC - 1)] = copy;
  }

  /** The copies whose tags are sent: one's own; an old one, another page's, another caller's; several. */
  #choose(random: Random, own: Copy | undefined, plainly: boolean): Copy[] {
    const mood = random.next();
    if (plainly || mood < 0.9) return own === undefined ? [] : [own];
    if (mood < 0.92) return [];
    const foreign = this.#any(random);
    if (foreign === undefined) return [];
    return mood < 0.97 || own === undefined ? [foreign] : [own, foreign];
  }

  #any(random: Random): Copy | undefined {
    if (random.chance(0.5) && this.#attic.length > 0) return random.pick(this.#attic);
    const copies = [...random.pick(this.#copies).values()];
    return copies.length === 0 ? undefined : random.pick(copies);
  }

  #send(method: string, visit: Visit, sent: readonly Copy[], keep: (copy: Copy) => void): void {
    const world = this.#world;
    const { process } = world;
    world.requests++;
    const headers: Record<string, string> = {
      "accept-language": visit.fields["lang"]!,
      "x-plan": visit.fields["plan"]!,
    };
    if (visit.fields["who"] !== "") headers["cookie"] = visit.fields["who"]!;
    if (sent.length > 0) headers["if-none-match"] = sent.map(({ tag }) => tag).join(", ");
    const request = new Request(ORIGIN + visit.path, { method, headers });
    const answer = process.answer(request, visit);
    if (!visit.ran) return this.#answeredByRegistry(process, visit, sent, answer as Response);
    world.trace?.(`${method} ${visit.path} ${sent.map(({ tag }) => tag).join(", ")} runs the handler`);
    Promise.resolve(answer).then((response) => {
      world.trace?.(`  ${response.status} for ${visit.path} ${response.headers.get("etag")}`);
      try {
        this.#receive(process, visit, sent, method, response, keep);
      } catch (error) {
        world.violation ??= error as Violation;
      }
    }, () => {});
  }

  #answeredByRegistry(process: Process, visit: Visit, sent: readonly Copy[], response: Response): void {
    const world = this.#world;
    const tag = response.headers.get("etag");
    world.hits++;
    world.trace?.(`304 for ${visit.path} ${tag} from the registry`);
    if (response.status !== 304) throw new Violation(`${response.status} without a handler`);
    if (visit.audited) {
      throw new Violation(`304 for ${visit.path} was drawn for a check, and nothing checked`);
    }
    if (process.refuted.has(`${visit.path} ${tag}`)) {
      throw new Violation(`304 for ${visit.path} confirms ${tag}, which a check has refuted`);
    }
    checkNotModified(process, visit, sent, tag);
  }

  #receive(
    process: Process,
    visit: Visit,
    sent: readonly Copy[],
    method: string,
    response: Response,
    keep: (copy: Copy) => void,
  ): void {
    const world = this.#world;
    const tag = response.headers.get("etag");
    if (tag === null) return;
    process.tags.add(tag);
    process.refuted.delete(`${visit.path} ${tag}`);
    if (!process.running) return;
    if (response.status === 304) {
      checkEvaluated(process, visit, sent, tag);
      if (method === "GET") checkBody(process, visit, tag);
    }
    if (method === "GET" && response.status < 400) world.show(visit, tag);
    if (visit.audited) this.#compare(process, visit, sent, tag);
    if (response.status !== 200 || method !== "GET") return;
    const representation: Record<string, string> = { path: visit.path, build: process.build };
    for (const field of visit.selected) representation[field] = visit.fields[field]!;
    keep({ tag, representation, readings: visit.readings, body: visit.body });
  }

  /** A check that was answered with another tag, built from other states of the same documents, has refuted the old one. */
  #compare(process: Process, visit: Visit, sent: readonly Copy[], tag: string): void {
    this.#world.count("checked");
    const [copy, more] = sent;
    if (copy === undefined || more !== undefined || visit.upsets !== process.upsets) return;
    // Where names are declared without revisions, a new tag says nothing of what was read.
    if (told(copy.tag) === told(tag)) return;
    const documents = (readings: readonly Reading[]) => readings.map(({ document }) => document.id).join();
    if (documents(copy.readings) !== documents(visit.readings)) return;
    // A replica that lags behind refutes nothing, nor does the same state under a tag that is new each time.
    if (!visit.readings.some(({ version }, at) => version > copy.readings[at]!.version)) return;
    this.#world.count("refuted");
    process.refuted.add(`${visit.path} ${copy.tag}`);
  }

  /** A client writes a document by way of the site. */
  write(random: Random): void {
    const { process } = this.#world;
    const visit: Visit = {
      ...{ path: random.pick(this.#world.resources).path, fields: {}, build: process.build, random },
      ...{
        slow: 0,
        throws: false,
        twice: false,
        meanwhile: undefined,
        ran: false,
        audited: false,
        upsets: 0,
        readings: [],
        forgotten: [],
        body: "",
        selected: new Set<string>(),
      },
    };
    const answer = process.answer(new Request(ORIGIN + visit.path, { method: "POST" }), visit);
    Promise.resolve(answer).then((response) => {
      if (response.status !== 204) return;
      for (const { document, version } of visit.readings) {
        process.written.set(document, Math.max(version, process.written.get(document) ?? 0));
      }
    }, () => {});
  }

  /** The handler of that: writes, and says what it wrote. */
  writeThrough(process: Process, visit: Visit): Promise<Response> {
    const { scheduler, places } = this.#world;
    const { random } = visit;
    const { database, id } = random.pick(places);
    return new Promise((resolve) => {
      scheduler.after(random.integer(1, 10 * MS), () => {
        if (!database.exists || database.readOnly) return resolve(new Response(null, { status: 503 }));
        const document = database.document(id);
        if (random.chance(0.8) || document.winner === undefined) document.edit(random.pick(["x", "y"]));
        else document.delete();
        visit.readings.push({
          ...{ database, document, withConflicts: false },
          version: database.commit(document),
        });
        process.kept.delete(document);
        this.#world.trace?.(`  the site writes ${id}`);
        const answer = () =>
          resolve(new Response(null, { status: 204, headers: invalidates(id, collectionOf(id)) }));
        scheduler.after(random.integer(1, 30 * MS), answer);
      });
    });
  }
}

/** What a tag says, without the random part of a minted one. */
function told(tag: string): string {
  return tag.replace(/^"[\w-]{22}\./, "");
}
