/**
 * Bundles of the library as applications have them: made and minified by esbuild, gzipped, and taken apart by file.
 *
 * `deno run -A tests/package/bundles.ts` prints what each weighs; with a name, what each of its files weighs.
 *
 * @module
 */
import { build, type Plugin, stop } from "esbuild";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What an application imports, and what it must not pay for. */
export interface BundleRules {
  /** The module, relative to the repository. */
  readonly from: string;
  /** What is imported of it; default: all. */
  readonly names?: readonly string[];
  /** Files, and folders with a slash at the end, of which nothing may be in the bundle. */
  readonly without: readonly string[];
  /** Bytes that the bundle may have, gzipped: a few per cent more than it has. */
  readonly most: number;
}

const http = (...names: readonly string[]): string[] => names.map((name) => `src/http/${name}.ts`);
const feeds = ["src/couchdb/", "src/postgres/", "src/sqlite/", "src/nano.ts", "src/pouchdb.ts"];
const rooms = ["src/http/", "src/registry/", "src/handler/"];
const reader = ["transport", "client", "options"].map((name) => `src/couchdb/connection/${name}.ts`)
  .concat("src/couchdb/reader/", "src/couchdb/wire/row_scanner.ts");
/** What the seam between a source and the registry has, but for its errors and its deadline. */
const sources = [
  "back_off",
  "batch_queue",
  "callback",
  "change",
  "clock",
  "map_feed",
  "own_feed",
  "source_reader",
].map((name) => `src/changes/${name}.ts`);

/** By what is imported. */
export const bundles: Readonly<Record<string, BundleRules>> = {
  "everything of .": { from: "mod.ts", without: feeds, most: 42_800 },
  "withEtag": {
    from: "mod.ts",
    names: ["withEtag"],
    without: [...feeds, "src/registry/follow.ts", "src/changes/changes_error.ts"],
    most: 33_300,
  },
  "EtagRegistry": {
    from: "mod.ts",
    names: ["EtagRegistry"],
    without: [
      ...[...feeds, "src/handler/", "src/registry/follow.ts", "src/changes/changes_error.ts"],
      ...http("preconditions", "selected_representation", "http_date", "cache_control"),
      ...http("cache_groups", "structured_field_list", "cdn_tags", "problem_details"),
    ],
    most: 15_600,
  },
  "follow": {
    from: "mod.ts",
    names: ["follow"],
    without: [...feeds, "src/http/", "src/handler/", "src/registry/entry_store.ts"],
    most: 2_920,
  },
  "followOnDemand": {
    from: "mod.ts",
    names: ["followOnDemand"],
    without: [...feeds, "src/http/", "src/handler/", "src/registry/entry_store.ts", "src/registry/follow.ts"],
    most: 2_520,
  },
  "group, groupBy": {
    from: "mod.ts",
    names: ["group", "groupBy"],
    without: [
      ...[...feeds, "src/handler/", "src/registry/core.ts", "src/registry/follow.ts"],
      ...http(
        "cache_groups",
        "structured_field_list",
        "cdn_tags",
        "sha256",
        "preconditions",
        "entity_tag_list",
      ),
    ],
    most: 3_300,
  },
  "ownFeed": { from: "mod.ts", names: ["ownFeed"], without: [...feeds, ...rooms], most: 3_080 },
  "evaluatePreconditions": {
    from: "mod.ts",
    names: ["evaluatePreconditions"],
    without: [
      ...[...feeds, "src/changes/", "src/registry/", "src/handler/"],
      ...http("dependency", "cache_groups", "structured_field_list", "cdn_tags", "problem_details", "sha256"),
    ],
    most: 1_500,
  },
  "dependsOn, invalidates": {
    from: "mod.ts",
    names: ["dependsOn", "invalidates"],
    without: [
      ...[...feeds, "src/changes/", "src/registry/", "src/handler/"],
      ...http("structured_field_list", "cdn_tags", "sha256", "preconditions", "entity_tag_list", "http_date"),
    ],
    most: 1_070,
  },
  "revisionOf": {
    from: "mod.ts",
    names: ["revisionOf"],
    without: [
      ...[...feeds, "src/changes/", "src/registry/"],
      ...http("dependency", "cache_groups", "problem_details", "sha256", "http_date"),
    ],
    most: 940,
  },
  "conflictResponse": {
    from: "mod.ts",
    names: ["conflictResponse"],
    without: [
      ...[...feeds, "src/changes/", "src/registry/"],
      ...http("dependency", "cache_groups", "sha256", "preconditions", "entity_tag_list", "http_date"),
    ],
    most: 1_020,
  },
  "everything of ./reads": {
    from: "src/reads/reads.ts",
    without: [...feeds, "src/handler/miss.ts", "src/registry/core.ts", "src/registry/follow.ts"],
    most: 7_400,
  },
  "everything of ./proxy": {
    from: "src/proxy/proxy.ts",
    without: [...feeds, "src/proxy/command/", "src/registry/follow.ts"],
    most: 36_300,
  },
  "everything of ./why": {
    from: "src/why/why.ts",
    without: [...feeds, "src/handler/", "src/registry/follow.ts"],
    most: 5_300,
  },
  "everything of ./inspector": {
    from: "src/inspector/inspector.ts",
    without: [...feeds, "src/handler/", "src/registry/follow.ts", "src/metrics/"],
    most: 26_600,
  },
  "everything of ./metrics": {
    from: "src/metrics/metrics.ts",
    without: [...feeds, "src/handler/", "src/registry/follow.ts"],
    most: 3_700,
  },
  "ChangesError": { from: "mod.ts", names: ["ChangesError"], without: [...feeds, ...rooms], most: 180 },
  "everything of ./couchdb": {
    from: "src/couchdb/changes.ts",
    without: [...rooms, "src/nano.ts", "src/pouchdb.ts"],
    most: 17_200,
  },
  "changes of ./couchdb": {
    from: "src/couchdb/changes.ts",
    names: ["changes"],
    without: ["cookie_session", "current_revision", "database_updates"].map((name) =>
      `src/couchdb/${name}.ts`
    )
      .concat(rooms),
    most: 15_600,
  },
  "currentRevision of ./couchdb": {
    from: "src/couchdb/changes.ts",
    names: ["currentRevision"],
    without: [...rooms, ...reader, ...sources, "src/changes/changes_error.ts"],
    most: 1_520,
  },
  "cookieSession of ./couchdb": {
    from: "src/couchdb/changes.ts",
    names: ["cookieSession"],
    without: [...rooms, ...reader, ...sources],
    most: 2_330,
  },
  "everything of ./nano": { from: "src/nano.ts", without: [...rooms, "src/pouchdb.ts"], most: 15_900 },
  "everything of ./hono": {
    from: "src/hono/etag.ts",
    without: [...feeds, "src/registry/follow.ts", "src/changes/changes_error.ts"],
    most: 33_900,
  },
  "everything of ./pouchdb": {
    from: "src/pouchdb.ts",
    without: ["transport", "client", "body_reader"].map((name) => `src/couchdb/connection/${name}.ts`)
      .concat(rooms, "src/nano.ts", "src/couchdb/wire/row_scanner.ts"),
    most: 11_800,
  },
};

/** What a bundler made. */
export interface Bundle {
  /** Bytes of each file of which anything is left. */
  readonly files: Readonly<Record<string, number>>;
  /** Bytes of the whole. */
  readonly gzipped: number;
}

/** What a bundler does that reads `"sideEffects": false` in `package.json`: a module that gives no name is left out. */
const readPackageJson: Plugin = {
  name: "sideEffects: false",
  setup({ onResolve, resolve }) {
    onResolve({ filter: /^\./ }, async ({ path, resolveDir, kind, pluginData }) => {
      if (pluginData === "resolved") return undefined;
      const { path: file } = await resolve(path, { resolveDir, kind, pluginData: "resolved" });
      return { path: file, sideEffects: false };
    });
  },
};

/**
 * Makes a bundle.
 *
 * @param readsPackageJson Whether the bundler is told that no module has side effects; otherwise it looks for itself.
 */
export async function bundle(
  { from, names }: Pick<BundleRules, "from" | "names">,
  readsPackageJson: boolean,
): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `export ${names === undefined ? "*" : `{ ${names.join(", ")} }`} from "./${from}";`,
      resolveDir: root,
    },
    bundle: true,
    external: ["node:async_hooks"],
    minify: true,
    format: "esm",
    target: "es2022",
    metafile: true,
    write: false,
    plugins: readsPackageJson ? [readPackageJson] : [],
  });
  const inputs = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs));
  const files = inputs.map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
    .filter(([path, bytes]) => path !== "<stdin>" && bytes > 0);
  return {
    files: Object.fromEntries(files),
    gzipped: gzipSync(outputFiles[0]!.contents, { level: 9 }).length,
  };
}

/** A sentence for each file that must not be in the bundle, and one if it weighs too much. */
export function bundleProblems({ files, gzipped }: Bundle, { without, most }: BundleRules): string[] {
  const foreign = Object.keys(files).filter((file) =>
    without.some((place) => file === place || place.endsWith("/") && file.startsWith(place))
  );
  const heavy = gzipped > most ? [`it has ${gzipped} bytes, ${gzipped - most} more than it may`] : [];
  return [...foreign.map((file) => `it has ${files[file]} bytes of ${file}`), ...heavy];
}

async function main([only]: readonly string[]): Promise<void> {
  const row = (name: string, ...cells: (string | number)[]): void =>
    console.log(name.padEnd(44) + cells.map((cell) => String(cell).padStart(18)).join(""));
  row("gzipped", "bytes", "sideEffects: false", "may have");
  for (const [name, rules] of Object.entries(bundles)) {
    if (only !== undefined && name !== only) continue;
    const made = await bundle(rules, false);
    row(name, made.gzipped, (await bundle(rules, true)).gzipped, rules.most);
    for (const problem of bundleProblems(made, rules)) console.log(`  ${problem}`);
    if (only === undefined) continue;
    for (const [file, bytes] of Object.entries(made.files).sort(([, a], [, b]) => b - a)) row(file, bytes);
  }
  await stop();
}

if (import.meta.main) await main(process.argv.slice(2));
