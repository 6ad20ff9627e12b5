/**
 * `deno task proxies`: the caches of `examples/proxies` as real programs, each in front of a site of its own: 1,000
 * requests for 100 pages with 20 edits in between, in a minute. Fails if an answer is older than its header allows, or if
 * the table in `docs/caches.md` says something else. `--write` writes the table.
 *
 * @module
 */
import { cacheControls, caches } from "../tests/proxies/caches.ts";
import { type Figures, Load, runAll } from "../tests/proxies/load.ts";
import { record, type Row as CompatibilityRow } from "./compatibility.ts";
import { withProgress } from "./progress.ts";
import { deno, root, run } from "./run.ts";

const PLAN = { pages: 100, requests: 1_000, edits: 20, seconds: 60, seed: 18 };
/** The least share of the requests that reached the site without the handler, where the cache revalidates. */
const LEAST_SHARE = 0.8;
/** By how much a count may differ from the page's: times are not the same in two runs. */
const TOLERANCE = 0.15;

const page = `${root}docs/caches.md`;
const [begin, end] = ["<!-- proxies -->", "<!-- /proxies -->"];
const header = [
  ...["cache", "header", "reached the site", "conditional", "our 304s", "handler runs"],
  ...["without the handler", "hits", "304s to clients", "oldest", "wrong"],
];

interface Row {
  readonly name: string;
  readonly cacheControl: string;
  readonly revalidates: boolean;
  readonly figures: Figures;
}

const share = ({ reached, handlerRuns }: Figures): number => (reached - handlerRuns) / reached;
const percent = (part: number): string => `${Math.round(100 * part)} %`;

function cells({ name, cacheControl, figures }: Row): string[] {
  const { requests, reached, conditional, notModified, handlerRuns, confirmed, oldest, wrong } = figures;
  return [
    ...[name, `\`${cacheControl}\``, `${reached}`, `${conditional}`, `${notModified}`, `${handlerRuns}`],
    ...[percent(share(figures)), `${requests - reached}`, `${confirmed}`],
    ...[oldest === 0 ? "0" : `${(oldest / 1_000).toFixed(1)} s`, `${wrong.length}`],
  ];
}

const line = (values: readonly string[]): string => `| ${values.join(" | ")} |`;

function complaints({ name, cacheControl, revalidates, figures }: Row): string[] {
  const what = `${name}, ${cacheControl}`;
  const { wrong } = figures;
  const found = wrong.slice(0, 5).map((text) => `${what}: ${text}`);
  if (revalidates && share(figures) < LEAST_SHARE) {
    found.push(`${what}: ${percent(share(figures))} without the handler`);
  }
  return found;
}

/** What README shows: whether each cache gives what the header allows, and keeps pages. */
async function summary(rows: readonly Row[]): Promise<CompatibilityRow[]> {
  const found: CompatibilityRow[] = [];
  for (const { name, version } of Object.values(caches)) {
    const own = rows.filter((row) => row.name === name);
    if (own.length === 0) continue;
    const [program, ...args] = version;
    const { output } = await run(program!, args);
    const cells: Record<string, string> = { version: /\d+\.\d+(?:\.\d+)*/.exec(output)?.[0] ?? "" };
    for (const { cacheControl, revalidates, figures: { wrong } } of own) {
      const isKept = cacheControl === cacheControls.kept;
      cells[isKept ? "s-maxage" : "no-cache"] = wrong.length > 0
        ? "wrong"
        : revalidates
        ? "yes, keeps and revalidates"
        : isKept
        ? "yes, keeps"
        : "yes, keeps nothing";
    }
    found.push({ name, cells });
  }
  return found;
}

/** Where the page says something else: counts within the tolerance, all else exactly. */
function differences(written: string, rows: readonly Row[]): string[] {
  const read = written.split("\n").filter((text) => text.startsWith("|")).slice(2)
    .map((text) => text.split("|").slice(1, -1).map((cell) => cell.trim()));
  return rows.flatMap((row) => {
    const measured = cells(row);
    const said = read.find((values) => values[0] === measured[0] && values[1] === measured[1]);
    if (said === undefined) return [`docs/caches.md has no row for ${row.name}, ${row.cacheControl}`];
    return measured.flatMap((value, column) => {
      const [here, there] = [value, said[column] ?? ""].map((text) => Number.parseFloat(text)) as [
        number,
        number,
      ];
      const isAlike = column < 2 || header[column] === "oldest" ||
        Math.abs(here - there) <= TOLERANCE * Math.max(here, there) + (header[column] === "wrong" ? 0 : 15);
      return isAlike ? [] : [
        `docs/caches.md: ${row.name}, ${row.cacheControl}, ${header[column]}: ${said[column]}, now ${value}`,
      ];
    });
  });
}

async function main(args: readonly string[]): Promise<number> {
  const loads: Record<string, () => Promise<Load>> = {};
  const missing: string[] = [];
  for (const [key, { installed, packages, modes, start }] of Object.entries(caches)) {
    if (!installed) missing.push(...packages);
    else {for (const mode of modes) {
        loads[`${key} ${mode}`] = () => Load.open(start, { ...PLAN, cacheControl: cacheControls[mode] });
      }}
  }
  if (missing.length > 0) {
    console.log(`SKIPPED: caches that are not installed; apt-get install ${[...new Set(missing)].join(" ")}`);
  }
  const figures = await withProgress("caches in front", () => runAll(loads));
  const rows = Object.entries(caches).flatMap(([key, { name, modes, revalidates }]) =>
    modes.flatMap((mode): Row[] => {
      const found = figures[`${key} ${mode}`];
      const cacheControl = cacheControls[mode];
      return found === undefined
        ? []
        : [{ name, cacheControl, revalidates: revalidates.includes(mode), figures: found }];
    })
  );
  const table = [line(header), line(header.map(() => "---")), ...rows.map((row) => line(cells(row)))].join(
    "\n",
  );
  console.log(table);
  const found = rows.flatMap(complaints);
  const text = await Deno.readTextFile(page);
  const [before, rest] = [text.slice(0, text.indexOf(begin) + begin.length), text.slice(text.indexOf(end))];
  if (args.includes("--write") && missing.length === 0) {
    await Deno.writeTextFile(page, `${before}\n\n${table}\n\n${rest}`);
    await deno(["fmt", "-q", page]);
  } else found.push(...differences(text.slice(before.length, text.indexOf(end)), rows));
  if (missing.length === 0) {
    const [task, head, columns] = ["proxies", "cache in front", ["version", "no-cache", "s-maxage"]];
    found.push(...record("caches", { task, head, columns, rows: await summary(rows) }));
  }
  for (const complaint of found) console.log(complaint);
  const wrong = rows.reduce((sum, row) => sum + row.figures.wrong.length, 0);
  console.log(`${rows.length} runs of ${PLAN.requests} requests, ${wrong} wrong, ${found.length} complaints`);
  return found.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
