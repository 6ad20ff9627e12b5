/**
 * The fields of a message that is passed on: what belongs to one connection is left out, and what a proxy has to add is
 * added (RFC 9110 §7.6).
 *
 * @module
 */
import { isDeclaration } from "../http/dependency.ts";

/** What belongs to one connection, whether `Connection` names it or not (RFC 9110 §7.6.1, RFC 9112 §6.1). */
const HOP_BY_HOP: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
  ...["proxy-authorization", "proxy-authenticate", "proxy-authentication-info", "http2-settings"],
]);

/** What this proxy answers by itself: `Expect` (RFC 9110 §10.1.1), and the conditions of a GET (decision 103). */
const ANSWERED_HERE: ReadonlySet<string> = /* @__PURE__ */ new Set(["if-none-match", "if-modified-since"]);

/** What only a proxy may say. */
const SAID_BY_PROXIES: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"],
]);

/** The names in a `Connection` field. */
function connectionNames(headers: Headers): ReadonlySet<string> {
  const field = headers.get("connection");
  return new Set(field === null ? [] : field.toLowerCase().split(",").map((name) => name.trim()));
}

/** Whether `Connection` names a field that is no matter of the connection. */
export function hidesFields(headers: Headers): boolean {
  for (const name of connectionNames(headers)) {
    if (name !== "" && name !== "close" && !HOP_BY_HOP.has(name)) return true;
  }
  return false;
}

/** A copy without what is of one connection, and without declarations of this library. */
function endToEnd(headers: Headers, alsoWithout: ReadonlySet<string>): Headers {
  const named = connectionNames(headers);
  const kept = new Headers();
  headers.forEach((value, name) => {
    if (HOP_BY_HOP.has(name) || alsoWithout.has(name) || named.has(name) || isDeclaration(name)) return;
    kept.append(name, value);
  });
  return kept;
}

/** What is known of a request besides its fields. */
export interface Forwarding {
  /** The address of the client; undefined: not known. */
  readonly client: string | undefined;
  /** The name of this proxy in `Via`. */
  readonly name: string;
  /** Whether another proxy in front writes `Forwarded` and `X-Forwarded-…`, so that they are true. */
  readonly trustForwarded: boolean;
  /** Whether the conditions of a GET or HEAD are evaluated here, so that the upstream is to send the whole. */
  readonly evaluatesConditions: boolean;
}

/** Whether a request has passed a proxy of this name already (RFC 9110 §7.6.3). */
export function hasPassed(headers: Headers, name: string): boolean {
  const via = headers.get("via");
  return via !== null && via.split(",").some((member) => member.trim().split(/[ \t]+/)[1] === name);
}

/** The fields that the upstream gets. */
export function requestFields(
  { headers, url, method }: Request,
  { client, name, trustForwarded, evaluatesConditions }: Forwarding,
): Headers {
  const isRetrieval = method === "GET" || method === "HEAD";
  const fields = endToEnd(headers, evaluatesConditions && isRetrieval ? ANSWERED_HERE : new Set());
  fields.delete("expect");
  // Applications of the CGI family take X_Forwarded_For for the same field.
  for (const field of [...fields.keys()].filter((field) => field.includes("_"))) {
    const spelled = field.replaceAll("_", "-");
    if (SAID_BY_PROXIES.has(spelled) || HOP_BY_HOP.has(spelled) || isDeclaration(spelled)) {
      fields.delete(field);
    }
  }
  const { protocol, host } = new URL(url);
  const scheme = protocol.slice(0, -1);
  const before = (field: string) => trustForwarded ? headers.get(field) : null;
  const appended = (field: string, member: string) => {
    const earlier = headers.get(field);
    fields.set(field, earlier === null ? member : `${earlier}, ${member}`);
  };
  if (client === undefined && !trustForwarded) {
    for (const field of SAID_BY_PROXIES) if (field !== "via") fields.delete(field);
  }
  const address = client?.replace(/^::ffff:(?=[0-9.]+$)/, "");
  if (address !== undefined) {
    const node = address.includes(":") ? `"[${address}]"` : address;
    appended("x-forwarded-for", address);
    appended("forwarded", `for=${node};host="${host}";proto=${scheme}`);
  }
  fields.set("x-forwarded-host", before("x-forwarded-host") ?? host);
  fields.set("x-forwarded-proto", before("x-forwarded-proto") ?? scheme);
  fields.set("host", host);
  appended("via", `1.1 ${name}`);
  return fields;
}

/** The fields that go on to the client. */
export function responseFields(headers: Headers, name: string): Headers {
  const fields = endToEnd(headers, new Set());
  const via = fields.get("via");
  fields.set("via", via === null ? `1.1 ${name}` : `${via}, 1.1 ${name}`);
  return fields;
}
