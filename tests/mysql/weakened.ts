/** The feed with one rule taken away: the ledger has to find each of them. */
import type { ChangesFeed } from "../../src/changes/change.ts";
import type { Query } from "../../src/mysql/changes.ts";
import { withContact } from "../support/watched_feed.ts";

/** Troubles after which everything counts as changed. */
export type Reset = "crash" | "bypass" | "forced";

/** What is taken away. */
export interface Weakening {
  /** Around the query of the feed. */
  readonly query?: (query: Query) => Query;
  /** Around the feed; `sent` tells when the last look was sent. */
  readonly feed?: (feed: ChangesFeed, sent: () => number) => ChangesFeed;
  /** What each connection of the feed is given first. */
  readonly session?: string;
  /** What happens that is a reset, and would hide what is missed; default: all of it. */
  readonly resets?: readonly Reset[];
  /** How many write at once; default: many. */
  readonly writers?: number;
}

type Row = Record<string, string | null>;

async function rowsFrom(query: Query, text: string): Promise<Row[]> {
  const [rows] = await query(text, []) as unknown as [Row[]];
  return rows;
}

/** Changes the rows of a look. */
function told(change: (rows: Row[]) => Row[]): Weakening {
  return {
    query: (query) => async (text, parameters) =>
      text.includes("'floor'") ? change(await rowsFrom(query, text)) : await query(text, parameters),
  };
}

/** Changes what runs, as the server has listed it. */
function listed(change: (rows: Row[], token: string) => Row[]): (query: Query) => Query {
  return (query) => async (text, parameters) => {
    const [, token] = /'(stillfresh [^']+)' as token/.exec(text) ?? [];
    return token === undefined ? await query(text, parameters) : change(await rowsFrom(query, text), token);
  };
}

function contact(at: (sent: number) => number): Weakening {
  return { feed: (feed, sent) => withContact(feed, sent, at) };
}

/** Whatever the server says of the tables of these kinds. */
const same = (kinds: RegExp): Weakening =>
  told((rows) =>
    rows.map((row) => row["kind"] === "shape" ? { ...row, b: row["b"]!.replace(kinds, "$1same") } : row)
  );

/** Each by its name. */
export const weakenings: Readonly<Record<string, Weakening>> = {
  "a cursor over the numbers": {
    query: (query) => (text, parameters) =>
      query(text.replace(/(where n > \d+)(?: or n [^()]*?)? limit/, "$1 limit"), parameters),
  },
  "gaps forgotten at once": {
    query: listed((rows, token) => rows.filter(({ query }) => query?.includes(token))),
  },
  "transactions without a connection": {
    resets: ["bypass"],
    query: listed((rows) => rows.map((row) => String(row["thread"]) === "0" ? { ...row, thread: "1" } : row)),
  },
  "the list after the look": {
    resets: [],
    // With many, the feed waits for other long transactions, and no longer for the one that is not listed.
    writers: 2,
    query: (query) => {
      let before: Row[] = [];
      // Of the look before: transactions that began since are not in it.
      return listed((rows, token) => {
        const own = rows.filter(({ query }) => query?.includes(token));
        const told = [...before, ...own];
        before = rows.filter(({ query }) => !query?.includes(token));
        return told;
      })(query);
    },
  },
  "uncommitted reads": {
    session: "set session transaction isolation level read uncommitted",
    ...told((rows) => rows.filter(({ kind }) => kind !== "server")),
  },
  // A step back of the numbers is found as well, by the look that comes before they have caught up.
  "no identity, and no step back": {
    query: (query) => async (text, parameters) => {
      if (text.startsWith("call") || text.startsWith("insert")) return await query(text, parameters);
      return (await rowsFrom(query, text)).map((row) => {
        if ("identity" in row) return { ...row, identity: "same" };
        if (row["kind"] === "identity" && row["a"] !== null) return { ...row, a: "same" };
        const isTop = row["kind"] === "top" && /where n > \d/.test(text);
        return isTop ? { ...row, a: String(Number.MAX_SAFE_INTEGER) } : row;
      });
    },
  },
  "no fingerprint": same(/^(engine InnoDB.|space |trigger ).*/),
  "no negative numbers": {
    resets: ["forced"],
    ...told((rows) =>
      rows.map((row) => row["kind"] === "shape" && row["a"] === "forced" ? { ...row, b: "0" } : row)
    ),
  },
  "no floor": {
    resets: [],
    ...told((rows) => rows.map((row) => row["kind"] === "floor" ? { ...row, a: "0" } : row)),
  },
  "contact at arrival": contact(() => performance.now()),
  "contact from quick looks": contact((sent) => sent),
};
