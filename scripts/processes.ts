/**
 * `deno task processes`: `examples/processes/` served by several processes of each kind, over a database that is edited
 * under load. No 304 may confirm a copy older than `maxLag`, and each process has to answer by itself. Then what a 304 costs
 * on all cores, beside nginx with as many workers; and what 1, 2, 10 and 100 followers cost one database.
 *
 * The database is the embedded one in a process of its own. The followers are also measured on the CouchDB at
 * `COUCHDB_URL`, whose process is `COUCHDB_PID`. A word takes one part: `check`, `cost`, `followers`; `--write` writes
 * the tables. Linux only: CPU time comes from /proc.
 *
 * @module
 */
import { chooseLoad } from "../bench/http/load.ts";
import { cpuOf } from "../bench/http/server.ts";
import { freePort, nginx, PROCESSES, ProcessTree, type Setup, setups } from "../bench/processes/setups.ts";
import { record, type Row } from "./compatibility.ts";
import { root } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime } from "./runtimes.ts";

const DOCUMENTS = 50;
/** So few are asked for and edited that each client comes back to a document while its copy is good. */
const CHECKED_DOCUMENTS = 12;
/** Requests after which a client takes a new connection, and so perhaps another process. */
const ON_A_CONNECTION = 8;
/** Milliseconds that a 304 may lag behind the database. */
const MAX_LAG = 2_000;
/** Milliseconds of load and edits. */
const CHECKED = 6_000;
const CLIENTS = 12;

const args = Deno.args.filter((arg) => !arg.startsWith("--"));
const wants = (part: string): boolean => args.length === 0 || args.includes(part);
const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const folder = await Deno.makeTempDir();
const found = [denoRuntime(), await bunRuntime(), await nodeRuntime(24)] as const;
const problems: string[] = [];

/** A database with documents, and what became of each of them. */
class Database {
  readonly url: URL;
  /** For each document the number of its revision, and when each was acknowledged. */
  readonly revisions: Map<string, { rev: string; acknowledged: number[] }> = new Map();
  readonly #headers: Record<string, string> = { "content-type": "application/json" };

  constructor(url: URL) {
    this.url = new URL(url);
    if (url.username !== "") {
      this.#headers["authorization"] = `Basic ${btoa(`${url.username}:${url.password}`)}`;
    }
    this.url.username = this.url.password = "";
  }

  async ask(path: string, method: string, body?: unknown): Promise<{ readonly rev: string }> {
    const text = body === undefined ? {} : { body: JSON.stringify(body) };
    const response = await fetch(`${this.url}${path}`, { method, headers: this.#headers, ...text });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }

  async fill(): Promise<void> {
    await this.ask("", "PUT");
    for (let n = 0; n < DOCUMENTS; n++) await this.edit(`doc-${n}`);
  }

  /** Writes the next revision of a document. */
  async edit(id: string): Promise<void> {
    const before = this.revisions.get(id);
    const _rev = before === undefined ? {} : { _rev: before.rev };
    const { rev } = await this.ask(`/${id}`, "PUT", { text: "A text of some length. ".repeat(40), ..._rev });
    const acknowledged = [...before?.acknowledged ?? [], performance.now()];
    this.revisions.set(id, { rev, acknowledged });
  }
}

/** Starts the embedded database in a process of its own. */
async function embedded(): Promise<{ database: Database; pid: number; close: () => Promise<void> }> {
  const child = new Deno.Command(found[2].path, {
    args: [`${root}bench/processes/database.ts`],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const { value = "" } = await reader.read();
  const database = new Database(new URL(`${value.trim()}/site`));
  await database.fill();
  return {
    database,
    pid: child.pid,
    async close() {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
    },
  };
}

function serve(setup: Setup, database: Database): Promise<ProcessTree> {
  const port = freePort();
  return ProcessTree.start(setup.command, setup.args(port), port, {
    ...setup.env,
    PORT: `${port}`,
    PROCESSES: `${PROCESSES}`,
    COUCHDB_URL: database.url.href,
    VERSION: "1",
    SECRET: "the same for all processes",
    MAX_LAG: `${MAX_LAG}`,
  });
}

/** What the clients of one setup saw. */
interface Seen {
  requests: number;
  hits: number;
  readonly hitsBy: Map<string, number>;
  readonly processes: Set<string>;
  wrong: number;
  needless: number;
  /** Milliseconds by which a 304 lagged behind an edit that had been acknowledged. */
  lag: number;
  failures: string[];
}

/** One client, on connections of its own, with a copy of each document that it has seen. */
async function client(url: string, database: Database, seen: Seen, until: () => boolean): Promise<void> {
  const copies = new Map<string, { etag: string; generation: number }>();
  let connection = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
  for (let n = 0; !until(); n++) {
    if (n % ON_A_CONNECTION === ON_A_CONNECTION - 1) {
      // The kernel, or the first process, chooses anew for each connection.
      connection.close();
      connection = Deno.createHttpClient({ poolMaxIdlePerHost: 1 });
    }
    const id = `doc-${Math.floor(Math.random() * CHECKED_DOCUMENTS)}`;
    const copy = copies.get(id);
    const sent = performance.now();
    const known = database.revisions.get(id)!.acknowledged.length;
    const headers: Record<string, string> = copy === undefined ? {} : { "if-none-match": copy.etag };
    const response = await fetch(`${url}/${id}`, { headers, client: connection } as RequestInit);
    const text = await response.text();
    seen.requests++;
    const [, name, hit] = /^(process-\w+)(; hit)?/.exec(response.headers.get("cache-status") ?? "") ?? [];
    if (name === undefined) {
      seen.failures.push(`${response.status} ${response.headers.get("cache-status")} ${text.slice(0, 80)}`);
      continue;
    }
    seen.processes.add(name);
    if (response.status === 200) {
      const generation = Number(JSON.parse(text)._rev.split("-")[0]);
      if (copy !== undefined && generation === copy.generation) seen.needless++;
      copies.set(id, { etag: response.headers.get("etag")!, generation });
    } else if (response.status !== 304) {
      seen.failures.push(`${response.status} ${text.slice(0, 80)}`);
    } else if (hit !== undefined) {
      seen.hits++;
      seen.hitsBy.set(name, (seen.hitsBy.get(name) ?? 0) + 1);
      const next = database.revisions.get(id)!.acknowledged[copy!.generation];
      if (copy!.generation < known && next !== undefined) {
        seen.lag = Math.max(seen.lag, sent - next);
        if (sent - next > MAX_LAG) seen.wrong++;
      }
    }
  }
  connection.close();
}

/** Edits under load, through all processes. */
async function check(setup: Setup): Promise<Row> {
  const { database, close } = await embedded();
  const seen: Seen = {
    ...{ requests: 0, hits: 0, wrong: 0, needless: 0, lag: 0, failures: [] },
    hitsBy: new Map(),
    processes: new Set(),
  };
  let edits = 0;
  try {
    await using tree = await serve(setup, database);
    await wait(1_000);
    const end = performance.now() + CHECKED;
    const until = (): boolean => performance.now() > end;
    await Promise.all([
      ...Array.from({ length: CLIENTS }, () => client(tree.url, database, seen, until)),
      (async () => {
        for (; !until(); edits++) {
          await database.edit(`doc-${Math.floor(Math.random() * CHECKED_DOCUMENTS)}`);
          await wait(30);
        }
      })(),
    ]);
  } finally {
    await close();
  }
  const { requests, hits, hitsBy, processes, wrong, needless, lag, failures } = seen;
  console.log(
    `${setup.name}: ${processes.size} processes, ${requests} requests, ${edits} edits, ${hits} hits ` +
      `(${[...hitsBy.values()].join(" + ")}), ${wrong} wrong, ${needless} sent again for nothing, ` +
      `a hit lagged ${lag.toFixed(0)} ms at most`,
  );
  const faults = [
    ...wrong > 0 ? [`${wrong} wrong`] : [],
    ...needless > 0 ? [`${needless} copies were sent again although nothing had changed`] : [],
    ...processes.size !== PROCESSES ? [`${processes.size} processes answered, not ${PROCESSES}`] : [],
    ...hitsBy.size !== processes.size ? [`${hitsBy.size} processes had hits`] : [],
    ...edits < 20 ? [`only ${edits} edits`] : [],
    ...failures.slice(0, 3),
  ].map((fault) => `${setup.name}: ${fault}`);
  problems.push(...faults);
  return { name: setup.name, cells: { version: setup.version, result: faults.length === 0 ? "yes" : "no" } };
}

/** What a 304 costs, on all cores, while nothing is edited. */
async function cost(list: readonly Setup[]): Promise<Row[]> {
  const load = await chooseLoad({ ...found[2], flags: [] });
  const rows: Row[] = [];
  const measure = async (name: string, tree: ProcessTree): Promise<void> => {
    const lines: string[] = [];
    for (let n = 0; n < DOCUMENTS; n++) {
      const response = await fetch(`${tree.url}/doc-${n}`);
      await response.body?.cancel();
      if (response.status !== 200) throw new Error(`${name}: doc-${n} is answered ${response.status}`);
      lines.push(`/doc-${n} ${response.headers.get("etag")}`);
    }
    const file = `${folder}/requests`;
    await Deno.writeTextFile(file, lines.join("\n") + "\n");
    await load(tree.url, file, 3);
    const before = tree.cpu;
    const { requests, seconds } = await load(tree.url, file, 4);
    const micro = (tree.cpu - before) / 1_000 / requests;
    const cells = {
      "304s a second": `${Math.round(requests / seconds)}`,
      "µs of CPU each": micro.toFixed(1),
    };
    console.log(`${name}: ${cells["304s a second"]} a second, ${cells["µs of CPU each"]} µs of CPU each`);
    rows.push({ name, cells });
  };
  await Deno.mkdir(`${folder}/files`);
  const { database, close } = await embedded();
  try {
    for (let n = 0; n < DOCUMENTS; n++) {
      const response = await fetch(`${database.url}/doc-${n}`);
      await Deno.writeTextFile(`${folder}/files/doc-${n}`, await response.text());
    }
    const files = await nginx(folder);
    if (files === undefined) console.log("nginx: NOT RUN, it is not installed");
    else {
      await using tree = files;
      await measure("nginx, files", tree);
    }
    for (const setup of list) {
      await using tree = await serve(setup, database);
      await wait(1_000);
      await measure(setup.name, tree);
    }
  } finally {
    await close();
  }
  return rows;
}

/** What many followers cost a database, and how long an edit is on its way to them. */
async function followers(name: string, database: Database, pid: number, address: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const count of [1, 2, 10, 100]) {
    const child = new Deno.Command(found[2].path, {
      args: [`${root}bench/processes/followers.ts`, address, `${count}`],
      cwd: root,
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let buffer = "";
    const line = async (): Promise<string> => {
      while (!buffer.includes("\n")) {
        const { value, done } = await output.read();
        if (done) throw new Error("the followers ended");
        buffer += value;
      }
      const [first = "", ...rest] = buffer.split("\n");
      buffer = rest.join("\n");
      return first;
    };
    const input = child.stdin.getWriter();
    await line();
    await wait(500);
    // A quiet feed is probed twice in a maxLag of 25 s.
    const quiet = 13_000;
    let before = cpuOf(pid);
    await wait(quiet);
    const idle = (cpuOf(pid) - before) / 1e6 / (quiet / 1_000);
    before = cpuOf(pid);
    const EDITS = 40;
    const delays: number[] = [];
    for (let n = 0; n < EDITS; n++) {
      const id = `edit-${count}-${n}`;
      await database.edit(id);
      const written = performance.timeOrigin + performance.now();
      await input.write(new TextEncoder().encode(`${id}\n`));
      delays.push(...(JSON.parse(await line()) as number[]).map((time) => Math.max(0, time - written)));
      await wait(50);
    }
    const each = (cpuOf(pid) - before) / 1e6 / EDITS;
    await input.close();
    await child.status;
    delays.sort((a, b) => a - b);
    const cells = {
      database: name,
      "CPU, quiet": `${(idle / 10).toFixed(2)} %`,
      "CPU of an edit": `${each.toFixed(1)} ms`,
      "delay, median": `${delays[delays.length >> 1]!.toFixed(1)} ms`,
      "delay, longest": `${delays.at(-1)!.toFixed(0)} ms`,
    };
    console.log(`${name}, ${count} followers: ${Object.values(cells).slice(1).join(", ")}`);
    rows.push({ name: `${name}: ${count}`, cells });
  }
  return rows;
}

const list = setups(found, `${folder}/pm2`);
if (wants("check")) {
  const rows: Row[] = [];
  for (const setup of list) rows.push(await check(setup));
  const columns = ["version", "result"];
  problems.push(...record("processes", { task: "processes", head: "several processes", columns, rows }));
}
if (wants("cost")) {
  const rows = await cost(list);
  const columns = ["304s a second", "µs of CPU each"];
  const head = `${PROCESSES} processes`;
  problems.push(...record("processes-cost", { task: "processes", head, columns, measured: true, rows }));
}
if (wants("followers")) {
  const { database, pid, close } = await embedded();
  const rows = await followers("embedded", database, pid, database.url.href);
  await close();
  const [server, process] = [Deno.env.get("COUCHDB_URL"), Deno.env.get("COUCHDB_PID")];
  if (server === undefined || process === undefined) {
    console.log("CouchDB: NOT RUN, set COUCHDB_URL and COUCHDB_PID");
  } else {
    const address = new URL(`/processes-${crypto.randomUUID().slice(0, 8)}`, server);
    const couchdb = new Database(address);
    await couchdb.fill();
    try {
      rows.push(...await followers("CouchDB", couchdb, Number(process), address.href));
    } finally {
      await couchdb.ask("", "DELETE");
    }
  }
  const columns = ["CPU, quiet", "CPU of an edit", "delay, median", "delay, longest"];
  const head = "database: followers";
  const cells = rows.map(({ name, cells: { database: _, ...cells } }): Row => ({ name, cells }));
  problems.push(
    ...record("processes-followers", { task: "processes", head, columns, measured: true, rows: cells }),
  );
}
await Deno.remove(folder, { recursive: true });
for (const problem of problems) console.log(`FAILED: ${problem}`);
console.log(`processes: ${list.length} setups of ${PROCESSES} processes, ${problems.length} problems`);
Deno.exit(problems.length === 0 ? 0 : 1);
