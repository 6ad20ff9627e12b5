/**
 * Which server process it is.
 *
 * @module
 */
import { text } from "./names.ts";

/**
 * The expression. `life` is a random value in a MEMORY table, which is empty after each start of the server; what a replica
 * has applied shows that rows may have changed without a trigger.
 */
export const IDENTITY: string = text(
  "concat((select life from stillfresh_lives), '/', @@server_uid, '/', @@server_id, '/', @@hostname, '/', @@port, '/', @@global.gtid_slave_pos)",
);
