/**
 * What is no request where one is wanted: mostly the context of a framework, which holds it.
 *
 * @module
 */

/**
 * Refuses it.
 *
 * @param wanted Who wants a request: `An inspector takes a Request first`.
 * @param given What it was given.
 * @param how How frameworks pass the request that they hold.
 * @throws {TypeError} Always.
 */
export function refuseContext(wanted: string, given: unknown, how: string): never {
  const kind = Object.prototype.toString.call(given);
  throw new TypeError(
    `${wanted}, not ${kind}: pass the request that your framework's context holds (${how})`,
  );
}
