/**
 * Who may look. An inspector shows the addresses of pages and the names of documents, so that without an access check it
 * answers this machine alone, as far as that can be known.
 *
 * @module
 */

/** Whether a request may see the inspector: `true`, or the response to give in its place. Anything else is a no. */
export type Authorize = (request: Request) => boolean | Response | Promise<boolean | Response>;

/** Fields that a proxy in front adds: the request may be anybody's, wherever its connection comes from. */
const FORWARDING: readonly string[] = [
  ...["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"],
  ...["cf-connecting-ip", "true-client-ip", "fly-client-ip"],
];

/**
 * What stands against answering a request, in a sentence; undefined: nothing.
 *
 * @param connection What the server passed beside the request.
 */
export function whyNotLocal(request: Request, connection: readonly unknown[]): string | undefined {
  const { hostname } = new URL(request.url);
  // A page of another site may have let its own name point to this machine.
  if (!isLoopback(hostname)) return `it was asked for as ${hostname}`;
  const forwarding = FORWARDING.find((name) => request.headers.has(name));
  if (forwarding !== undefined) return `a proxy has passed the request on (${forwarding})`;
  const peer = peerOf(request, connection);
  if (peer !== undefined && !isLoopback(peer)) return "the connection comes from another machine";
  return undefined;
}

/** Whether this is a name or an address of the machine itself (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(name) || name === "7f00:1";
}

/** What servers pass beside a request, or put onto it. */
interface Connection {
  /** Deno. */
  readonly remoteAddr?: { readonly hostname?: unknown };
  /** Bun's server. */
  readonly requestIP?: (request: Request) => { readonly address?: unknown } | null;
  /** Hono's server for Node. */
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: unknown } };
  /** srvx, on the request. */
  readonly ip?: unknown;
}

/** The address at the other end of the connection; undefined where the server does not say. */
function peerOf(request: Request, connection: readonly unknown[]): string | undefined {
  for (const given of [...connection, request]) {
    if (typeof given !== "object" || given === null) continue;
    const { remoteAddr, incoming, ip } = given as Connection;
    const address = remoteAddr?.hostname ?? incoming?.socket?.remoteAddress ?? bunAddress(given, request) ??
      ip;
    if (typeof address === "string" && address !== "") return address;
  }
  return undefined;
}

function bunAddress(server: Connection, request: Request): unknown {
  if (typeof server.requestIP !== "function") return undefined;
  try {
    return server.requestIP(request)?.address;
  } catch {
    // A server of another kind, or a request that is not its own.
    return undefined;
  }
}
