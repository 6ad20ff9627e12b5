/**
 * The arguments of the command, and what is wrong with them in one line. No message shows a value that may hold a secret.
 *
 * @module
 */
import { parseDatabaseUrl } from "../../couchdb/wire/database_url.ts";
import { parseUpstream } from "../upstream_url.ts";

/** Where to listen. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** What the command was asked to do; times are milliseconds. */
export interface CommandOptions {
  /** The origin of the application. */
  readonly upstream: string;
  /** The database, with the credentials of the environment. */
  readonly couchdb: URL;
  /** Where to listen. */
  readonly hostname: string;
  readonly port: number;
  /** Where the metrics are; undefined: nowhere. */
  readonly metrics: Address | undefined;
  readonly connectTimeout: number;
  readonly firstByteTimeout: number;
  readonly idleTimeout: number;
  readonly maxLag: number;
  /** From a signal to the end of listening. */
  readonly drain: number;
  /** From there to the end of requests that are not answered by then. */
  readonly grace: number;
  /** Paths that are only passed on. */
  readonly pass: readonly string[];
  /** Groups that a document is in by the beginning of its id. */
  readonly groups: readonly { readonly name: string; readonly prefix: string }[];
  /** The cookie that names the session. */
  readonly callerCookie: string | undefined;
  readonly trustForwarded: boolean;
  readonly log: "requests" | "faults";
  readonly name: string;
}

/** The command cannot start; the message says why, in one line. */
export class UsageError extends Error {}

/** What `--help` prints. */
export const HELP = `A reverse proxy that answers conditional requests from what CouchDB reports as unchanged.

  --upstream URL             the application, http://127.0.0.1:3000
  --couchdb URL              the database, http://127.0.0.1:5984/blog; default: the environment's COUCHDB_URL.
                             User and password: COUCHDB_USER and COUCHDB_PASSWORD of the environment
  --listen [HOST]:PORT       default 127.0.0.1:8080; :8080 listens on all addresses
  --metrics [HOST]:PORT      where GET /metrics answers, for Prometheus; default: nowhere
  --group NAME=PREFIX        each document whose id begins with PREFIX is in the group NAME; may be repeated
  --pass PATH                requests below this path are only passed on; may be repeated
  --caller-cookie NAME       the cookie that holds the id of a session: private pages are kept for each
  --trust-forwarded          another proxy in front writes X-Forwarded-Host and X-Forwarded-Proto
  --connect-timeout TIME     default 5s; TIME is a number with ms, s or m
  --first-byte-timeout TIME  from the end of a request to the response, default 60s
  --idle-timeout TIME        between two pieces of a response, default 60s
  --max-lag TIME             without contact with the database for so long, nothing is answered, default 25s
  --drain TIME               from SIGTERM, when "ready" turns 503, to the end of listening, default 1s
  --grace TIME               from there to the end of what is not complete by then, default 10s
  --log requests|faults      a line for each request, the default, or only for what goes wrong
  --name NAME                in Via and Cache-Status, default stillfresh

SIGHUP empties the registry: send it when a new build of the application has started.`;

/** By name, what kind of value follows; undefined: none. */
const FLAGS: Readonly<Record<string, "one" | "several" | "none">> = {
  "--upstream": "one",
  "--couchdb": "one",
  "--listen": "one",
  "--metrics": "one",
  "--group": "several",
  "--pass": "several",
  "--caller-cookie": "one",
  "--trust-forwarded": "none",
  "--connect-timeout": "one",
  "--first-byte-timeout": "one",
  "--idle-timeout": "one",
  "--max-lag": "one",
  "--drain": "one",
  "--grace": "one",
  "--log": "one",
  "--name": "one",
};

/**
 * Reads them.
 *
 * @param words Without the program.
 * @param environment Its variables.
 * @throws {UsageError} If one is wrong, naming it.
 */
export function parseArguments(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): CommandOptions {
  const given = collect(words);
  const one = (flag: string): string | undefined => given.get(flag)?.[0];
  const time = (flag: string, otherwise: number): number => {
    const text = one(flag);
    return text === undefined ? otherwise : milliseconds(flag, text);
  };
  const upstream = one("--upstream");
  if (upstream === undefined) throw new UsageError("--upstream is missing: the URL of the application");
  const metrics = one("--metrics");
  const log = one("--log") ?? "requests";
  if (log !== "requests" && log !== "faults") throw new UsageError("--log is requests or faults");
  const name = one("--name") ?? "stillfresh";
  if (!/^[A-Za-z][\w-]*$/.test(name)) {
    throw new UsageError("--name is letters, digits, _ and -, a letter first");
  }
  const callerCookie = one("--caller-cookie");
  if (callerCookie !== undefined && !/^[!#$%&'*+.^`|~\w-]+$/.test(callerCookie)) {
    throw new UsageError("--caller-cookie is the name of a cookie");
  }
  return {
    upstream: named("--upstream", () => parseUpstream(upstream)),
    couchdb: databaseUrl(one("--couchdb"), environment),
    ...address("--listen", one("--listen") ?? "127.0.0.1:8080"),
    metrics: metrics === undefined ? undefined : address("--metrics", metrics),
    connectTimeout: time("--connect-timeout", 5_000),
    firstByteTimeout: time("--first-byte-timeout", 60_000),
    idleTimeout: time("--idle-timeout", 60_000),
    maxLag: time("--max-lag", 25_000),
    drain: time("--drain", 1_000),
    grace: time("--grace", 10_000),
    pass: (given.get("--pass") ?? []).map(path),
    groups: (given.get("--group") ?? []).map(group),
    ...{ callerCookie, log, name },
    trustForwarded: given.has("--trust-forwarded"),
  };
}

function collect(words: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const given = new Map<string, string[]>();
  for (let at = 0; at < words.length; at++) {
    const [flag = "", ...rest] = words[at]!.split("=");
    const kind = FLAGS[flag];
    if (kind === undefined) {
      // Neither the value of a flag nor a word without one is shown: either may be a URL with a password.
      throw new UsageError(
        /^--[a-z-]+$/.test(flag)
          ? `${flag} is no option; --help names all`
          : `argument ${at + 1} is no option`,
      );
    }
    if (kind === "none") {
      if (rest.length > 0) throw new UsageError(`${flag} takes no value`);
      given.set(flag, []);
      continue;
    }
    const value = rest.length > 0 ? rest.join("=") : words[++at];
    if (value === undefined || value === "" || FLAGS[value] !== undefined) {
      throw new UsageError(`${flag} lacks its value`);
    }
    if (kind === "one" && given.has(flag)) throw new UsageError(`${flag} is given twice`);
    given.set(flag, [...given.get(flag) ?? [], value]);
  }
  return given;
}

function databaseUrl(
  text: string | undefined,
  { COUCHDB_URL: fallback, COUCHDB_USER: user, COUCHDB_PASSWORD: password }: Readonly<
    Record<string, string | undefined>
  >,
): URL {
  const given = text ?? fallback;
  if (given === undefined || given === "") {
    throw new UsageError("--couchdb is missing, and COUCHDB_URL too: the URL of the database");
  }
  const flag = text === undefined ? "COUCHDB_URL" : "--couchdb";
  const { href, authorization } = named(flag, () => parseDatabaseUrl(given));
  if (text !== undefined && authorization !== undefined) {
    throw new UsageError(
      "--couchdb holds credentials, which every user of this machine can read: use COUCHDB_USER and COUCHDB_PASSWORD",
    );
  }
  if ((user === undefined) !== (password === undefined)) {
    throw new UsageError("COUCHDB_USER and COUCHDB_PASSWORD belong together: one of them is missing");
  }
  if (user === undefined || password === undefined) return new URL(given);
  const url = new URL(href);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return url;
}

/** Runs a parser whose messages show no value, and names the flag in them. */
function named<T>(flag: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`);
  }
}

function address(flag: string, text: string): Address {
  const [, host, port] = /^(\[[0-9A-Fa-f:]+\]|[\w.-]*):([0-9]{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new UsageError(`${flag} is HOST:PORT, or :PORT for all addresses, such as 127.0.0.1:8080`);
  }
  return { hostname: host === "" ? "0.0.0.0" : host!.replace(/^\[|\]$/g, ""), port: Number(port) };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

function milliseconds(flag: string, text: string): number {
  const [, amount, unit = ""] = /^([0-9]{1,6})(ms|s|m)$/.exec(text) ?? [];
  const ms = Number(amount) * UNITS[unit]!;
  if (!(ms > 0 && ms < 2 ** 31)) throw new UsageError(`${flag} is a time above 0, such as 500ms, 5s or 2m`);
  return ms;
}

function path(text: string): string {
  if (/^\/[^?#]*$/.test(text)) return text;
  throw new UsageError("--pass is a path, such as /static/");
}

function group(text: string): { readonly name: string; readonly prefix: string } {
  const [name = "", prefix = "", ...rest] = text.split("=");
  if (name === "" || rest.length > 0) throw new UsageError("--group is NAME=PREFIX, such as posts=post-");
  return { name, prefix };
}
