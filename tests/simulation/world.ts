/** Everything there is in one run: databases, network, the process, its clients, and what has been counted. */
import { Channel } from "./channel.ts";
import { Database } from "./database.ts";
import { MS } from "./clocks.ts";
import { Clients } from "./clients.ts";
import type { Config, Plan } from "./plan.ts";
import { Process } from "./process.ts";
import { Random } from "./random.ts";
import {
  forgetfulOver,
  type Place,
  type ReadingManner,
  type Resource,
  resourcesOver,
  resourcesOverTable,
} from "./resources.ts";
import { sharing } from "./shared_headers.ts";
import { Scheduler } from "./scheduler.ts";
import { coreOf } from "../../src/registry/core.ts";
import { piecesOf } from "./snapshot_pieces.ts";
import { Server } from "./server.ts";
import { SnapshotServer } from "./snapshot_server.ts";
import { type Reading, stateRead, type Visit } from "./visit.ts";
import type { Violation } from "./invariant.ts";

/** Before anybody looked, in ticks. */
const LONG_AGO = -60_000 * MS;

export class World {
  readonly config: Config;
  readonly random: Random;
  readonly scheduler: Scheduler = new Scheduler();
  readonly databases: Database[] = [];
  /** What is followed by a feed of the site's own, and the channel that tells of it. */
  readonly table: Database | undefined;
  readonly channel: Channel | undefined;
  /** In its place: the server that holds the table, which the feed looks at. */
  readonly snapshots: SnapshotServer | undefined;
  readonly server: Server;
  readonly resources: readonly Resource[];
  readonly clients: Clients;
  readonly counts: Map<string, number> = new Map();
  readonly processes: Process[] = [];
  process!: Process;
  /** Handlers that are running. */
  running = 0;
  /** Answers of the registry. */
  hits = 0;
  requests = 0;
  /** Which of equal documents `/latest` shows. */
  rotation = 0;
  /** What pages have shown under a tag, by path and tag. */
  readonly shown: Map<string, Set<string>> = new Map();
  /** The next call of `groups` throws. */
  groupsThrow = false;
  violation: Violation | undefined;
  /** A snapshot that a restarted process may find, as the pieces of its file. */
  saved: readonly Uint8Array[] | undefined;
  readonly trace: ((line: string) => void) | undefined;

  constructor({ seed, config }: Plan, trace?: (line: string) => void) {
    this.config = config;
    this.trace = trace === undefined ? undefined : (line) => trace(`${this.#clock()} ${line}`);
    this.random = new Random(seed ^ 0x5bd1e995);
    const { shards, replicas, spellsAlike } = config;
    for (let i = 0; i < config.databases; i++) {
      const name = `db${i + 1}`;
      const database = new Database(
        { name, shards, replicas, spellsAlike },
        this.scheduler,
        new Random(this.random.seed()),
      );
      database.onCoalesced = () => this.count("rows coalesced");
      this.databases.push(database);
    }
    this.server = new Server(this.databases, this.scheduler, new Random(this.random.seed()));
    this.server.onWrongAnswer = (wrong) => this.count(wrong === "html" ? "html under 200" : wrong);
    const draws = new Random(seed ^ 0x2545f491);
    this.table = config.table ? this.#makeTable(draws) : undefined;
    this.channel = this.table && !config.polled ? this.#openChannel(this.table, draws) : undefined;
    this.snapshots = this.table && config.polled
      ? new SnapshotServer(this.table, this.scheduler, new Random(draws.seed()))
      : undefined;
    this.resources = [...this.#chooseResources(), ...this.#chooseTablePages(draws)];
    this.clients = new Clients(this);
  }

  /** What a process finds that is started now; while files are being put back, nobody writes any. */
  save(): readonly Uint8Array[] | undefined {
    return this.mayKeep ? piecesOf(coreOf(this.process.registry)) : undefined;
  }

  /** Whether a snapshot may be kept that is complete now. */
  get mayKeep(): boolean {
    return !this.databases.some(({ readOnly, isRestored }) => readOnly || isRestored);
  }

  start(build: string, saved?: readonly Uint8Array[]): void {
    if (saved !== undefined) this.count("warm restart");
    else for (const database of this.databases) database.isRestored = database.repeatsHistory = false;
    this.process = new Process(this, build, saved);
    this.processes.push(this.process);
  }

  /** Notes what a page showed under a tag. */
  show({ path, body }: Visit, tag: string): void {
    const name = `${path} ${tag}`;
    const bodies = this.shown.get(name) ?? new Set();
    this.shown.set(name, bodies.add(body));
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  #clock(): string {
    return `${String(this.scheduler.steps).padStart(5)} ${
      (this.scheduler.time / MS).toFixed(3).padStart(11)
    } ms`;
  }

  #chooseResources(): Resource[] {
    const [first, second = first] = this.databases;
    const place = (database: Database, id: string): Place => ({ database, id });
    const a = [1, 2, 3, 4].map((n) => place(first!, `a-${n}`));
    const b = [1, 2, 3].map((n) => place(first!, `b-${n}`));
    // With two databases, one of the other's ids is also one of the first's.
    const other = [place(second!, "c-1"), place(second!, second === first ? "c-2" : "a-2")];
    for (const { database, id } of [...a, ...b, ...other]) {
      const document = database.document(id);
      if (this.random.chance(0.1)) continue;
      document.edit("x");
      document.reveal(document.commit(LONG_AGO), LONG_AGO);
      document.seq = ++database.seqs[document.shard]!;
    }
    const all = resourcesOver(a, b, other);
    const chosen = new Set<Resource>(this.config.forgets ? forgetfulOver(a, b) : []);
    const pages = this.config.pages + chosen.size;
    while (chosen.size < pages) chosen.add(this.random.pick(all));
    return [...chosen];
  }

  #makeTable(random: Random): Database {
    const table = new Database({ name: "table", shards: 1, replicas: 1 }, this.scheduler, random);
    for (const id of ["t-1", "t-2"]) {
      const row = table.document(id);
      row.edit("x");
      row.reveal(row.commit(LONG_AGO), LONG_AGO);
    }
    return table;
  }

  #openChannel(table: Database, random: Random): Channel {
    const { reconnectsInSilence, tellsRevisions } = this.config;
    const channel = new Channel(reconnectsInSilence, this.scheduler, random);
    table.onRow = ({ id, versions }) =>
      channel.publish(tellsRevisions ? { id, rev: versions.at(-1)!.rev } : { id });
    return channel;
  }

  #chooseTablePages(random: Random): Resource[] {
    const { table } = this;
    if (table === undefined) return [];
    const rows = [...table.documents.keys()].map((id) => ({ database: table, id }));
    const all = resourcesOverTable(rows, { database: this.databases[0]!, id: "a-1" });
    return [random.pick(all), random.pick(all)];
  }

  /** All that is followed. */
  get sources(): Database[] {
    return this.table === undefined ? this.databases : [...this.databases, this.table];
  }

  /** Documents that pages are built from. */
  get places(): Place[] {
    return this.sources.flatMap((database) =>
      [...database.documents.keys()].filter((id) => !id.startsWith("z")).map((id) => ({ database, id }))
    );
  }

  /** The handler behind both sites. */
  async handle(process: Process, request: Request, visit: Visit): Promise<Response> {
    // A HEAD is run as a GET as well, to know its tag: then that is what the client is told.
    if (visit.ran) visit.readings.length = visit.forgotten.length = 0;
    visit.ran = true;
    this.running++;
    try {
      if (request.method === "POST") return await this.clients.writeThrough(process, visit);
      const resource = this.resources.find(({ path }) => path === visit.path)!;
      const response = this.#shared(process, await resource.respond(this, visit));
      visit.meanwhile?.();
      if (visit.slow > 0) await this.#dawdle(visit.slow);
      if (visit.throws) throw new Error("the handler has failed");
      const { hashBody, auditRate } = this.config;
      return hashBody || auditRate > 0 ? this.#withBody(response, visit) : response;
    } finally {
      this.running--;
    }
  }

  #shared(process: Process, response: Response): Response {
    if (!this.config.sharesHeaders) return response;
    return sharing(response, process.sharedHeaders, () => this.count("shared headers"));
  }

  /** Its body shows what was read and who it is for, and nothing else, and comes a little later than its fields. */
  #withBody(response: Response, visit: Visit): Response {
    const states = [...visit.readings, ...visit.forgotten].map((reading) =>
      `${reading.document.id} ${stateRead(reading)}`
    );
    // Of equal bytes, a digest rightly confirms one user's copy to another: so these differ by all that selects a page.
    const selected = [...visit.selected].sort().map((field) => `${field} ${visit.fields[field]}`);
    // Read twice alike is read once.
    visit.body = JSON.stringify([visit.build, ...selected, ...new Set(states)]);
    const body = new TextEncoder().encode(visit.body);
    const read = (): Promise<ArrayBuffer> => {
      this.running++;
      return new Promise((resolve) => {
        this.scheduler.after(visit.random.integer(1, 20 * MS), () => {
          this.running--;
          resolve(body.buffer);
        });
      });
    };
    let done = false;
    const reader = {
      read: async () => {
        if (done) return { done };
        const value = new Uint8Array(await read());
        done = true;
        return { done: false, value };
      },
      cancel: () => Promise.resolve(),
    };
    return Object.defineProperties(response, {
      body: { value: { locked: false, getReader: () => reader, cancel: reader.cancel } },
      clone: { value: () => ({ body: { getReader: () => reader } }) },
    });
  }

  /** A handler takes its time. */
  #dawdle(ms: number): Promise<void> {
    return new Promise((resolve) => this.scheduler.after(ms * MS, resolve));
  }

  /** One request of a handler to the database, answered as of one moment by one replica of each shard. */
  read(
    visit: Visit,
    places: readonly Place[],
    manner: ReadingManner = {},
    into: Reading[] = visit.readings,
  ): Promise<({ _id: string; _rev: string } | undefined)[]> {
    const { random } = visit;
    const { process } = this;
    return new Promise((resolve, reject) => {
      this.scheduler.after(random.integer(1, random.chance(0.9) ? 5 * MS : 1_500 * MS), () => {
        if (places.some(({ database }) => !database.exists)) return reject(new Error("no such database"));
        const readings = this.#readAll(places, random, manner.withConflicts ?? false)
          .map((reading) => manner.isFresh ? reading : this.#keep(process, reading, random));
        into.push(...readings);
        const found = readings.map(({ document, version }) => {
          const { exists, rev } = document.versions[version]!;
          return exists ? { _id: document.id, _rev: rev } : undefined;
        });
        const line = readings.map((reading) => `${reading.document.id} ${stateRead(reading)}`);
        this.trace?.(`  read for ${visit.path}: ${line.join(", ")}`);
        if (random.chance(0.9)) resolve(found);
        else this.scheduler.after(random.integer(1, 20 * MS), () => resolve(found));
      });
    });
  }

  /** A handler that keeps documents itself takes an old reading as often as not, or keeps the new one. */
  #keep(process: Process, reading: Reading, random: Random): Reading {
    if (!this.config.keepsDocuments) return reading;
    const { document, version } = reading;
    const kept = process.kept.get(document);
    if (kept !== undefined && kept.resets === process.resets && random.chance(0.3)) {
      if (kept.version < version) this.count("kept document");
      return { ...reading, version: kept.version };
    }
    if (document.versions[version]!.exists && random.chance(0.5)) {
      process.kept.set(document, { version, resets: process.resets });
    }
    return reading;
  }

  #readAll(places: readonly Place[], random: Random, withConflicts: boolean): Reading[] {
    const lags = new Map(this.sources.map((database) => [database, database.lag(random)]));
    return places.map(({ database, id }) => {
      const document = database.document(id);
      const version = database.read(id, lags.get(database)!);
      if (version < document.visible(this.scheduler.time)) this.count("stale read");
      return { database, document, version, withConflicts };
    });
  }
}
