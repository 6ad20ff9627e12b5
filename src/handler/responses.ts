/**
 * Responses: which values are one, a 304 or 412 in the place of one, and one with further fields.
 *
 * @module
 */
import {
  DEPENDS_ON,
  INVALIDATES,
  removeDeclarations,
  show,
  withoutDeclarations,
} from "../http/dependency.ts";
import { hasNonce } from "./cacheable.ts";

/** Without these a browser hides a 304 or 412 from a script, or isolates the page otherwise than the 200 would (Fetch, HTML). */
export const CROSS_ORIGIN = [
  "access-control-allow-credentials",
  "access-control-allow-origin",
  "access-control-expose-headers",
  "cross-origin-embedder-policy",
  "cross-origin-opener-policy",
  "cross-origin-resource-policy",
  "timing-allow-origin",
] as const;

/** What a 304 must repeat of the 200 (RFC 9110 §15.4.5), and its like for caches in front (RFC 9213). */
const FRESHNESS = ["cache-control", "cdn-cache-control", "content-location", "expires", "vary"] as const;

/** What no later 304 may repeat: it is for one client, of one moment, or of one connection. */
const NEVER_RETAINED: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["set-cookie", "set-cookie2", "date", "age"],
  ...["connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/** The fields named `Content-…` that do not describe a body, which a 304 has not (RFC 9110 §15.4.5). */
const NOT_OF_A_BODY: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "content-location",
  "content-security-policy",
  "content-security-policy-report-only",
]);

function isNeverRetained(name: string): boolean {
  return NEVER_RETAINED.has(name) || (name.startsWith("content-") && !NOT_OF_A_BODY.has(name));
}

/** A field name (RFC 9110 §5.1). */
const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * The fields that a later 304 repeats, by lower-case name. `Date` is not among them: it is the date of the answer, which
 * the server adds.
 *
 * @param extra Further names, in any case.
 * @throws {TypeError} If one is no field name, or names a field that no 304 may repeat.
 */
export function retainedNames(extra: readonly string[]): readonly string[] {
  if (!Array.isArray(extra)) {
    throw new TypeError(`retainedHeaders is a list of field names, not ${show(extra)}`);
  }
  const names = new Set<string>([...FRESHNESS, ...CROSS_ORIGIN]);
  for (const name of extra) {
    if (typeof name !== "string" || !FIELD_NAME.test(name)) {
      throw new TypeError(`retainedHeaders takes field names, not ${show(name)}`);
    }
    const lowerCase = name.toLowerCase();
    if (isNeverRetained(lowerCase)) {
      throw new TypeError(
        `retainedHeaders cannot name ${show(name)}: a 304 is for several clients, later, and without a body`,
      );
    }
    names.add(lowerCase);
  }
  // The entry holds the tag; a declaration is not for clients.
  for (const name of ["etag", DEPENDS_ON, INVALIDATES]) names.delete(name);
  return [...names];
}

/**
 * Whether a value is a Response, told by its parts and not by its class: servers on Node replace the global. `bodyUsed`
 * tells it from the answers of other HTTP clients, which have a status and headers too. It is not read, because some
 * servers build the body for it.
 */
export function isResponse(value: unknown): value is Response {
  if (typeof value !== "object" || value === null || !("bodyUsed" in value)) return false;
  const { status, headers } = value as Partial<Response>;
  return typeof status === "number" && typeof headers?.get === "function";
}

/** The fields by those names, as far as they are there. */
export function pickFields(headers: Headers, names: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const name of names) {
    const value = headers.get(name);
    // The copy that a 304 confirms was sent with a nonce of its own.
    if (value !== null && !hasNonce(value)) fields[name] = value;
  }
  return fields;
}

/**
 * The 304 in the place of a response that the handler gave.
 *
 * @param retained Names of the fields that it repeats of the response.
 * @param fields Further fields.
 */
export function notModifiedInstead(
  response: Response,
  retained: readonly string[],
  fields: Readonly<Record<string, string>>,
): Response {
  const headers = { ...pickFields(response.headers, [...retained, "date", "etag"]), ...fields };
  // Without a tag, a cache has only the date to tell which copy is meant.
  if (headers["etag"] === undefined) Object.assign(headers, pickFields(response.headers, ["last-modified"]));
  cancelBody(response);
  return new Response(null, { status: 304, headers });
}

/** Those of the given fields without which a browser hides an answer from a script. */
export function crossOriginFields(fields: Readonly<Record<string, string>>): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of CROSS_ORIGIN) if (fields[name] !== undefined) found[name] = fields[name];
  return found;
}

/**
 * The response without declarations of ours, and with the given fields.
 *
 * The same object where it is surely the handler's last use of it: a new one around `response.body` costs a stream more,
 * and on some servers the `Content-Length`. A response without a body may be a constant that the handler returns again,
 * and where a server's class keeps the `Headers` that it is given, those may be one: either is not written to.
 */
export function withFields(response: Response, fields: Readonly<Record<string, string>> = {}): Response {
  const { headers } = response;
  const declares = headers.has(DEPENDS_ON) || headers.has(INVALIDATES);
  if (!declares && Object.keys(fields).length === 0) return response;
  if (hasBody(response) && copiesHeaders(response)) {
    try {
      removeDeclarations(headers);
      setFields(headers, fields);
      return response;
    } catch {
      // The fields of a fetched or redirect response are immutable.
    }
  }
  // A body that was read cannot be sent either way.
  if (response.bodyUsed || isDecoded(response)) return response;
  const own = withoutDeclarations(headers);
  setFields(own, fields);
  return remade(response, response.body, own);
}

function setFields(headers: Headers, fields: Readonly<Record<string, string>>): void {
  for (const name in fields) headers.set(name, fields[name]!);
}

/** A body made of text brings a media type with it. To read `body` itself would make a stream of the text. */
function hasBody(response: Response): boolean {
  return response.headers.has("content-type") || response.body !== null;
}

/** The class that was looked at last, and whether its instances have `Headers` of their own. */
let known: { readonly class: unknown; readonly copies: boolean } | undefined;

/** Whether the class of a response copies the `Headers` that it is given: the platforms' do, those of some servers do not. */
function copiesHeaders(response: Response): boolean {
  const { constructor: made } = response;
  if (known?.class !== made) known = { class: made, copies: copies(made as typeof Response) };
  return known.copies;
}

function copies(Class: typeof Response): boolean {
  try {
    const given = new Headers();
    return new Class(null, { headers: given }).headers !== given;
  } catch {
    return false;
  }
}

/** Statuses that forbid a body (Fetch, "null body status"). */
const WITHOUT_BODY: ReadonlySet<number> = /* @__PURE__ */ new Set([101, 103, 204, 205, 304]);

/**
 * Whether a response was fetched, so that its body is decoded already, and still names the coding and the length of what
 * was received. How such a response is sent is between the server and the handler.
 */
export function isDecoded({ url, headers }: Response): boolean {
  return url !== "" && headers.has("content-encoding");
}

/** A response with another body and other fields. A network error and an upgrade cannot be made anew. */
export function remade(response: Response, body: BodyInit | null, headers: Headers): Response {
  const { status, statusText } = response;
  if (status < 200) return response;
  const made = new Response(WITHOUT_BODY.has(status) ? null : body, { status, statusText, headers });
  // @hono/node-server sends a stream in chunks, unless its `body` has been read: then it looks for the length first.
  void made.body;
  return made;
}

/** Frees what an unused body holds. One that is locked is being read by other code, and one that is broken holds nothing. */
export function cancelBody(response: Response): void {
  if (response.body !== null && !response.body.locked) response.body.cancel().catch(() => {});
}
