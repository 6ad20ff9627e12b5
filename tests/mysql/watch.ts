/** What a feed of MariaDB tells look by look. */
import type { Position } from "../../src/changes/change.ts";
import { changes, type MysqlOptions, type Query } from "../../src/mysql/changes.ts";
import { WatchedFeed } from "../support/watched_feed.ts";

export type { Told } from "../support/watched_feed.ts";

/** A feed that looks when it is asked to, and prunes nothing. */
export class Watch extends WatchedFeed {
  constructor(query: Query, options: MysqlOptions, from?: Position) {
    super((watching) => changes(query, { ...watching, keep: 0, ...options }), from);
  }

  /** When the last look that counts was sent. */
  get contact(): number | undefined {
    return this.last?.contact?.monotonic;
  }
}
