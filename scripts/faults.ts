/**
 * `deno task faults`: what a single CouchDB and its neighbours do, on the CouchDB at `COUCHDB_URL`
 * (`http://admin:password@host:5984`). A site follows a database of its own through each trouble, while some documents
 * change all the time and are asked for: each 304 of its registry is compared with what the database held. Changes that
 * are written after the trouble have to arrive. Prints how long that took, and fails if something was wrong or late.
 *
 * nginx stands in front where it is installed. Troubles that need the process of the server or its files are left out
 * unless `COUCHDB_NODE` names a program for them. It is called with one word: `stop` kills the server, `start` starts
 * it and comes back when it answers, `save` keeps a copy of its files while it runs, and `restore` puts that copy in their
 * place while it does not.
 *
 * @module
 */
import { changes, type ChangesOptions, type FeedEvent } from "../src/couchdb/changes.ts";
import { type Ask, askAsAdmin, WatchedSite } from "../tests/single_node/watched_site.ts";
import { type Certificate, makeCertificate } from "../tests/support/certificate.ts";
import { nginxProgram, startNginx } from "../tests/support/nginx.ts";
import { freePort, type ServerProgram } from "../tests/support/server_program.ts";
import { mapFeed } from "../mod.ts";

/** What is tried. */
interface Trouble {
  readonly name: string;
  /** Seconds from its end until the change that is written then has to have arrived. */
  readonly most: number;
  /** Directives of an nginx in front; undefined: none. */
  readonly nginx?: string;
  /** Who speaks TLS, with a certificate that no authority of the machine knows: an nginx in front, or CouchDB. */
  readonly tls?: "nginx" | "couchdb";
  /** Whether it needs `COUCHDB_NODE`. */
  readonly node?: true;
  readonly options?: ChangesOptions;
  /** Makes trouble, and takes it away; gives what the feed has to have said meanwhile. */
  readonly run: (site: Site) => Promise<void>;
  /** An event that must have come: a type, or the reason of a reset. */
  readonly told?: string;
}

/** A database, and who may write to it. */
interface Site {
  readonly name: string;
  readonly ask: Ask;
  readonly events: readonly FeedEvent[];
  readonly put: (id: string) => Promise<unknown>;
  /** Does something that no row tells. */
  readonly disrupt: (act: () => Promise<void>) => Promise<void>;
}

const nodeProgram = Deno.env.get("COUCHDB_NODE");

/** Has the program at `COUCHDB_NODE` do something to the server. */
async function node(deed: "stop" | "start" | "save" | "restore"): Promise<void> {
  const { success } = await new Deno.Command(nodeProgram!, {
    args: [deed],
    stdout: "null",
    stderr: "inherit",
  })
    .output();
  if (!success) throw new Error(`${nodeProgram} ${deed} failed`);
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
    async run({ ask, disrupt, name, events }) {
      await disrupt(async () => {
        const { _rev } = await (await ask("GET", `${name}/hot-0`)).json();
        await ask("POST", `${name}/_purge`, { "hot-0": [_rev] });
      });
      await until(() => events.some((event) => event.type === "reset"), 10_000);
    },
  },
  {
    name: "the database is deleted and created again",
    most: 5,
    told: "deleted",
    async run({ ask, name, disrupt, events }) {
      await disrupt(async () => {
        await ask("DELETE", name);
        await until(() => events.some((event) => event.type === "reset"), 20_000);
        await ask("PUT", name);
        await admit(ask, name);
      });
    },
  },
  {
    name: "the database is deleted and created again at once",
    most: 5,
    told: "recreated",
    async run({ ask, name, disrupt, events }) {
      await disrupt(async () => {
        await ask("DELETE", name);
        await ask("PUT", name);
        await admit(ask, name);
      });
      await until(() => events.some((event) => event.type === "reset"), 20_000);
    },
  },
  {
    name: "the server is killed and started again",
    most: 5,
    told: "lost",
    node: true,
    async run() {
      await node("stop");
      await wait(2_000);
      await node("start");
    },
  },
  {
    name: "older files are restored under documents that go on changing",
    most: 5,
    told: "rolled-back",
    node: true,
    async run({ disrupt, events }) {
      await node("save");
      await wait(2_000);
      await disrupt(async () => {
        await node("stop");
        await node("restore");
        await node("start");
      });
      await until(() => events.some((event) => event.type === "reset"), 20_000);
    },
  },
  {
    name: "TLS of nginx, its certificate unknown at first",
    most: 1,
    tls: "nginx",
    run: () => Promise.resolve(),
  },
  {
    name: "TLS of CouchDB, its certificate unknown at first",
    most: 1,
    tls: "couchdb",
    node: true,
    run: () => Promise.resolve(),
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
    // Many rows fill its buffers, and come in lumps: nothing must be written for some time.
    run: ({ disrupt, events }) =>
      disrupt(async () => void await until(() => events.some(({ type }) => type === "buffered"), 30_000)),
  },
  {
    name: "nginx with a prefix",
    most: 1,
    nginx: "proxy_buffering off; rewrite ^/couch/(.*)$ /$1 break;",
    run: () => Promise.resolve(),
  },
];

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

/** Where a feed reaches the server, and how. */
interface Way {
  readonly origin: string;
  readonly prefix: string;
  readonly certificate: Certificate | undefined;
  readonly close: () => Promise<void>;
}

/** Puts in between what a trouble has there. */
async function wayTo(server: URL, { nginx, tls }: Trouble, ask: Ask): Promise<Way> {
  const prefix = nginx?.includes("/couch/") ? "/couch" : "";
  if (nginx === undefined && tls === undefined) {
    return { origin: server.origin, prefix, certificate: undefined, close: () => Promise.resolve() };
  }
  if (nginx !== undefined) {
    const proxy: ServerProgram = await startNginx(
      [Number(server.port)],
      nginx,
      (folder) => `proxy_cache_path ${folder}/kept keys_zone=kept:1m;`,
    );
    return { origin: proxy.origin, prefix, certificate: undefined, close: () => proxy.close() };
  }
  const certificate = makeCertificate();
  const port = await freePort();
  const origin = `https://127.0.0.1:${port}`;
  const { certFile, keyFile } = certificate;
  if (tls === "nginx") {
    const proxy = await startNginx([Number(server.port)], "", () =>
      `server {
        listen 127.0.0.1:${port} ssl; ssl_certificate ${certFile}; ssl_certificate_key ${keyFile};
        location / { proxy_pass http://site; proxy_http_version 1.1; proxy_buffering off; }
      }`);
    const close = async () => {
      await proxy.close();
      certificate.remove();
    };
    return { origin, prefix, certificate, close };
  }
  const settings = { enable: "true", port: String(port), cert_file: certFile, key_file: keyFile };
  for (const [name, value] of Object.entries(settings)) {
    await ask("PUT", `_node/_local/_config/ssl/${name}`, value);
  }
  await node("stop");
  await node("start");
  const close = async () => {
    for (const name of Object.keys(settings)) await ask("DELETE", `_node/_local/_config/ssl/${name}`);
    await node("stop");
    await node("start");
    certificate.remove();
  };
  return { origin, prefix, certificate, close };
}

/** Follows with what the machine trusts by itself; undefined if the fault says that the certificate is to blame. */
async function withoutTrust(url: URL): Promise<string | undefined> {
  const controller = new AbortController();
  const faults: unknown[] = [];
  const onEvent = (event: FeedEvent) => {
    if ("error" in event) faults.push(event.error);
    if (faults.length > 0) controller.abort();
  };
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(20_000)]);
  try {
    for await (const _ of changes(url, { signal, onEvent })) break;
  } catch (error) {
    faults.push(error);
  }
  const told = faults.map((fault) => Deno.inspect(fault)).join("; ");
  return /certificate|UnknownIssuer/i.test(told) ? undefined : `the certificate is not blamed: ${told}`;
}

/** Follows a database through one trouble; what is wrong, if anything. */
async function through(trouble: Trouble, server: URL): Promise<string | undefined> {
  const name = `stillfresh-faults-${crypto.randomUUID()}`;
  const ask = askAsAdmin(server);
  await ask("PUT", name);
  await putReader(ask, "secret");
  await admit(ask, name);
  const way = await wayTo(server, trouble, ask);
  const url = new URL(`${way.origin}${way.prefix}/${name}`);
  [url.username, url.password] = [READER, "secret"];
  const events: FeedEvent[] = [];
  const revs = new Map<string, string | undefined>();
  const client = way.certificate && Deno.createHttpClient({ caCerts: [way.certificate.pem] });
  const { maxLag = 4_000 } = trouble.options ?? {};
  const feed = changes(url, {
    since: 0,
    heartbeat: 1_000,
    onEvent: (event) => events.push(event),
    ...(client && { fetch: (input, init) => fetch(input, { ...init, client }) }),
    ...trouble.options,
  });
  const told = mapFeed(feed, (change) => {
    revs.set(change.id, change.rev);
    return change;
  });
  const untrusted = way.certificate && await withoutTrust(url);
  const site = await WatchedSite.open(ask, name, told, maxLag);
  const { registry, reader } = site;
  try {
    if (untrusted !== undefined) return untrusted;
    if (!await until(() => registry.live && reader.hits > 20, 20_000)) return "was never live";
    await trouble.run({ name, ask, events, put: (id) => site.put(id), disrupt: (act) => site.disrupt(act) });
    const began = performance.now();
    const written: string[] = [];
    for (let n = 0; n < 5; n++) written.push(await site.put(`after-${n}`));
    const hits = reader.hits;
    const isBack = await until(
      () => registry.live && reader.hits > hits && written.every((rev, n) => revs.get(`after-${n}`) === rev),
      1_000 * trouble.most,
    );
    const seconds = ((performance.now() - began) / 1_000).toFixed(1);
    // What was wrong may show only once the pages have been asked for a few times more.
    await wait(500);
    const said = events.map((event) => event.type === "reset" ? event.reason : event.type);
    console.log(
      `| ${trouble.name} | ${
        isBack ? `${seconds} s` : "not back"
      } | ${reader.hits} | ${reader.wrong.length} | ${[...new Set(said)].join(", ")} |`,
    );
    if (reader.wrong.length > 0) {
      return `${reader.wrong.length} wrong 304s: ${reader.wrong.slice(0, 3).join("; ")}`;
    }
    if (!isBack) return `not live ${trouble.most} s later`;
    return trouble.told === undefined || said.includes(trouble.told as never)
      ? undefined
      : `nothing said ${trouble.told}`;
  } finally {
    await site.close();
    client?.close();
    await way.close();
    await ask("DELETE", name);
  }
}

async function main([only]: readonly string[]): Promise<number> {
  const couchUrl = Deno.env.get("COUCHDB_URL");
  if (couchUrl === undefined) {
    console.log("NOT RUN: set COUCHDB_URL to http://admin:password@host:5984");
    return 0;
  }
  if (nginxProgram === undefined) console.log("NOT RUN: what needs nginx, which is not installed");
  if (nodeProgram === undefined) console.log("NOT RUN: what needs COUCHDB_NODE, which is not set");
  const found: string[] = [];
  console.log(
    "| trouble | news after it | 304s of the registry | wrong | said |\n| --- | --- | --- | --- | --- |",
  );
  for (const trouble of troubles) {
    const needsNginx = trouble.nginx !== undefined || trouble.tls === "nginx";
    if (needsNginx && nginxProgram === undefined || trouble.node && nodeProgram === undefined) continue;
    if (only !== undefined && !trouble.name.includes(only)) continue;
    const wrong = await through(trouble, new URL(couchUrl));
    if (wrong !== undefined) found.push(`${trouble.name}: ${wrong}`);
  }
  console.log(found.length === 0 ? "0 wrong" : `NOT CLEAN: ${found.join("; ")}`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
