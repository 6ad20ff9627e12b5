/**
 * Parameters of a request in its query.
 *
 * @module
 */

/**
 * Encodes parameters as CouchDB reads them: a string as it is, anything else as JSON. Positions are both: a string in
 * CouchDB 2 and later, a number or an array elsewhere.
 */
export function encodeQuery(parameters: Readonly<Record<string, unknown>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(textOf(value))}`)
    .join("&");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/**
 * A path with a parameter that no other request has. A cache between the feed and the database would repeat an answer
 * of before, and show a feed to be complete that is not. CouchDB ignores parameters that it does not know.
 */
export function uncached(path: string): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return `${path}${path.includes("?") ? "&" : "?"}_=${high.toString(36)}${low.toString(36)}`;
}
