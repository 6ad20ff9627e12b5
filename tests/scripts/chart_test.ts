import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { chart, type Figures } from "../../bench/chart.ts";

const read = (path: string): Promise<string> => readFile(new URL(`../../${path}`, import.meta.url), "utf8");

const figures: Figures = JSON.parse(await read("bench/figures.json"));

test("chart: docs/performance.svg is what bench/chart.ts draws", async () => {
  assert.equal(await read("docs/performance.svg"), chart(figures));
});

test("chart: its figures are those of the table in docs/performance.md", async () => {
  const page = await read("docs/performance.md");
  const [, ...servers] =
    /^\| +\| `Deno\.serve`.*$/m.exec(page)?.[0].split("|").map((cell) => cell.replaceAll("`", "").trim()) ??
      [];
  const columns = Object.keys(figures.servers);
  assert.deepEqual(servers.filter((server) => server !== ""), columns);
  const names = new Set(Object.values(figures.servers).flatMap((rows) => Object.keys(rows)));
  for (const name of names) {
    const row = page.split("\n").find((line) => line.replaceAll("*", "").startsWith(`| ${name} `));
    assert.ok(row, `no row is named ${name}`);
    const cells = row.split("|").slice(2, -1).map((cell) => cell.trim());
    assert.deepEqual(
      cells,
      columns.map((server) => figures.servers[server]![name]?.toFixed(2) ?? ""),
      name,
    );
  }
});

test("chart: text is escaped, and bars have the length of their figures", () => {
  const svg = chart({
    title: 'a < b & "c"',
    unit: "µs",
    servers: { one: { Stillfresh: 1, other: 2 }, two: { other: 4 } },
  });
  assert.ok(svg.includes("<title>a &lt; b &amp; &quot;c&quot;, in µs</title>"));
  const widths = Array.from(
    svg.matchAll(/<rect class="(\w+)".*?width="([\d.]+)"/g),
    ([, kind, width]) => [kind, Number(width)],
  );
  const [[, shortest] = []] = widths;
  assert.ok(typeof shortest === "number" && shortest > 10);
  assert.deepEqual(widths, [["ours", shortest], ["peer", 2 * shortest], ["peer", 4 * shortest]]);
});
