/**
 * Holds the layers of `src`: an import goes to a strictly lower layer, never sideways and never up.
 *
 * @module
 */
import { deno, filesUnder, manifest, root } from "./run.ts";

/** Where each file of `src` stands, lowest first: a file may import from earlier rows only. */
export const rows: readonly (readonly string[])[] = [
  // Grammar, small shared types, data structures: each stands alone.
  [
    "cache_control.ts",
    "etagc.ts",
    "hashed_ids.ts",
    "http_date.ts",
    "problem.ts",
    "sharded_map.ts",
    "string_list.ts",
    "vary.ts",
  ],
  ["clock.ts", "group.ts", "reason.ts", "sha256.ts", "shared_init.ts", "sieve.ts", "validators.ts"],
  ["entity_tag_list.ts", "lease.ts"],
  ["entity_tag.ts"],
  // The seam between any source of changes and the registry.
  ["change.ts"],
  ["changes_error.ts"],
  // One concept each, no Response in sight.
  ["cache_groups.ts", "cache_status.ts", "mint.ts", "preconditions.ts", "storing.ts"],
  ["group_fields.ts", "validator.ts"],
  ["current.ts"],
  // The registry, from its parts up.
  ["change_memory.ts", "groups.ts", "seat.ts"],
  ["entry.ts"],
  ["prepared_init.ts", "snapshot.ts"],
  ["seats.ts"],
  ["entries.ts"],
  ["registry_options.ts"],
  ["registry.ts"],
  // Responses, and the registry's followers and users.
  ["follow.ts", "responses.ts", "site.ts"],
  ["validation.ts"],
  ["invalidation.ts", "registration.ts", "writing.ts"],
  // The one file that knows the whole story.
  ["with_etag.ts"],
];

/** Files and folders that nothing else in `src` imports, and what outside themselves they may import. */
export const leaves: Readonly<Record<string, readonly string[]>> = {
  "couchdb/": ["change.ts", "changes_error.ts", "clock.ts"],
  // The same feed from other sources.
  "nano.ts": ["couchdb/"],
  "pouchdb.ts": ["change.ts", "changes_error.ts", "couchdb/"],
};

/** Which modules a module imports, types included; paths relative to the repository, anything else as written. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** A sentence for each import of `src` that breaks a layer, and for each file that stands in none. */
export function layerProblems(graph: Graph): string[] {
  return [...graph].filter(([file]) => file.startsWith("src/")).flatMap(([file, imports]) => {
    const name = file.slice("src/".length);
    const leaf = leafOf(name);
    if (leaf === undefined && rowOf(name) < 0) {
      return [`${file} stands in no layer: give it a row in scripts/layers.ts`];
    }
    return imports.flatMap((target) => {
      const why = target.startsWith("src/")
        ? importProblem(name, leaf, target.slice("src/".length))
        : "leaves src";
      return why === undefined ? [] : [`${file} imports ${target}, which ${why}`];
    });
  });
}

function importProblem(name: string, leaf: string | undefined, target: string): string | undefined {
  if (leaf !== undefined) {
    const allowed = leafOf(target) === leaf || leaves[leaf]?.some((granted) => isWithin(granted, target));
    return allowed ? undefined : `the leaf src/${leaf} may not see`;
  }
  if (leafOf(target) !== undefined) return "is a leaf: nothing imports it";
  // A target in no row is reported for itself.
  if (rowOf(target) < rowOf(name)) return undefined;
  return rowOf(target) === rowOf(name) ? "stands in the same layer" : "stands in a higher layer";
}

function rowOf(name: string): number {
  return rows.findIndex((row) => row.includes(name));
}

function leafOf(name: string): string | undefined {
  return Object.keys(leaves).find((leaf) => isWithin(leaf, name));
}

/** Whether a file is this one, or in this folder. */
function isWithin(path: string, file: string): boolean {
  return path.endsWith("/") ? file.startsWith(path) : file === path;
}

/** What `deno info --json` says of a module. */
interface ModuleInfo {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string };
    readonly type?: { readonly specifier?: string };
  }[];
}

/** The graph of everything exported, and of every file of `src` besides. */
export async function readGraph(): Promise<Graph> {
  const base = new URL("..", import.meta.url).href;
  const relative = (specifier: string): string =>
    specifier.startsWith(base) ? specifier.slice(base.length) : specifier;
  const graph = new Map<string, string[]>();
  const exported = Object.values(manifest().exports).map((path) => path.replace(/^\.\//, ""));
  for (const entry of [...exported, ...filesUnder("src/").filter((path) => path.endsWith(".ts"))]) {
    if (graph.has(entry)) continue;
    const { code, stdout, output } = await deno(["info", "--json", `${root}${entry}`]);
    if (code !== 0) throw new Error(`deno info ${entry} failed:\n${output}`);
    for (const module of (JSON.parse(stdout) as { modules: ModuleInfo[] }).modules) {
      const imports = (module.dependencies ?? []).map((dependency) =>
        relative(dependency.code?.specifier ?? dependency.type?.specifier ?? dependency.specifier)
      );
      graph.set(relative(module.specifier), imports);
    }
  }
  return graph;
}

if (import.meta.main) {
  const problems = layerProblems(await readGraph());
  for (const problem of problems) console.log(problem);
  Deno.exit(problems.length === 0 ? 0 : 1);
}
