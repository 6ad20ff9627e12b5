/**
 * A sleep that can be interrupted, and a deadline for a promise.
 *
 * @module
 */

/** Waits `ms` milliseconds; when `signal` aborts, it resolves or rejects at once. */
export type Sleep = (ms: number, signal: AbortSignal) => Promise<unknown>;

/** What {@linkcode deadline} gives when the deadline came first. */
export const EXPIRED: unique symbol = /* @__PURE__ */ Symbol("expired");

/** The longest delay of `setTimeout`: with a longer one it fires at once. */
const LONGEST_TIMER = 2_147_483_647;

/** The platform's timer as a {@linkcode Sleep}; leaves no timer behind once `signal` has aborted. */
export function systemSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, Math.min(ms, LONGEST_TIMER));
    signal.addEventListener("abort", wake);
  });
}

/** The least time between two proofs of contact, in milliseconds, however small `maxLag` is. */
const LEAST_PERIOD = 10;

/** Milliseconds after which contact is to be proved again: half of the time after which it would be too old. */
export function proofPeriod(maxLag: number): number {
  return Math.max(LEAST_PERIOD, maxLag / 2);
}

/**
 * Waits for `work`, but at most `ms` milliseconds and not beyond the abort of `signal`.
 *
 * @returns What `work` gives, or {@linkcode EXPIRED}; `work` goes on and may be waited for again.
 * @throws What `work` throws, or the signal's reason.
 */
export async function deadline<T>(
  work: Promise<T>,
  ms: number,
  sleep: Sleep,
  signal: AbortSignal,
): Promise<T | typeof EXPIRED> {
  const timer = new AbortController();
  const interrupt = () => timer.abort();
  signal.addEventListener("abort", interrupt);
  if (signal.aborted) interrupt();
  try {
    const late = sleep(Math.max(0, ms), timer.signal).then((): typeof EXPIRED => {
      if (signal.aborted) throw signal.reason;
      return EXPIRED;
    });
    return await Promise.race<T | typeof EXPIRED>([work, late]);
  } finally {
    signal.removeEventListener("abort", interrupt);
    // With a reason: an `AbortError` with its stack costs more than the timer.
    timer.abort(EXPIRED);
  }
}
