/**
 * A site as an edge has it: everything that can be is made while the module is loaded, where an edge allows neither
 * randomness nor timers nor requests; each event catches up with the feed before it is answered.
 */
import { dependsOn, EtagRegistry, followOnDemand, withEtag } from "../../mod.ts";
import { changes } from "../../src/couchdb/changes.ts";

/** Where its database is, and a storage for documents and the snapshot. */
export interface Places {
  readonly COUCHDB: string;
  readonly STORAGE: string;
}

const options = { version: "build-1" };
let runs = 0;
/** Where the event of this moment is answered from; `env` is not there while modules are loaded. */
let places: Places;

function siteOf(registry: EtagRegistry) {
  return {
    registry,
    follower: followOnDemand(registry, { maxLag: 60_000 }),
    answer: withEtag(async ({ url }: Request) => {
      runs++;
      const { pathname } = new URL(url);
      const post = await (await fetch(`${places.STORAGE}${pathname}`)).json();
      return Response.json(post, { headers: { "cache-control": "public, no-cache", ...dependsOn(post) } });
    }, {
      registry,
      cacheStatus: "Edge",
      secret: "the same on every edge",
      key: ({ url }) => new URL(url).pathname,
    }),
  };
}

let site = siteOf(new EtagRegistry(options));

/** Answers one event. */
export async function onRequest(request: Request, env: Places): Promise<Response> {
  places = env;
  const { pathname } = new URL(request.url);
  if (pathname === "/") return new Response("ready");
  if (pathname === "/save") {
    const body = await new Response(site.registry.snapshot()).arrayBuffer();
    await (await fetch(`${env.STORAGE}/snapshot`, { method: "PUT", body })).body?.cancel();
    return new Response("saved");
  }
  if (pathname === "/restore") {
    const { body } = await fetch(`${env.STORAGE}/snapshot`);
    site = siteOf(await EtagRegistry.restore(body!, options));
    return new Response("restored");
  }
  await site.follower.catchUp(changes(env.COUCHDB, { feed: "normal" }), { signal: request.signal });
  const response = await site.answer(request);
  const headers = new Headers(response.headers);
  headers.set("x-runs", String(runs));
  return new Response(response.body, { status: response.status, headers });
}
