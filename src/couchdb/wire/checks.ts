/**
 * Checks of options, whose errors name the option and its value.
 *
 * @module
 */

/** @throws {RangeError} If this is no integer from `least` to `most`. */
export function requireInteger(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  const legal = Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!legal) throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${show(value)}`);
}

/** A value as an error message names it. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
