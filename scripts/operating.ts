/**
 * `deno task operating`: the tables of docs/operating.md that show what the library has, the families of metrics and the
 * reasons. `--write` puts them there; without it the task, and a test, say whether they are as the library has them.
 *
 * @module
 */
import { EtagRegistry, follow, ownFeed, type Reason } from "../mod.ts";
import { type MetricFamily, metrics } from "../src/metrics/metrics.ts";
import { causes } from "../src/why/causes.ts";

/** A table, by its lines and cells; the first line is its head. */
type Table = readonly (readonly string[])[];

/** The families that one registry with one feed has. */
async function families(): Promise<readonly MetricFamily[]> {
  const registry = new EtagRegistry();
  const follower = follow(registry, ownFeed(() => {}, { onlyWriter: true }));
  const all = metrics({ registry }).families();
  await follower.close();
  return all;
}

/** The tables by the name that the comments around them have. */
export async function operatingTables(): Promise<Readonly<Record<string, Table>>> {
  const all = await families();
  const named = all.map(({ name, type, help, samples: [first] }): readonly string[] => {
    const labels = Object.keys(first!.labels).filter((label) => label !== "le");
    const suffix = type === "counter" ? "_total" : "";
    return [`\`${name}${suffix}${labels.length === 0 ? "" : `{${labels.join()}}`}\``, type, help];
  });
  const reasons = all.filter(({ name }) => name !== "stillfresh_saved_bytes").flatMap(({ name, samples }) =>
    samples.map(({ labels }) => labels["reason"] ?? labels["outcome"])
      .filter((reason): reason is Reason =>
        reason !== undefined && reason in causes && !name.includes("_feed_")
      )
      .map((reason) => [`\`${reason}\``, `\`${name}_total\``, causes[reason].meaning, causes[reason].cure])
  );
  return {
    families: [["name", "type", "what it means"], ...named],
    reasons: [["reason", "family", "what it means", "what to do"], ...reasons],
  };
}

/** The cells of the table between its comments, without the line below the head. */
export function cellsBetween(page: string, name: string): Table {
  const [, between] =
    new RegExp(`<!-- metrics ${name} -->([^]*)<!-- end of metrics ${name} -->`).exec(page) ?? [];
  const lines = (between ?? "").split("\n").filter((line) => line.startsWith("|"));
  return lines.filter((_, at) => at !== 1)
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim()));
}

/** The page with the tables. */
function withTables(page: string, tables: Readonly<Record<string, Table>>): string {
  return Object.entries(tables).reduce((text, [name, [head, ...rows]]) => {
    const lines = [head!, head!.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join(
      "\n",
    );
    const place = new RegExp(`(<!-- metrics ${name} -->\n)[^]*(\n<!-- end of metrics ${name} -->)`);
    return text.replace(place, (_, start, end) => `${start}\n${lines}\n${end}`);
  }, page);
}

if (import.meta.main) {
  const path = new URL("../docs/operating.md", import.meta.url);
  const page = Deno.readTextFileSync(path);
  const tables = await operatingTables();
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(path, withTables(page, tables));
    await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", path.pathname] }).output();
    console.log(`wrote ${Object.keys(tables).join(" and ")} to docs/operating.md`);
  } else {
    const wrong = Object.keys(tables).filter((name) =>
      JSON.stringify(cellsBetween(page, name)) !== JSON.stringify(tables[name])
    );
    for (const name of wrong) {
      console.log(
        `docs/operating.md: the table of ${name} is not the library's; deno task operating --write`,
      );
    }
    if (wrong.length === 0) {
      console.log("docs/operating.md has the families and reasons that the library has");
    }
    Deno.exit(wrong.length === 0 ? 0 : 1);
  }
}
