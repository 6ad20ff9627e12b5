/**
 * The same requests to a server and to a wrapped handler with the same validators; what they disagree on, explained.
 *
 * @module
 */
import { dependsOn, withEtag } from "../../mod.ts";
import { Random } from "../support/generate.ts";
import { Connection } from "./client.ts";
import type { Deviation } from "./deviations.ts";
import { answers, explain } from "./model.ts";
import { anyRequest, type Asked, type Validators } from "./requests.ts";
import { CONTENT, type Server } from "./servers.ts";

/** What came of comparing. */
export interface Comparison {
  readonly asked: number;
  /** By status of ours. */
  readonly ended: ReadonlyMap<number, number>;
  /** How many disagreements each set of deviations explains, by the names joined by ` + `. */
  readonly explained: ReadonlyMap<string, number>;
  /** Sentences. */
  readonly unexplained: readonly string[];
}

type Ask = (asked: Asked) => Promise<number>;

/** Ours, both ways: from the registry, and from what the handler answers. They must agree with each other. */
function ours({ etag, lastModified }: Validators): Ask {
  const page = (headers: Record<string, string>) => () =>
    new Response(CONTENT, { headers: { etag, "last-modified": lastModified, ...headers } });
  const known = withEtag(page({ "cache-control": "public", ...dependsOn("page") }));
  const unknown = withEtag(page({}));
  const url = "http://localhost/page.txt";
  known(new Request(url));
  return async ({ method, lines }) => {
    const request = () => {
      const headers = new Headers();
      for (const [name, value] of lines) headers.append(name, value);
      return new Request(url, { method, headers });
    };
    const [one, other] = [await known(request()), await unknown(request())];
    if (one.status !== other.status) {
      throw new Error(`ours answers ${one.status} by registry and ${other.status} by handler`);
    }
    return one.status;
  };
}

/** Compares on so many requests. */
export async function compare(server: Server, requests: number, seed: number): Promise<Comparison> {
  const connection = new Connection(server.port);
  const random = new Random(seed);
  const plain = await connection.ask("GET", []);
  const validators = {
    etag: plain.headers.get("etag") ?? "",
    lastModified: plain.headers.get("last-modified") ?? "",
  };
  const askOurs = ours(validators);
  const [ended, explained] = [new Map<number, number>(), new Map<string, number>()];
  const unexplained: string[] = [];
  for (let n = 0; n < requests; n++) {
    const asked = anyRequest(random, validators);
    const mine = await askOurs(asked);
    const theirs = (await connection.ask(asked.method, asked.lines)).status;
    add(ended, mine);
    const why = judge(server, asked, validators, mine, theirs);
    if (typeof why === "string") unexplained.push(why);
    else if (why.length > 0) add(explained, why.join(" + "));
  }
  connection.close();
  return { asked: requests, ended, explained, unexplained };
}

function add<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function judge(
  server: Server,
  asked: Asked,
  validators: Validators,
  mine: number,
  theirs: number,
): readonly Deviation[] | string {
  const say = (what: string) =>
    `${what}: ${asked.method} ${JSON.stringify(asked.lines)} of ${JSON.stringify(validators)}`;
  const right = answers(asked, validators, new Set());
  if (!right.has(mine)) return say(`ours answered ${mine}, RFC 9110 says ${[...right]}`);
  if (mine === theirs) return [];
  return explain(server.name, asked, validators, theirs) ??
    say(`${server.name} answered ${theirs}, ours ${mine}`);
}
