import assert from "node:assert/strict";
import { test } from "node:test";
import { differences, filled, markdownOf, type Table, tableProblems } from "../../scripts/compatibility.ts";

const table: Table = {
  task: "frameworks",
  head: "framework",
  columns: ["version", "glue", "Deno"],
  rows: [
    { name: "Hono", cells: { version: "4.13.19", glue: "2", Deno: "yes" } },
    { name: "h3", cells: { version: "2.0.8", glue: "2" } },
  ],
};

/** The table with another cell in its first row. */
function withCell(column: string, cell: string): Table {
  const [first, ...rest] = table.rows;
  return { ...table, rows: [{ name: first!.name, cells: { ...first!.cells, [column]: cell } }, ...rest] };
}

test("markdownOf: shows the columns that are asked for, and a dash where there is no cell", () => {
  assert.equal(
    markdownOf(table, ["version", "Deno"]),
    [
      "| framework | version | Deno |",
      "| --------- | ------- | ---- |",
      "| Hono      | 4.13.19 | yes  |",
      "| h3        | 2.0.8   | –    |",
    ].join("\n"),
  );
});

test("differences: another result is a fault, another version only a note", () => {
  assert.deepEqual(differences(table, table), { faults: [], notes: [] });
  assert.deepEqual(differences(table, withCell("Deno", "no")), {
    faults: ["Hono, Deno: the table says yes, this run no"],
    notes: [],
  });
  assert.deepEqual(differences(table, withCell("version", "5.0.0")), {
    faults: [],
    notes: ["Hono, version: the table says 4.13.19, this run 5.0.0"],
  });
});

test("differences: a row that is missing, new or elsewhere, other columns, and no table are faults", () => {
  const [first, second] = table.rows;
  const faults = (before: Table | undefined, now: Table): readonly string[] =>
    differences(before, now).faults;
  assert.deepEqual(faults(table, { ...table, rows: [first!] }), ["h3 was not run"]);
  assert.deepEqual(faults({ ...table, rows: [first!] }, table), ["h3 is new"]);
  assert.deepEqual(faults(table, { ...table, rows: [second!, first!] }), ["its rows are in another order"]);
  assert.deepEqual(faults(table, { ...table, head: "router" }), ["it has other columns"]);
  assert.deepEqual(faults(undefined, table), ["there is no such table yet"]);
});

test("tableProblems: rows twice, cells of no column and cells that break a table are found", () => {
  assert.deepEqual(tableProblems("x", table), []);
  const [first] = table.rows;
  assert.deepEqual(tableProblems("x", { ...table, rows: [first!, first!] }), [
    "docs/compatibility/x.json has the row Hono twice",
  ]);
  assert.deepEqual(tableProblems("x", withCell("Bun", "yes")), [
    "docs/compatibility/x.json: Hono has a cell Bun that no table can show",
  ]);
  assert.equal(tableProblems("x", withCell("Deno", "a | b")).length, 1);
  assert.deepEqual(tableProblems("x", { ...table, rows: [] }), ["docs/compatibility/x.json has no row"]);
});

const page = (asked: string, between = ""): string =>
  `Before.\n\n<!-- compatibility ${asked} -->\n${between}<!-- end of compatibility -->\n\nAfter.\n`;

test("filled: a page gets the table between its comments, and keeps what is around them", () => {
  const tables = new Map([["frameworks", table]]);
  const whole = filled("README.md", page("frameworks: version"), tables);
  assert.deepEqual(whole.problems, []);
  assert.equal(whole.text, page("frameworks: version", `\n${markdownOf(table, ["version"])}\n\n`));
  assert.deepEqual(filled("README.md", whole.text, tables), whole, "filled once, it stays as it is");
});

test("filled: a table or a column that does not exist is a problem, and the page stays as it is", () => {
  const tables = new Map([["frameworks", table]]);
  for (const asked of ["browsers", "frameworks: version, Node"]) {
    const { text, problems } = filled("README.md", page(asked), tables);
    assert.equal(text, page(asked));
    assert.equal(problems.length, 1, asked);
  }
});
