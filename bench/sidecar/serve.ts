/**
 * One server in a process of its own: `serve.ts KIND SERVER` prints its port, and for each line on standard input how many
 * pages have been made. The kinds: `library`, a handler under `withEtag`; `module`, what `proxy()` gives, its application
 * a function; `command`, the whole sidecar with its log, in front of an application on `node:http` and a database.
 *
 * @module
 */
import { createServer } from "node:http";
import process from "node:process";
import { dependsOn, withEtag } from "../../mod.ts";
import { startDatabase } from "../../examples/blog/database.ts";
import { parseArguments } from "../../src/proxy/command/arguments.ts";
import { start } from "../../src/proxy/command/command.ts";
import { Log } from "../../src/proxy/command/log.ts";
import { listen } from "../../src/proxy/command/server.ts";
import { proxy } from "../../src/proxy/proxy.ts";
import { followed } from "../followed.ts";
import { listen as listenOn, servers } from "../http/listen.ts";
import { bodyOf, CACHE_CONTROL, documentOf } from "../http/pages.ts";

type Fetch = (request: Request) => Response | Promise<Response>;

let made = 0;

function fieldsOf(path: string): Record<string, string> {
  const { _id, _rev } = documentOf(path);
  return {
    "etag": `"${_rev}.${_id}"`,
    "cache-control": CACHE_CONTROL,
    "content-type": "text/html; charset=utf-8",
  };
}

async function library(): Promise<Fetch> {
  return withEtag(({ url }: Request) => {
    made++;
    return new Response(bodyOf(url), { headers: { ...fieldsOf(url), ...dependsOn(documentOf(url)._id) } });
  }, { registry: await followed() });
}

async function module(): Promise<Fetch> {
  const send = ({ target }: { readonly target: string }) => {
    made++;
    const headers = { ...fieldsOf(target), "cache-groups": `"${documentOf(target)._id}"` };
    return Promise.resolve(new Response(bodyOf(target), { headers }));
  };
  return proxy({ upstream: "http://127.0.0.1:3000", registry: await followed(), send });
}

/** Gives the port. */
async function command(log: string): Promise<number> {
  const application = createServer(({ url = "" }, response) => {
    made++;
    const groups = { "cache-groups": `"${documentOf(url)._id}"` };
    response.writeHead(200, { ...fieldsOf(url), ...groups }).end(bodyOf(url));
  });
  const upstream = `http://127.0.0.1:${await listenOn(application)}`;
  const database = await startDatabase();
  await (await fetch(`${database.url}/blog`, { method: "PUT" })).text();
  const words = [
    "--upstream",
    upstream,
    "--couchdb",
    `${database.url}/blog`,
    "--listen",
    "127.0.0.1:0",
    "--log",
    log,
  ];
  // What a log costs to write is the machine's; what it costs to make is measured.
  const running = await start(parseArguments(words, {}), new Log(() => {}));
  while (!running.registry.live) await new Promise((resolve) => setTimeout(resolve, 10));
  return running.port;
}

const [kind = "", server = ""] = process.argv.slice(2);

async function open(): Promise<number> {
  if (kind === "command") return await command(server);
  const handler = kind === "library" ? await library() : await module();
  if (server !== "node:http") return await servers[server]!(handler);
  return (await listen((request) => handler(request), { hostname: "127.0.0.1", port: 0 })).port;
}

console.log(await open());
process.stdin.on("data", () => console.log(made));
// The program that started this one is gone.
process.stdin.on("end", () => process.exit());
