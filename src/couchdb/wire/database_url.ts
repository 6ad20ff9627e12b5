/**
 * The URL of a database or a server, its credentials taken out.
 *
 * @module
 */

/** Where the database or the server is, and what to authenticate with. */
export interface DatabaseUrl {
  /** Without credentials, query, fragment and trailing slash: safe to show. */
  readonly href: string;
  /** An `Authorization` field value (RFC 7617), if the URL carried credentials. */
  readonly authorization: string | undefined;
}

/**
 * Takes the credentials out of a database's URL: `fetch` refuses them (WHATWG Fetch, "new Request"), and an error
 * message must not show them.
 *
 * @param url The database, `http://user:password@host:5984/name`; user and password percent-encoded.
 * @throws {TypeError} If this is no http(s) URL of a database.
 */
export function parseDatabaseUrl(url: string | URL): DatabaseUrl {
  const { href, authorization } = parseServerUrl(url);
  if (new URL(href).pathname === "/") throw new TypeError(`The URL ${href} names no database`);
  return { href, authorization };
}

/**
 * Does the same for the root of a server.
 *
 * @throws {TypeError} If this is no http(s) URL, or has a query or a fragment.
 */
export function parseServerUrl(url: string | URL): DatabaseUrl {
  const parsed = parse(url);
  const { username, password } = parsed;
  parsed.username = "";
  parsed.password = "";
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new TypeError(`Expected an http or https URL, not ${parsed.href}`);
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    throw new TypeError(`Expected a URL without query or fragment, not ${parsed.href}`);
  }
  const authorization = username === "" && password === "" ? undefined : basic(username, password);
  return { href: parsed.href.replace(/\/$/, ""), authorization };
}

function parse(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    // Without the text, and without the platform's own message, which quotes it: it may hold a password.
    throw new TypeError("Expected an http or https URL, not a text that is no URL");
  }
}

/** RFC 7617 §2.1: user and password in UTF-8. */
function basic(username: string, password: string): string {
  const bytes = new TextEncoder().encode(`${decode(username)}:${decode(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new TypeError("The credentials in the URL are not percent-encoded UTF-8");
  }
}
