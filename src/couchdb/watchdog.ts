/**
 * How long a server may be silent. No runtime's own limit will do: they range from 300 s to none at all.
 *
 * @module
 */

/** A network may swallow a heartbeat or two, and needs some time to connect. */
const SLACK = 10_000;

/**
 * Milliseconds of silence after which a connection counts as dead: three heartbeats, or one and ten seconds,
 * whichever is longer.
 *
 * @param heartbeat Milliseconds between the server's heartbeats.
 */
export function patience(heartbeat: number): number {
  return Math.max(3 * heartbeat, heartbeat + SLACK);
}
