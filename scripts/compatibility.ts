/**
 * `deno task compatibility`: the tables of what the library was run with. Each is a file of `docs/compatibility/`,
 * written by the task that ran it (`--write`), and shown by the pages that ask for it with a pair of comments:
 *
 * ```md
 * <!-- compatibility frameworks: version, Deno, Bun, Node -->
 * <!-- end of compatibility -->
 * ```
 *
 * Without columns after the name, all are shown. `deno task compatibility --write` puts the tables between the comments;
 * without `--write` the task, and `deno task ok`, say which page does not agree with its files.
 *
 * @module
 */
import { filesUnder, root } from "./run.ts";

/** Where the files are. */
const folder = "docs/compatibility/";

/** The column that says which version was run: another one on another machine is no fault. */
const VERSION = "version";

/** One thing that the library was run with. */
export interface Row {
  /** Such as `Hono`; a name stands once in a table. */
  readonly name: string;
  /** The cell of each column, as text; a column without one is shown as `–`. */
  readonly cells: Readonly<Record<string, string>>;
}

/** What one task found out. */
export interface Table {
  /** The task that writes it, such as `frameworks`. */
  readonly task: string;
  /** Head of the first column, such as `framework`. */
  readonly head: string;
  /** The other columns, from left to right; one named `version` may differ from machine to machine. */
  readonly columns: readonly string[];
  /** Whether its cells are figures, which differ from run to run: written when asked to, and never compared. */
  readonly measured?: boolean;
  /** The rows, in the order shown. */
  readonly rows: readonly Row[];
}

/** The text of a table's file. */
export function tableText(table: Table): string {
  return JSON.stringify(table, undefined, 2) + "\n";
}

/** A sentence for each thing about a table that makes no sense. */
export function tableProblems(name: string, { columns, rows, task }: Table): string[] {
  const path = `${folder}${name}.json`;
  const twice = (names: readonly string[]): string[] => names.filter((one, at) => names.indexOf(one) !== at);
  return [
    ...(task === "" ? [`${path} does not say which task wrote it`] : []),
    ...(rows.length === 0 ? [`${path} has no row`] : []),
    ...twice(columns).map((column) => `${path} has the column ${column} twice`),
    ...twice(rows.map(({ name }) => name)).map((row) => `${path} has the row ${row} twice`),
    ...rows.flatMap(({ name, cells }) =>
      Object.entries(cells).filter(([column, cell]) => !columns.includes(column) || /[|\n]/.test(cell))
        .map(([column]) => `${path}: ${name} has a cell ${column} that no table can show`)
    ),
  ];
}

/**
 * What a run found, beside what the file says.
 *
 * @param before What the file says; undefined: there is none.
 * @param now What the run found.
 * @returns A sentence for each difference: `faults` are results, `notes` are versions.
 */
export function differences(
  before: Table | undefined,
  now: Table,
): { readonly faults: readonly string[]; readonly notes: readonly string[] } {
  if (before === undefined) return { faults: ["there is no such table yet"], notes: [] };
  const [faults, notes]: [string[], string[]] = [[], []];
  if (before.columns.join() !== now.columns.join() || before.head !== now.head || before.task !== now.task) {
    faults.push("it has other columns");
  }
  const names = [...new Set([...before.rows, ...now.rows].map(({ name }) => name))];
  for (const name of names) {
    const [was, is] = [before, now].map(({ rows }) => rows.find((row) => row.name === name)?.cells);
    if (was === undefined || is === undefined) {
      faults.push(was === undefined ? `${name} is new` : `${name} was not run`);
      continue;
    }
    for (const column of new Set([...before.columns, ...now.columns])) {
      if (was[column] === is[column]) continue;
      const sentence = `${name}, ${column}: the table says ${was[column]}, this run ${is[column]}`;
      (column === VERSION ? notes : faults).push(sentence);
    }
  }
  if (faults.length === 0 && before.rows.some(({ name }, at) => now.rows[at]?.name !== name)) {
    faults.push("its rows are in another order");
  }
  return { faults, notes };
}

/**
 * Called by a task with what it found: with `write` it becomes the table, and the pages show it; otherwise it has to
 * agree with the table. Versions may differ, which is said.
 *
 * @param name Of the file, without `.json`.
 * @param table What was found.
 * @param write Whether the file is written; default: whether the program was called with `--write`.
 * @returns A sentence for each result that the table does not have; empty when nothing is wrong.
 */
export function record(name: string, table: Table, write: boolean = Deno.args.includes("--write")): string[] {
  const problems = tableProblems(name, table);
  if (problems.length > 0) return problems;
  if (write) {
    Deno.writeTextFileSync(`${root}${folder}${name}.json`, tableText(table));
    return updatePages(true);
  }
  if (table.measured) return [];
  const { faults, notes } = differences(readTables().get(name), table);
  for (const note of notes) console.log(`${folder}${name}.json: ${note}`);
  return faults.map((fault) => `${folder}${name}.json: ${fault}; deno task ${table.task} --write`);
}

/** Every table, by the name of its file. */
export function readTables(): Map<string, Table> {
  const paths = filesUnder(folder).filter((path) => path.endsWith(".json"));
  return new Map(paths.map((path) => [
    path.slice(folder.length, -".json".length),
    JSON.parse(Deno.readTextFileSync(`${root}${path}`)) as Table,
  ]));
}

/** The lines of a table in Markdown, aligned as `deno fmt` aligns them. */
export function markdownOf(table: Table, columns: readonly string[] = table.columns): string {
  const cells = [
    [table.head, ...columns],
    ...table.rows.map((row) => [row.name, ...columns.map((column) => row.cells[column] ?? "–")]),
  ];
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]!.length), 3));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column]!)).join(" | ")} |`;
  return [line(cells[0]!), line(widths.map((width) => "-".repeat(width))), ...cells.slice(1).map(line)].join(
    "\n",
  );
}

const place =
  /(<!-- compatibility (?<name>[\w-]+)(?:: (?<columns>[^>]+?))? -->\n)[^]*?(<!-- end of compatibility -->)/g;

/**
 * A page with the tables that it asks for.
 *
 * @returns The text, and a sentence for each table or column that does not exist.
 */
export function filled(
  path: string,
  text: string,
  tables: ReadonlyMap<string, Table>,
): { readonly text: string; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const replaced = text.replace(place, (whole, start, name, list: string | undefined, end) => {
    const table = tables.get(name);
    const columns = list?.split(",").map((column) => column.trim());
    const missing = columns?.filter((column) => !table?.columns.includes(column)) ?? [];
    if (table === undefined) problems.push(`${path} shows ${folder}${name}.json, which does not exist`);
    for (const column of missing) {
      problems.push(`${path} shows a column ${column}, which ${name} does not have`);
    }
    if (table === undefined || missing.length > 0) return whole;
    return `${start}\n${markdownOf(table, columns)}\n\n${end}`;
  });
  return { text: replaced, problems };
}

/**
 * Fills or compares every page.
 *
 * @param write Whether pages that do not agree are written; else that is a problem.
 * @returns A sentence for each problem, among them each table that no page shows.
 */
export function updatePages(write: boolean): string[] {
  const tables = readTables();
  const problems = [...tables].flatMap(([name, table]) => tableProblems(name, table));
  const shown = new Set<string>();
  const guides = filesUnder("docs/").filter((path) => path.endsWith(".md") && !path.startsWith(folder));
  for (const path of ["README.md", ...guides]) {
    const before = Deno.readTextFileSync(`${root}${path}`);
    for (const { groups } of before.matchAll(place)) shown.add(groups!["name"]!);
    const { text, problems: missing } = filled(path, before, tables);
    problems.push(...missing);
    if (text === before) continue;
    if (write) Deno.writeTextFileSync(`${root}${path}`, text);
    else problems.push(`${path} does not agree with ${folder}; deno task compatibility --write`);
  }
  for (const name of tables.keys()) {
    if (!shown.has(name)) problems.push(`no page shows ${folder}${name}.json`);
  }
  return problems;
}

if (import.meta.main) {
  const problems = updatePages(Deno.args.includes("--write"));
  for (const problem of problems) console.log(problem);
  console.log(`${readTables().size} tables, ${problems.length} problems`);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
