/**
 * What the feed of a SQLite file costs: a look at each request, and each write of the application. `deno run -A
 * bench/sqlite.ts`, `bun bench/sqlite.ts`, `node bench/sqlite.ts`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dependsOn, EtagRegistry, follow, withEtag } from "../mod.ts";
import { changes, migration } from "../src/sqlite/changes.ts";
import { openSqlite, type WritableSqlite } from "../tests/support/sqlite.ts";

const ROUNDS = 7;
const folder = mkdtempSync(join(tmpdir(), "stillfresh-"));

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** µs of one call, of many in a row: each of these in turn, so that a slow moment of the machine hits all. */
function costs(times: number, ...acts: readonly (() => unknown)[]): number[] {
  const found = acts.map((): number[] => []);
  for (let round = 0; round <= ROUNDS; round++) {
    acts.forEach((act, at) => {
      const start = performance.now();
      for (let n = 0; n < times; n++) act();
      // The first round warms up.
      if (round > 0) found[at]!.push((performance.now() - start) * 1_000 / times);
    });
  }
  return found.map(median);
}

function site(
  name: string,
  isFollowed: boolean,
): { readonly path: string; readonly database: WritableSqlite } {
  const path = join(folder, name);
  const database = openSqlite(path);
  // The disk would hide what triggers cost.
  database.exec("pragma journal_mode = wal; pragma synchronous = off");
  database.exec(
    "create table posts (id integer primary key, author_id integer, slug text unique, title text)",
  );
  if (isFollowed) {
    database.exec(migration({ posts: { key: ["id"], groups: ["author_id"] } }, () => openSqlite(path)).up);
  }
  for (let id = 1; id <= 1_000; id++) {
    database.exec(`insert into posts values (${id}, ${id % 10}, 's${id}', 'title')`);
  }
  return { path, database };
}

async function looks(): Promise<void> {
  const { path, database } = site("looked.db", true);
  const feed = changes(() => openSqlite(path), { tables: ["posts"], poll: 60_000 });
  const handler = (registry: EtagRegistry) =>
    withEtag(
      () => new Response("page", { headers: { "cache-control": "public, no-cache", ...dependsOn("posts") } }),
      { registry },
    );
  const registry = new EtagRegistry();
  const follower = follow(registry, feed);
  await follower.ready;
  const [looked, plain] = [handler(registry), handler(new EtagRegistry({ manual: true }))];
  const asking = async (answer: typeof looked) => {
    const etag = (await answer(new Request("http://site/"))).headers.get("etag")!;
    const request = new Request("http://site/", { headers: { "if-none-match": etag } });
    return () => answer(request);
  };
  // The least that SQLite can be asked of a file: a read transaction, and one number.
  const least = openSqlite(path);
  const statement = least.prepare("pragma data_version");
  const [withLook, without, floor] = costs(
    5_000,
    await asking(looked),
    await asking(plain),
    () => statement.all(),
  ) as [number, number, number];
  const look = withLook - without;
  console.log(
    `a 304 ${without.toFixed(1)} µs, with a look ${withLook.toFixed(1)} µs: the look ${look.toFixed(1)} µs, ${
      (look / floor).toFixed(1)
    } times as long as the least that SQLite can be asked (${floor.toFixed(1)} µs)`,
  );
  least.close();
  await follower.close();
  database.close();
}

function writes(): void {
  const [plain, followed] = [site("plain.db", false).database, site("followed.db", true).database];
  let next = 10_000;
  const insert = (id: number) => `insert into posts values (${id}, ${id % 10}, 's${id}', 'title')`;
  const acts: Readonly<Record<string, [times: number, act: (database: WritableSqlite) => void]>> = {
    "an insert": [1_000, (database) => database.exec(insert(next++))],
    "an update": [
      1_000,
      (database) => database.exec(`update posts set title = 't${next++}' where id = ${1 + next % 999}`),
    ],
    "1,000 inserts in a transaction": [5, (database) => {
      database.exec("begin");
      for (let n = 0; n < 1_000; n++) database.exec(insert(next++));
      database.exec("commit");
    }],
    "an update of 1,000 rows": [
      5,
      (database) => database.exec("update posts set title = title || '' where id <= 1000"),
    ],
  };
  for (const [name, [times, act]] of Object.entries(acts)) {
    const [before, after] = costs(times, () => act(plain), () => act(followed)) as [number, number];
    console.log(`${name}: ${(after / before).toFixed(1)} times as long with the triggers`);
  }
  plain.close();
  followed.close();
}

try {
  await looks();
  writes();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
