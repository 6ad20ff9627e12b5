/**
 * What a wrapper of handlers adds to the preconditions of RFC 9110 §13, as tables: which fields a 304 repeats, and which
 * responses may be registered. Pure data.
 *
 * @module
 */

/** A field of a 200, and whether its 304 has it too. */
export interface FieldRow {
  /** Of RFC 9110, or another source by name. */
  readonly section: string;
  readonly name: string;
  readonly value: string;
  readonly kept: boolean;
}

function fields(section: string, kept: boolean, record: Record<string, string>): readonly FieldRow[] {
  return Object.entries(record).map(([name, value]) => ({ section, name, value, kept }));
}

/** §15.4.5 and its neighbours. Values are odd on purpose: they are repeated as they are. */
export const FIELDS: readonly FieldRow[] = [
  ...fields("15.4.5", true, {
    "cache-control": 'public,  MAX-AGE=0 ,no-cache="x,y"',
    "content-location": "/page.en?a=1&b=%20",
    "expires": "0",
    "vary": "Accept-Language,  ORIGIN",
  }),
  ...fields("RFC 9213", true, { "cdn-cache-control": "max-age=600" }),
  ...fields("Fetch 3.3", true, {
    "access-control-allow-credentials": "true",
    "access-control-allow-origin": "https://example.org",
    "access-control-expose-headers": "ETag,X-Total",
  }),
  ...fields("HTML 7.1", true, {
    "cross-origin-embedder-policy": 'require-corp; report-to="x"',
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-site",
  }),
  ...fields("Resource Timing 4.5", true, { "timing-allow-origin": "*" }),
  ...fields("15.4.5: no metadata of a body that is not there", false, {
    "content-type": "text/html; charset=utf-8",
    "content-length": "4",
    "content-language": "en",
    "content-disposition": "inline",
    "content-security-policy": "default-src 'self'",
    "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT",
    "accept-ranges": "bytes",
    "link": "</a.css>; rel=preload",
    "server-timing": "db;dur=1",
    "x-powered-by": "curiosity",
  }),
  ...fields("6.6.2", false, { "trailer": "x-checksum" }),
];

/** A response, and why it may not be kept for others; undefined: it may. */
export interface StoringRow {
  /** Of RFC 9111, or another source by name. */
  readonly section: string;
  readonly name: string;
  readonly request?: Record<string, string>;
  readonly status?: number;
  readonly response?: Record<string, string>;
  readonly caller?: string;
  readonly expected: string | undefined;
}

const COOKIE = { cookie: "session=1" };
const BEARER = { authorization: "Bearer x" };
const csp = (value: string) => ({ "content-security-policy": value });
const cc = (value: string) => ({ "cache-control": value });

/** What RFC 9111 §3 and §3.5 say, and what is refused for being made for one occasion. */
export const STORING: readonly StoringRow[] = [
  { section: "3", name: "nothing against it", expected: undefined },
  { section: "3", name: "201", status: 201, expected: "not-200" },
  { section: "3", name: "404", status: 404, expected: "not-200" },
  { section: "3.3", name: "206", status: 206, expected: "not-200" },
  { section: "5.2.2.5", name: "no-store", response: cc("no-store"), expected: "no-store" },
  { section: "5.2.2.5", name: "public, No-Store", response: cc("public, No-Store"), expected: "no-store" },
  { section: "5.2.2.7", name: "private", response: cc("private"), expected: "private" },
  { section: "5.2.2.7", name: "private with fields", response: cc('private="x"'), expected: "private" },
  { section: "5.2.2.7", name: "public, private", response: cc("public, private"), expected: "private" },
  { section: "5.2.2.7", name: "private, caller", response: cc("private"), caller: "a", expected: undefined },
  {
    section: "5.2.2.7",
    name: "a directive's argument says private",
    response: cc('no-cache="a, private, b"'),
    expected: undefined,
  },
  {
    section: "5.2.2.5",
    name: "no-store, caller",
    response: cc("no-store"),
    caller: "a",
    expected: "no-store",
  },
  { section: "3.5", name: "Authorization", request: BEARER, expected: "not-public" },
  {
    section: "3.5",
    name: "Authorization, public",
    request: BEARER,
    response: cc("public"),
    expected: undefined,
  },
  { section: "3.5", name: "Authorization, caller", request: BEARER, caller: "a", expected: undefined },
  {
    section: "3.5",
    name: "Authorization, an argument says public",
    request: BEARER,
    response: cc('no-cache="x, public"'),
    expected: "not-public",
  },
  {
    section: "3.5",
    name: "Authorization, an unterminated argument says public",
    request: BEARER,
    response: cc('no-cache="x, public'),
    expected: "not-public",
  },
  {
    section: "3.5",
    name: "Authorization, publicity",
    request: BEARER,
    response: cc("publicity, x-public"),
    expected: "not-public",
  },
  { section: "RFC 6265 8.4", name: "Cookie", request: COOKIE, expected: "not-public" },
  {
    section: "RFC 6265 8.4",
    name: "Cookie, public",
    request: COOKIE,
    response: cc("PUBLIC"),
    expected: undefined,
  },
  { section: "RFC 6265 8.4", name: "empty Cookie", request: { cookie: "" }, expected: "not-public" },
  {
    section: "RFC 6265 8.4",
    name: "Set-Cookie, public",
    response: { ...cc("public"), "set-cookie": "a=1" },
    expected: "set-cookie",
  },
  {
    section: "RFC 6265 8.4",
    name: "Set-Cookie, caller",
    response: { "set-cookie": "a=1" },
    caller: "a",
    expected: "set-cookie",
  },
  { section: "4.1", name: "Vary: *", response: { vary: "*" }, expected: "vary-star" },
  { section: "4.1", name: "Vary with *", response: { vary: "accept , *" }, expected: "vary-star" },
  { section: "CSP 2.3.1", name: "a nonce", response: csp("script-src 'nonce-AbC='"), expected: "nonce" },
  { section: "CSP 2.3.1", name: "a NONCE", response: csp("script-src 'NONCE-AbC='"), expected: "nonce" },
  {
    section: "CSP 2.3.1",
    name: "a nonce that is only reported",
    response: { "content-security-policy-report-only": "script-src 'nonce-AbC='" },
    expected: "nonce",
  },
  { section: "CSP 2.3.1", name: "a hash", response: csp("script-src 'sha256-AbC='"), expected: undefined },
];
