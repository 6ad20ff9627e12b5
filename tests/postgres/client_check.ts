/**
 * What is asked of each client of PostgreSQL: the same changes are reported through it, under the names that `row()` gives
 * to its rows, and its errors are understood. Runs on each runtime as a program of its own, which `clients.ts` makes.
 */
import assert from "node:assert/strict";
import process from "node:process";
import { row, rows } from "../../mod.ts";
import type { ChangeBatch } from "../../src/changes/change.ts";
import {
  changes,
  type Listen,
  migration,
  type PolledFeedEvent,
  type Query,
} from "../../src/postgres/changes.ts";

/** Opens the client for a database; one that is a database itself is given its schema. */
export type Open = (
  url: string,
  schema: string,
) => Promise<{ readonly query: Query; readonly listen?: Listen }>;

/** What came of it, as the one line that the program writes. */
export interface Checked {
  /** How many of the changes were reported as they should be, and how many there were. */
  readonly reported: number;
  readonly of: number;
  readonly problems: readonly string[];
}

const tables = ["posts"];

/** Tables, data and migration, for a role `site`. */
export const schema: string =
  `create table posts (id bigint, part text, title text, author_id int, data jsonb, at timestamptz,
  primary key (id, part));
${migration({ posts: { key: ["id", "part"], groups: ["author_id"] } }, { role: "site", notify: true }).up}`;

const key = ["id", "part"];
const id = (n: number) => String(9007199254740993n * BigInt(n % 2) + BigInt(n));
const parts = ["a", "it's", "50%", "a/b", "Zoë", 'say "x"', "a\\b"];

/** Seven rows are inserted, changed and deleted: 21 changes. */
const deeds = [
  "insert into posts values ($1::text::bigint, $2::text, 'first', length($2::text), '{\"a\": [1, null]}', now())",
  "update posts set title = 'second', author_id = null where id = $1::text::bigint and part = $2::text",
  "delete from posts where id = $1::text::bigint and part = $2::text",
];

const rowsOf = async (
  query: Query,
  text: string,
  parameters: string[],
): Promise<Record<string, unknown>[]> => {
  const result = await query(text, parameters);
  return [...("rows" in result ? result.rows : result)] as Record<string, unknown>[];
};

async function nextChange(reader: AsyncIterator<ChangeBatch>): Promise<string[]> {
  for (;;) {
    const { value } = await reader.next() as { readonly value: ChangeBatch };
    assert.equal(value.state, "live");
    assert.equal(value.reset, undefined);
    if (value.changes.length > 0) return value.changes.map(({ id }) => id).toSorted();
  }
}

/** The names of a row as it is now; none where it is not there. */
async function namesOf(query: Query, parameters: string[]): Promise<string[]> {
  const select = "select * from posts where id = $1::text::bigint and part = $2::text";
  const [found, again] = [await rowsOf(query, select, parameters), await rowsOf(query, select, parameters)];
  if (found.length === 0) return [];
  const dependency = row("posts", found[0]!, key);
  assert.deepEqual(row("posts", again[0]!, key), dependency, "what is read twice has one digest");
  return ["posts", dependency._id, rows("posts", found, { key, by: "author_id" })[0]._id];
}

/** The first look; its error says more than that the feed is lost. */
async function beLive(reader: AsyncIterator<ChangeBatch>, events: readonly PolledFeedEvent[]): Promise<void> {
  const { value } = await reader.next() as { readonly value: ChangeBatch };
  const [event] = events;
  if (event !== undefined && "error" in event) throw event.error;
  assert.equal(value.state, "live");
}

async function followAll(query: Query): Promise<number> {
  const events: PolledFeedEvent[] = [];
  // It prunes at each whole look.
  const options = {
    tables,
    poll: 20,
    maxLag: 400,
    keep: 1,
    onEvent: (event: PolledFeedEvent) => events.push(event),
  };
  const reader = changes(query, options).batches();
  await beLive(reader, events);
  let reported = 0;
  for (const deed of deeds) {
    for (const [n, part] of parts.entries()) {
      const parameters = [id(n), part];
      const before = await namesOf(query, parameters);
      await query(deed, parameters);
      const names = [...new Set([...before, ...await namesOf(query, parameters)])].toSorted();
      assert.deepEqual(await nextChange(reader), names);
      reported++;
    }
  }
  await reader.return!();
  assert.deepEqual(events.map(({ type }) => type), ["live"]);
  return reported;
}

/** With a poll of hours it is the notification that makes the feed look. */
async function wake(query: Query, listen: Listen): Promise<void> {
  let isListening = () => {};
  const listening = new Promise<void>((resolve) => isListening = resolve);
  const heard: Listen = async (channel, onNotify, onListen) => {
    const stop = await listen(channel, onNotify, onListen);
    isListening();
    return stop;
  };
  const reader = changes(query, { tables, poll: 10_000_000, listen: heard }).batches();
  await beLive(reader, []);
  await listening;
  const next = nextChange(reader);
  await query(deeds[0]!, ["5", "woken"]);
  assert.deepEqual(await next, ["posts", "posts/5/woken", "posts?author_id=5"]);
  await reader.return!();
}

async function refused(open: Open, url: string, code: string): Promise<void> {
  const { query } = await open(url, schema);
  await assert.rejects(changes(query, { tables }).batches().next(), { name: "ChangesError", code });
}

/** Checks a client, and ends the process; its database is at `DATABASE_URL`, of the role `site`. */
export async function check(open: Open): Promise<void> {
  const { DATABASE_URL: url, WRONG_URL: wrong, STRANGER_URL: stranger } = process.env;
  const problems: string[] = [];
  const attempt = async (what: string, act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      problems.push(`${what}: ${error}; ${(error as Error).cause ?? ""}`);
    }
  };
  let reported = 0;
  await attempt("changes", async () => {
    const { query, listen } = await open(url ?? "", schema);
    reported = await followAll(query);
    if (listen !== undefined) await wake(query, listen);
  });
  if (wrong) await attempt("a wrong password", () => refused(open, wrong, "unauthorized"));
  if (stranger) await attempt("a role without a privilege", () => refused(open, stranger, "forbidden"));
  console.log(JSON.stringify({ reported, of: deeds.length * parts.length, problems } satisfies Checked));
  process.exit(0);
}
