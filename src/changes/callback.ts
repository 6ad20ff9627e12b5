/**
 * Functions of the user's that are told of something, and whose results nothing waits for.
 *
 * @module
 */

/** Keeps a promise that nothing waits for from ending the process when it is rejected. Takes any value. */
export function ignoreRejection(result: unknown): void {
  Promise.resolve(result).catch(() => {});
}
