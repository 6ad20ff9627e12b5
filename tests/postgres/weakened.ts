/** The feed with one rule taken away: the ledger has to find each of them. */
import type { ChangesFeed } from "../../src/changes/change.ts";
import type { Query } from "../../src/postgres/changes.ts";
import type { Undoing } from "./ledger_run.ts";
import { withContact } from "../support/watched_feed.ts";

/** What is taken away. */
export interface Weakening {
  /** Around the query of the feed. */
  readonly query?: (query: Query) => Query;
  /** Around the feed; `sent` tells when the last look was sent. */
  readonly feed?: (feed: ChangesFeed, sent: () => number) => ChangesFeed;
  /** By what alone commits are undone, so that it is this that finds it, or none; default: by each in turn. */
  readonly undoing?: readonly Undoing[];
}

type Looked = Record<string, unknown>;

/** Changes what a look says. */
function told(change: (looked: Looked, again: () => Promise<Looked>) => Looked | Promise<Looked>): Weakening {
  return {
    query: (query) => async (text, parameters) => {
      const run = async (): Promise<Looked> => {
        const result = await query(text, parameters);
        const [row] = "rows" in result ? result.rows : result;
        const { looked } = row as { readonly looked?: string };
        return looked === undefined ? {} : JSON.parse(looked);
      };
      return [{ looked: JSON.stringify(await change(await run(), run)) }];
    },
  };
}

/** Changes the statement. */
function asked(change: (text: string) => string): Weakening {
  return {
    query: (query) => (text, parameters) => {
      const changed = change(text);
      if (changed === text && text.includes("xid")) throw new Error("the statement has another form");
      return query(changed, parameters);
    },
  };
}

function contact(at: (sent: number) => number): Weakening {
  return { feed: (feed, sent) => withContact(feed, sent, at) };
}

const noIdentity = told((looked) => "identity" in looked ? { ...looked, identity: "same" } : looked);

/** Each by its name. */
export const weakenings: Readonly<Record<string, Weakening>> = {
  "a cursor over the sequence": {
    query: (query) => {
      let last: number | undefined;
      return async (text, parameters) => {
        if (!text.includes("xid")) return query(text, parameters);
        const changed = text.replace(/where xid >=.*?limit/s, `where n > ${last ?? 0} limit`)
          .replace("between x and x", "is null")
          .replace("'pruned'", "'top', (select coalesce(max(n), 0) from stillfresh.changes), 'pruned'");
        const result = await query(changed, parameters);
        const [row] = "rows" in result ? result.rows : result;
        const looked = JSON.parse((row as { readonly looked: string }).looked);
        if (last === undefined) looked.rows = null;
        last = looked.top;
        return [{ looked: JSON.stringify(looked) }];
      };
    },
  },
  "two statements": told(async (looked, again) =>
    "rows" in looked ? { ...looked, now: (await again())["now"] } : looked
  ),
  "the row's own xmin": asked((text) =>
    text.replace("xid >=", "(xmin::text)::xid8 >=").replace("xid between", "(xmin::text)::xid8 between")
  ),
  "no identity, a crash": { ...noIdentity, undoing: ["crash"] },
  "no identity, a backend killed": { ...noIdentity, undoing: ["kill -9"] },
  "no identity, a failover": { ...noIdentity, undoing: ["failover"] },
  "no fingerprint": told((looked) => "shape" in looked ? { ...looked, shape: "same" } : looked),
  // The reset after a crash would cover it.
  "no floor": { ...told((looked) => ({ ...looked, pruned: false })), undoing: [] },
  "contact at arrival": contact(() => performance.now()),
  "contact from quick looks": contact((sent) => sent),
};
