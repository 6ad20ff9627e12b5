/**
 * What `row()` costs: the digest of a row, by its size and by what is in it. The best of many short windows, because each
 * run of a call does the same.
 *
 * `deno run -A bench/row.ts`, `bun bench/row.ts`, `node bench/row.ts`.
 *
 * @module
 */
import { row } from "../mod.ts";
import { atMost, printTable, verdict } from "./table.ts";

/** µs that a KB may take. */
const TARGET = atMost(15);
const WINDOWS = 60;
const CALLS = 300;

const text = (length: number): string =>
  "Lorem ipsum dolor sit amet, consectetur “adipiscing” elit. ".repeat(20).slice(0, length);
const post = { id: 7, title: "The title of a post", author_id: 5, slug: "the-title-of-a-post" };
const list = Array.from({ length: 16 }, (_, n) => ({ n, name: `name ${n}`, tags: ["a", "b"], draft: null }));

/** Each row, and its bytes, about. */
const rows: Readonly<Record<string, readonly [row: object, bytes: number]>> = {
  "200 bytes": [{ ...post, body: text(120) }, 200],
  "1 KB": [{ ...post, body: text(910) }, 1_000],
  "1 KB, dates and bigint": [
    { ...post, views: 12345678901234567890n, at: new Date(0), edited: new Date(1e12), body: text(850) },
    1_000,
  ],
  "1 KB, half of it bytes": [
    { ...post, image: new Uint8Array(500).map((_, n) => n), body: text(400) },
    1_000,
  ],
  "1 KB, JSON": [{ ...post, data: { list } }, 1_000],
};

/** µs of a call. */
function cost(record: object): number {
  let least = Infinity;
  for (let window = 0; window < WINDOWS; window++) {
    const began = performance.now();
    for (let call = 0; call < CALLS; call++) row("posts", record);
    least = Math.min(least, (performance.now() - began) / CALLS * 1_000);
  }
  return least;
}

printTable(
  "row()",
  ["row", "µs", ""],
  Object.entries(rows).map(([name, [record, bytes]]) => {
    const figure = cost(record);
    return [name, figure.toFixed(1), bytes < 1_000 ? "" : verdict(figure, TARGET, " µs")];
  }),
);
