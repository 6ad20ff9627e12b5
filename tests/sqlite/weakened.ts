/** The feed of a SQLite file with one rule taken away: the ledger has to find each of them. */
import type { ChangesFeed } from "../../src/changes/change.ts";
import type { SqliteConnection, SqliteOpen } from "../../src/sqlite/changes.ts";

/** What is taken away. */
export interface Weakening {
  /** Run after the migration. The feed is shown the triggers of before. */
  readonly spoil?: string;
  /** Around the function that opens the file. */
  readonly open?: (open: SqliteOpen) => SqliteOpen;
  /** Around the feed. */
  readonly feed?: (feed: ChangesFeed) => ChangesFeed;
}

type Row = Record<string, unknown>;

/** Changes the rows that statements give. */
export function told(
  change: (rows: readonly Row[], text: string, parameters: readonly (string | number)[]) => readonly Row[],
): (open: SqliteOpen) => SqliteOpen {
  return (open) => () => {
    const connection = open();
    return {
      prepare: (text) => {
        const statement = connection.prepare(text);
        return {
          all: (...parameters) => change(statement.all(...parameters) as Row[], text, parameters),
        };
      },
      close: () => connection.close(),
    };
  };
}

const isOfChanges = (text: string): boolean => text.includes("from stillfresh_changes");

const withoutNonce = told((rows, text) =>
  isOfChanges(text) ? rows.map((row) => ({ ...row, nonce: "same" })) : rows
);

/** What is usually written: all that has a larger number than the last one. */
const withoutLandmark = told((rows, text, [n]) => {
  if (!isOfChanges(text)) return rows;
  const same = rows.map((row) => ({ ...row, nonce: "same" }));
  if (n === undefined) return same;
  const schema = rows[0]?.["schema"];
  const later = same.filter((row) => (row as Row)["n"] as number > Number(n));
  return [{ n, nonce: "same", schema: schema ?? lastSchema } as Row, ...later];
});

/** The version that a look without rows would have. */
let lastSchema: unknown;
const noteSchema = told((rows, text) => {
  if (isOfChanges(text)) lastSchema = rows[0]?.["schema"] ?? lastSchema;
  return rows;
});

/** Each by its name. */
export const weakenings: Readonly<Record<string, Weakening>> = {
  "look left out": {
    feed: (feed) =>
      Object.create(feed, { look: { value: undefined }, batches: { value: feed.batches.bind(feed) } }),
  },
  "no BEFORE triggers": {
    spoil: "drop trigger stillfresh_1_replace; drop trigger stillfresh_1_update_replace",
  },
  "no trigger for the key of before": { spoil: "drop trigger stillfresh_1_moved" },
  "the file is not opened anew": {
    open: (open) => {
      let only: SqliteConnection | undefined;
      const kept = () => {
        only ??= open();
        return { prepare: only.prepare.bind(only), close: () => {} };
      };
      return told((rows, text) => text === "pragma analysis_limit" ? [{ analysis_limit: 0 }] : rows)(kept);
    },
  },
  "no nonce": { open: withoutNonce },
  "no version of the schema": {
    open: told((rows, text) => isOfChanges(text) ? rows.map((row) => ({ ...row, schema: 1 })) : rows),
  },
  "no landmark": { open: (open) => withoutLandmark(noteSchema(open)) },
  "no landmark, no AUTOINCREMENT": {
    spoil: `drop table stillfresh_changes; create table stillfresh_changes (n integer primary key,
      nonce text default 'none', tbl text, key text, groups text);
      insert into stillfresh_changes (tbl, key, groups) values ('', '', '[]')`,
    open: (open) => withoutLandmark(noteSchema(open)),
  },
};
