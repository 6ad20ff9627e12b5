/**
 * What is measured without a socket, in groups whose members are compared with each other.
 *
 * @module
 */
import { dependsOn, evaluatePreconditions, withEtag } from "../../mod.ts";
import { followed } from "../followed.ts";
import { coreOf } from "../../src/registry/core.ts";

/** Pages, and requests in turn for them: a power of two, so that cycling is a mask. */
export const PAGES = 1024;

type Handler = (request: Request) => unknown;

/** One of a group. */
export interface Contestant {
  readonly name: string;
  readonly handler: Handler;
  /** One for each page. */
  readonly requests: readonly Request[];
  /** Of each answer; undefined: it is no response. */
  readonly status?: number;
}

const urls = Array.from({ length: PAGES }, (_, index) => `https://example.com/posts/${index}`);
const body = "<p>A page of about the usual size.</p>".repeat(200);
const FIELDS = { "cache-control": "public, no-cache" };
const revision = (id: string) => ({ _id: id, _rev: "1-967a00dff5e02add41819138abb3284d" });
const tag = '"1-967a00dff5e02add41819138abb3284d.k3XvQ0PZ9qd1"';
const HTML = { "content-type": "text/html; charset=utf-8" };

/** Without a declaration and without a validator. */
const undeclared = (): Response => new Response(body, { headers: HTML });
const undeclaredLater = (): Promise<Response> => Promise.resolve(undeclared());

function page(request: Request): Response {
  return new Response(body, { headers: { ...HTML, ...FIELDS, ...dependsOn(revision(request.url)) } });
}

const varying = (request: Request): Response => {
  const response = page(request);
  response.headers.set("vary", "accept-encoding");
  return response;
};

async function wrapped(handler: Handler, options: Parameters<typeof withEtag>[1] = {}) {
  return withEtag(handler as (request: Request) => Response, { registry: await followed(), ...options });
}

const plain = (fields: Readonly<Record<string, string>> = {}): Request[] =>
  urls.map((url) => new Request(url, { headers: fields }));

/** One request per page with the tag that a client would have by now. */
async function revisits(handler: Handler, fields: Readonly<Record<string, string>> = {}): Promise<Request[]> {
  return await Promise.all(urls.map(async (url) => {
    const response = await handler(new Request(url, { headers: fields })) as Response;
    const etag = response.headers.get("etag") ?? "";
    return new Request(url, { headers: { ...fields, "if-none-match": etag } });
  }));
}

/** The constant 304 in the two constructions; which is the cheaper one depends on the runtime. */
const init = { status: 304, headers: { ...FIELDS, etag: tag } };
const prebuilt = { status: 304, headers: new Headers(init.headers) };

/**
 * The least that is right, for these requests: a tag for each URL, both clocks, one field compared and one looked for,
 * and an answer that has that tag.
 */
function leastByHand(
  requests: readonly Request[],
  initFor: (etag: string) => () => ResponseInit,
  keyOf: (request: Request) => string = ({ url }) => url,
): Handler {
  const entries = new Map(requests.map((request) => {
    const etag = request.headers.get("if-none-match")!;
    return [keyOf(request), { etag, init: initFor(etag) }];
  }));
  return (request) => {
    const { method, headers } = request;
    const field = headers.get("if-none-match");
    const entry = entries.get(keyOf(request));
    return method === "GET" && Date.now() > 0 && performance.now() > 0 && entry !== undefined &&
        field === entry.etag && !headers.has("if-match")
      ? new Response(null, entry.init())
      : undefined;
  };
}

/** A new object each time, as servers that read it late ask for. */
const fromObject = (etag: string) => () => ({ status: 304, headers: { ...FIELDS, etag } });

/** One made before. */
function fromHeaders(etag: string): () => ResponseInit {
  const ready = { status: 304, headers: new Headers({ ...FIELDS, etag }) };
  return () => ready;
}

/** A hit beside the bare 304. */
export async function hit(): Promise<Contestant[]> {
  const ours = await wrapped(page);
  return [...bare(), { name: "hit", handler: ours, requests: await revisits(ours), status: 304 }];
}

/** What ours is to be measured by, from an object. */
export async function hitFromObject(): Promise<Contestant[]> {
  const requests = await revisits(await wrapped(page));
  const handler = leastByHand(requests, fromObject);
  return [...bare(), { name: "hit by hand, object", handler, requests, status: 304 }];
}

/** The same from a `Headers` for each page. */
export async function hitFromHeaders(): Promise<Contestant[]> {
  const requests = await revisits(await wrapped(page));
  const handler = leastByHand(requests, fromHeaders);
  return [...bare(), { name: "hit by hand, Headers", handler, requests, status: 304 }];
}

/** Hits that have more to look at. */
export async function variants(): Promise<Contestant[]> {
  const cookie = { cookie: "session=abc" };
  const known = await wrapped(page, { caller: () => "alice" });
  const varied = await wrapped(varying);
  return [
    ...bare(),
    { name: "hit, with caller", handler: known, requests: await revisits(known, cookie), status: 304 },
    { name: "hit, with Vary", handler: varied, requests: await revisits(varied), status: 304 },
  ];
}

const bare = (): Contestant[] => [
  { name: "bare 304, object", handler: () => new Response(null, init), requests: plain(), status: 304 },
  { name: "bare 304, Headers", handler: () => new Response(null, prebuilt), requests: plain(), status: 304 },
];

/** Misses beside the handler alone: a first visit, and one with a tag that is not the registered one. */
export async function miss(): Promise<Contestant[]> {
  const ours = await wrapped(page);
  await revisits(ours);
  return [
    { name: "handler alone", handler: page, requests: plain(), status: 200 },
    { name: "miss", handler: await wrapped(page), requests: plain(), status: 200 },
    { name: "registered miss", handler: ours, requests: plain({ "if-none-match": '"stale"' }), status: 200 },
  ];
}

/** Looks whether there is anything to do, and nothing else. */
const seenByHand: Handler = ({ method, url, headers }) => {
  if (method !== "GET" || url === "" || headers.has("if-none-match") || headers.has("if-match")) {
    return undefined;
  }
  const response = undeclared();
  const fields = response.headers;
  return fields.has("cache-groups") || fields.has("cache-group-invalidation") || fields.has("last-modified")
    ? undefined
    : response;
};

/** What a response costs that we have no business with. */
export async function passing(): Promise<Contestant[]> {
  return [
    { name: "undeclared, bare", handler: undeclared, requests: plain(), status: 200 },
    { name: "undeclared, by hand", handler: seenByHand, requests: plain(), status: 200 },
    { name: "undeclared", handler: await wrapped(undeclared), requests: plain(), status: 200 },
  ];
}

/** The same from an asynchronous handler. */
export async function passingLater(): Promise<Contestant[]> {
  return [
    { name: "undeclared, bare, async", handler: undeclaredLater, requests: plain(), status: 200 },
    { name: "undeclared, async", handler: await wrapped(undeclaredLater), requests: plain(), status: 200 },
  ];
}

/** Parts of a hit, and of a registration, each through what is public. */
export async function steps(): Promise<Contestant[]> {
  const registry = await followed();
  const ours = withEtag(page, { registry });
  const requests = await revisits(ours);
  const { etag } = { etag: requests[0]!.headers.get("if-none-match")! };
  return [
    { name: "nothing", handler: () => 0, requests },
    { name: "request.method", handler: (request) => request.method, requests },
    { name: "request.url", handler: (request) => request.url, requests },
    { name: "headers.get, present", handler: ({ headers }) => headers.get("if-none-match"), requests },
    { name: "headers.has, absent", handler: ({ headers }) => headers.has("if-match"), requests },
    {
      name: "registry.lookup",
      handler: ({ url, headers }) => coreOf(registry).lookup(url, headers),
      requests,
    },
    {
      name: "evaluatePreconditions",
      handler: (request) => evaluatePreconditions(request, { etag }),
      requests,
    },
    { name: "dependsOn", handler: ({ url }) => dependsOn(revision(url)), requests },
    { name: "lease, release", handler: ({ url }) => coreOf(registry).lease(url).release(), requests },
  ];
}

/**
 * A hit without the building of its Response, which is the runtime's: the class is replaced by an empty one. To be
 * measured in a process of its own, because the code that builds them learns that it meets two.
 */
export async function matching(): Promise<Contestant[]> {
  const ours = await wrapped(page);
  const known = await wrapped(page, { caller: () => "alice" });
  const requests = await revisits(ours);
  const withCaller = await revisits(known, { cookie: "session=abc" });
  const byHand = leastByHand(requests, fromHeaders);
  const byHandWithCaller = leastByHand(requests, fromHeaders, ({ url }) => `alice\n${url}`);
  globalThis.Response = class {} as unknown as typeof Response;
  return [
    { name: "nothing", handler: () => new Response(null, init), requests },
    { name: "matching by hand", handler: byHand, requests },
    { name: "matching", handler: ours, requests },
    { name: "matching by hand, with caller", handler: byHandWithCaller, requests },
    { name: "matching, with caller", handler: known, requests: withCaller },
  ];
}
