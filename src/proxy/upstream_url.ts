/**
 * The URL of the application.
 *
 * @module
 */

/**
 * The origin of a URL that names nothing else.
 *
 * @throws {TypeError} If it is another URL. The text is not shown, because it may hold a password.
 */
export function parseUpstream(upstream: string | URL): string {
  const url = URL.canParse(upstream) ? new URL(upstream) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new TypeError("upstream is an http: or https: URL, such as http://127.0.0.1:3000");
  }
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("upstream is a URL without credentials");
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    throw new TypeError("upstream is a URL without a path: requests are passed on under their own");
  }
  return url.origin;
}
