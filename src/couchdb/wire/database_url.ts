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
 * message must not show them. An error names the part that is wrong and shows nothing of the text: where a character of
 * the password is not encoded, the rest of the password is in whatever part comes next.
 *
 * @param url The database, `http://user:password@host:5984/name`; user and password percent-encoded.
 * @throws {TypeError} If this is no http(s) URL of a database.
 */
export function parseDatabaseUrl(url: string | URL): DatabaseUrl {
  const parsed = parseServerUrl(url);
  if (new URL(parsed.href).pathname === "/") {
    throw new TypeError("The URL names no database: nothing follows its host");
  }
  return parsed;
}

/**
 * Does the same for the root of a server.
 *
 * @throws {TypeError} If this is no http(s) URL, or has a query, a fragment, or an `@` in its path.
 */
export function parseServerUrl(url: string | URL): DatabaseUrl {
  const parsed = parse(url);
  const { username, password, pathname } = parsed;
  if (parsed.protocol !== "http:" && parsed.protocol !== "https:") {
    throw new TypeError("Expected an http or https URL: the scheme of this one is another");
  }
  if (parsed.search !== "") {
    throw new TypeError("Expected a URL without a query: in a password, ? is written as %3F");
  }
  if (parsed.hash !== "") {
    throw new TypeError("Expected a URL without a fragment: in a password, # is written as %23");
  }
  // No name of a database holds one. Behind a slash of the password, the rest of it has become the path.
  if (/@|%40/.test(pathname)) {
    throw new TypeError("Expected a URL without an @ in its path: in a password, / is written as %2F");
  }
  parsed.username = "";
  parsed.password = "";
  const authorization = username === "" && password === "" ? undefined : basic(username, password);
  return { href: parsed.href.replace(/[?#]*$/, "").replace(/\/$/, ""), authorization };
}

function parse(url: string | URL): URL {
  try {
    return new URL(url);
  } catch {
    // Without the platform's own message, which quotes the text.
    throw new TypeError(
      "Expected an http or https URL, not a text that is no URL: its host or its port may be wrong, or the credentials " +
        "hold a character that has to be percent-encoded",
    );
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
