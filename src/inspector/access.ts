/**
 * Who may look, and from where. An inspector shows the addresses of pages and the names of documents, so that without an
 * access check it answers this machine alone, as far as that can be known.
 *
 * @module
 */

/** Whether a request may see the inspector: `true`, or the response to give in its place. Anything else is a no. */
export type Authorize = (request: Request) => boolean | Response | Promise<boolean | Response>;

/** Fields that a proxy in front adds: the request may be anybody's, wherever its connection comes from. */
const FORWARDING: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["forwarded", "via", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "x-original-host"],
  ...["cf-connecting-ip", "true-client-ip", "fly-client-ip", "cdn-loop"],
]);
const FORWARDING_PREFIX = /^x-(?:forwarded|envoy-)/;

/** The name and the port of a `Host` field (RFC 9110 §7.2). */
const HOST = /^(\[[\da-f:.]+\]|[^\s:@/?#\\,]+)(?::\d*)?$/i;

/**
 * What stands against answering a request, in a sentence; undefined: nothing.
 *
 * @param url The request's, parsed.
 * @param connection What the server passed beside the request.
 */
export function whyNotLocal(
  request: Request,
  { hostname }: URL,
  connection: readonly unknown[],
): string | undefined {
  // A page of another site may have let its own name point to this machine. A client may write a name into the target of
  // its request that is another than the one in Host, by which a proxy has chosen this site.
  const host = request.headers.get("host");
  const names = host === null ? [hostname] : [hostname, HOST.exec(host)?.[1] ?? ""];
  const other = names.find((name) => !isLoopback(name));
  if (other !== undefined) return `it was asked for as ${JSON.stringify(other)}`;
  for (const [name, value] of request.headers) {
    // No browser closes after each request, and nginx does where nothing is configured.
    const isClosing = name === "connection" && /\bclose\b/i.test(value);
    if (isClosing || FORWARDING.has(name) || FORWARDING_PREFIX.test(name)) {
      return `a proxy has passed the request on (${isClosing ? "connection: close" : name})`;
    }
  }
  for (const given of [...connection, request]) {
    const address = addressOf(given, request);
    if (address === null) return "the server does not tell from which address the connection comes";
    if (address !== undefined && !isLoopback(address)) return "the connection comes from another machine";
  }
  return undefined;
}

/** Whether this is a name or an address of the machine itself (RFC 6761 §6.3, RFC 1122 §3.2.1.3, RFC 4291 §2.5.3). */
function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/^::ffff:/, "");
  return name === "localhost" || name.endsWith(".localhost") || name === "::1" ||
    /^127(?:\.\d{1,3}){3}$/.test(name) || name === "7f00:1";
}

/** What servers pass beside a request, or put onto it. */
interface Connection {
  /** As Deno has it. */
  readonly remoteAddr?: { readonly hostname?: unknown };
  /** As the server of Bun has it. */
  readonly requestIP?: (request: Request) => { readonly address?: unknown } | null;
  /** Hono's server for Node. */
  readonly incoming?: { readonly socket?: Socket };
  /** Node's own request. */
  readonly socket?: Socket;
  /** srvx, on the request. */
  readonly ip?: unknown;
}

interface Socket {
  readonly remoteAddress?: unknown;
}

/**
 * The address at the other end of a connection; null: it has none, as one over a file, at the other end of which a proxy
 * is; undefined: this is no connection.
 */
function addressOf(given: unknown, request: Request): string | null | undefined {
  if (typeof given !== "object" || given === null) return undefined;
  const { remoteAddr, requestIP, incoming, socket, ip } = given as Connection;
  if (typeof requestIP === "function") return text(bunAddress(given as Connection, request));
  if (typeof remoteAddr === "object") return text(remoteAddr?.hostname);
  if (typeof incoming === "object") return text(incoming?.socket?.remoteAddress);
  if (typeof socket === "object") return text(socket?.remoteAddress);
  return ip === undefined ? undefined : text(ip);
}

function text(address: unknown): string | null {
  return typeof address === "string" && address !== "" ? address : null;
}

function bunAddress(server: Connection, request: Request): unknown {
  try {
    return server.requestIP?.(request)?.address;
  } catch {
    // A request that is not the server's own.
    return undefined;
  }
}

/**
 * Whether a part of the page is asked for by the page itself, or by no page at all (Fetch Metadata §2.4). A page of another
 * site could read nothing, but it could keep streams open and let searches run.
 */
export function isOwnPart({ headers }: Request): boolean {
  const site = headers.get("sec-fetch-site");
  return site === null || site === "same-origin" || site === "none";
}

/** Whether a change surely comes from the page itself, and not from one of another site in an operator's browser. */
export function isOwnChange({ headers }: Request, { host }: URL): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const origin = headers.get("origin");
  // A proxy that ends TLS lets the schemes differ.
  return origin !== null && URL.canParse(origin) && new URL(origin).host === (headers.get("host") ?? host);
}
