/**
 * Holds the layers of `src`: the rules below, each read as "a folder may import from these", and no circle among
 * the files of one folder.
 *
 * @module
 */
import { deno, filesUnder, manifest, root } from "./run.ts";

/** Which folders a folder of `src` may import from, besides itself. */
export const layers: Readonly<Record<string, readonly string[]>> = {
  "http/": [],
  "changes/": [],
  "registry/": ["changes/", "http/"],
  "handler/": ["registry/", "changes/", "http/"],
  "couchdb/": ["changes/"],
  "mysql/": ["changes/"],
  "postgres/": ["changes/"],
  "sqlite/": ["changes/"],
  "why/": ["registry/"],
  "metrics/": ["registry/", "http/"],
  "inspector/": ["why/", "registry/", "http/"],
  "reads/": ["handler/", "registry/", "http/"],
  "hono/": ["handler/", "registry/", "changes/", "http/"],
  "proxy/command/": ["proxy/", "metrics/", "couchdb/", "registry/", "changes/"],
  "proxy/": ["handler/", "registry/", "changes/", "http/"],
};

/** Imports that are no web standards: Deno, Bun and Node have them, and the rooms that need them are leaves. */
const beyondTheWeb: Readonly<Record<string, readonly string[]>> = {
  "src/reads/": ["node:async_hooks"],
  "src/proxy/command/": ["node:http", "node:https", "node:net", "node:process"],
};

function isBeyondTheWeb(file: string, target: string): boolean {
  return Object.entries(beyondTheWeb).some(([room, targets]) =>
    file.startsWith(room) && targets.includes(target)
  );
}

/** The same within `couchdb`: what is read off the wire, the connection that brings it, the reader that makes sense of it. */
const couchdbLayers: typeof layers = {
  "couchdb/wire/": ["changes/"],
  "couchdb/connection/": ["couchdb/wire/", "changes/"],
  "couchdb/reader/": ["couchdb/connection/", "couchdb/wire/", "changes/"],
};

/** Which modules a module imports, types included; paths relative to the repository, anything else as written. */
export type Graph = ReadonlyMap<string, readonly string[]>;

/** What a file may import from. A file of `src` itself is a leaf: a door onto the feeds, which nothing imports. */
function allowedFor(file: string): readonly string[] | undefined {
  for (const rules of [couchdbLayers, layers]) {
    const folder = Object.keys(rules).find((folder) => file.startsWith(folder));
    if (folder !== undefined) return [folder, ...rules[folder]!];
  }
  return file.includes("/") ? undefined : ["couchdb/", "changes/"];
}

/** A sentence for each import of `src` that goes up, and for each circle of files. */
export function layerProblems(graph: Graph): string[] {
  return [...upwardImports(graph), ...circles(graph)];
}

function upwardImports(graph: Graph): string[] {
  return [...graph].filter(([file]) => file.startsWith("src/")).flatMap(([file, imports]) => {
    const allowed = allowedFor(file.slice("src/".length));
    if (allowed === undefined) return [`${file} is in no folder that scripts/layers.ts knows`];
    const strangers = imports.filter((target) =>
      !isBeyondTheWeb(file, target) && !allowed.some((folder) => target.startsWith(`src/${folder}`))
    );
    return strangers.map((target) => `${file} imports ${target}, which its layer may not see`);
  });
}

/** Each circle once, named from where the search came upon it. */
function circles(graph: Graph): string[] {
  const finished = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file);
    if (at >= 0) found.push(`a circle: ${[...trail.slice(at), file].join(" imports ")}`);
    if (at >= 0 || finished.has(file)) return;
    for (const target of graph.get(file) ?? []) visit(target, [...trail, file]);
    finished.add(file);
  };
  for (const file of graph.keys()) if (file.startsWith("src/")) visit(file, []);
  return found;
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
