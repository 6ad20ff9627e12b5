/**
 * `deno task faults`: what a single CouchDB and its neighbours do, on the CouchDB at `COUCHDB_URL`
 * (`http://admin:password@host:5984`). A feed follows a database of its own through each trouble; a change is written
 * after it, and has to arrive. Prints how long that took, and fails if something was missed or took too long.
 *
 * nginx stands in front where it is installed. Troubles that need files or the process of the server are not among these.
 *
 * @module
 */
import { changes, type ChangesOptions, type FeedEvent } from "../src/couchdb/changes.ts";
import { nginxProgram, startNginx } from "../tests/support/nginx.ts";
import type { ServerProgram } from "../tests/support/server_program.ts";

/** What is tried. */
interface Trouble {
  readonly name: string;
  /** Seconds from its end until the change that is written then has to have arrived. */
  readonly most: number;
  /** Directives of an nginx in front; undefined: none. */
  readonly nginx?: string;
  readonly options?: ChangesOptions;
  /** Makes trouble, and takes it away; gives what the feed has to have said meanwhile. */
  readonly run: (site: Site) => Promise<void>;
  /** An event that must have come: a type, or the reason of a reset. */
  readonly told?: string;
}

/** A database, and who may write to it. */
interface Site {
  readonly name: string;
  readonly ask: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly events: readonly FeedEvent[];
  readonly put: (id: string) => Promise<void>;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean, ms: number): Promise<boolean> {
  for (const end = performance.now() + ms; !holds() && performance.now() < end;) await wait(10);
  return holds();
}

const READER = "stillfresh-reader";

const troubles: readonly Trouble[] = [
  { name: "none", most: 1, run: () => Promise.resolve() },
  {
    name: "maintenance mode for 5 s",
    most: 5,
    told: "lost",
    async run({ ask }) {
      await ask("PUT", "_node/_local/_config/couchdb/maintenance_mode", "true");
      await wait(5_000);
      await ask("PUT", "_node/_local/_config/couchdb/maintenance_mode", "false");
    },
  },
  {
    name: "a document is purged",
    most: 5,
    told: "purged",
    options: { maxLag: 2_000 },
    async run({ ask, put, name, events }) {
      await put("purged");
      const { _rev } = await (await ask("GET", `${name}/purged`)).json();
      await ask("POST", `${name}/_purge`, { purged: [_rev] });
      await until(() => events.some((event) => event.type === "reset"), 10_000);
    },
  },
  {
    name: "the database is deleted and created again",
    most: 5,
    told: "deleted",
    async run({ ask, name, events }) {
      await ask("DELETE", name);
      await until(() => events.some((event) => event.type === "reset"), 20_000);
      await ask("PUT", name);
      await admit(ask, name);
    },
  },
  {
    name: "the password is rotated, and back again",
    most: 70,
    told: "lost",
    async run({ ask, events }) {
      await putReader(ask, "other");
      await ask("PUT", "_node/_local/_config/couchdb/maintenance_mode", "true");
      await until(() => events.some(({ type }) => type === "lost"), 10_000);
      await ask("PUT", "_node/_local/_config/couchdb/maintenance_mode", "false");
      await until(() => events.some((event) => "code" in event && event.code === "unauthorized"), 10_000);
      await putReader(ask, "secret");
    },
  },
  {
    name: "nginx with a cache of ten minutes",
    most: 1,
    nginx:
      "proxy_buffering off; proxy_cache kept; proxy_cache_valid any 10m; proxy_ignore_headers Cache-Control Expires;",
    options: { maxLag: 2_000 },
    run: () => Promise.resolve(),
  },
  {
    name: "nginx with its defaults, which hold the continuous feed back",
    most: 1,
    nginx: "proxy_http_version 1.0;",
    options: { heartbeat: 1_000 },
    told: "buffered",
    run: async ({ events }) => void await until(() => events.some(({ type }) => type === "buffered"), 30_000),
  },
  {
    name: "nginx with a prefix",
    most: 1,
    nginx: "proxy_buffering off; rewrite ^/couch/(.*)$ /$1 break;",
    run: () => Promise.resolve(),
  },
];

type Ask = Site["ask"];

/** The user as whom the feed reads. */
async function putReader(ask: Ask, password: string): Promise<void> {
  const path = `_users/org.couchdb.user:${READER}`;
  const present = await ask("GET", path);
  const rev = present.status === 200 ? { _rev: (await present.json())._rev } : {};
  const user = { name: READER, password, roles: ["reader"], type: "user", ...rev };
  const response = await ask("PUT", path, user);
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
}

/** Lets that user read a database. */
async function admit(ask: Ask, name: string): Promise<void> {
  await (await ask("PUT", `${name}/_security`, { members: { names: [READER], roles: [] } })).body?.cancel();
}

/** Follows a database through one trouble; what is wrong, if anything. */
async function through(trouble: Trouble, server: URL): Promise<string | undefined> {
  const name = `stillfresh-faults-${crypto.randomUUID()}`;
  const authorization = `Basic ${
    btoa(`${decodeURIComponent(server.username)}:${decodeURIComponent(server.password)}`)
  }`;
  const ask: Ask = (method, path, body) =>
    fetch(`${server.origin}/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  await ask("PUT", name);
  await putReader(ask, "secret");
  await admit(ask, name);
  const proxy: ServerProgram | undefined = trouble.nginx === undefined
    ? undefined
    : await startNginx([Number(server.port)], trouble.nginx, (folder) =>
      `proxy_cache_path ${folder}/kept keys_zone=kept:1m;`);
  const origin = proxy === undefined ? server.origin : proxy.origin;
  const prefix = trouble.nginx?.includes("/couch/") ? "/couch" : "";
  const events: FeedEvent[] = [];
  const revs = new Map<string, string>();
  const written = new Map<string, string>();
  let state = "";
  const controller = new AbortController();
  const url = new URL(`${origin}${prefix}/${name}`);
  [url.username, url.password] = [READER, "secret"];
  const batches = changes(url, {
    since: 0,
    heartbeat: 2_000,
    signal: controller.signal,
    onEvent: (event) => events.push(event),
    ...trouble.options,
  }).batches();
  const reading = (async () => {
    for await (const batch of batches) {
      state = batch.state;
      for (const { id, rev } of batch.changes) revs.set(id, rev);
    }
  })().catch((error) => state = String(error));
  const put = async (id: string): Promise<void> => {
    const response = await ask("PUT", `${name}/${id}`, {});
    written.set(id, (await response.json()).rev);
  };
  try {
    for (let n = 0; n < 20; n++) await put(`before-${n}`);
    if (!await until(() => state === "live" && revs.has("before-19"), 20_000)) {
      return `was never live: ${state}`;
    }
    await trouble.run({ name, ask, events, put });
    const began = performance.now();
    for (let n = 0; n < 5; n++) await put(`after-${n}`);
    const arrived = () =>
      state === "live" && Array.from({ length: 5 }, (_, n) => `after-${n}`).every((id) => revs.has(id));
    const isBack = await until(arrived, 1_000 * trouble.most);
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    const told = events.map((event) => event.type === "reset" ? event.reason : event.type);
    console.log(
      `| ${trouble.name} | ${isBack ? `${seconds} s` : "not back"} | ${[...new Set(told)].join(", ")} |`,
    );
    if (!isBack) return `not live ${trouble.most} s later: ${state}`;
    for (let n = 0; n < 5; n++) {
      if (revs.get(`after-${n}`) !== written.get(`after-${n}`)) return "a revision is wrong";
    }
    return trouble.told === undefined || told.includes(trouble.told as never)
      ? undefined
      : `nothing said ${trouble.told}`;
  } finally {
    controller.abort();
    await reading;
    await proxy?.close();
    await ask("DELETE", name);
  }
}

async function main(): Promise<number> {
  const couchUrl = Deno.env.get("COUCHDB_URL");
  if (couchUrl === undefined) {
    console.log("NOT RUN: set COUCHDB_URL to http://admin:password@host:5984");
    return 0;
  }
  if (nginxProgram === undefined) console.log("NOT RUN: what needs nginx, which is not installed");
  const found: string[] = [];
  console.log("| trouble | news after it | said |\n| --- | --- | --- |");
  for (const trouble of troubles) {
    if (trouble.nginx !== undefined && nginxProgram === undefined) continue;
    const wrong = await through(trouble, new URL(couchUrl));
    if (wrong !== undefined) found.push(`${trouble.name}: ${wrong}`);
  }
  console.log(found.length === 0 ? "0 wrong" : `NOT CLEAN: ${found.join("; ")}`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
