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
