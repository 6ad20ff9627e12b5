/**
 * A database's URL, its credentials taken out.
 *
 * @module
 */

/** Where the database is, and what to authenticate with. */
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
  const parsed = parse(url);
  const { username, password } = parsed;
  parsed.username = "";
  parsed.password = "";
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new TypeError(`Expected an http or https URL, not ${parsed.href}`);
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    throw new TypeError(`Expected a database's URL without query or fragment, not ${parsed.href}`);
  }
  const href = parsed.href.replace(/\/$/, "");
  if (parsed.pathname === "/") throw new TypeError(`The URL ${href} names no database`);
  const authorization = username === "" && password === "" ? undefined : basic(username, password);
  return { href, authorization };
}

function parse(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    // The platform's own message would quote the URL with its password.
    throw new TypeError(`Expected a database's URL, not ${JSON.stringify(redact(String(url)))}`);
  }
}

function redact(url: string): string {
  return url.slice(url.lastIndexOf("@") + 1);
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
