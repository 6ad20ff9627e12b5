/**
 * The npm tarball, as its reader gets it: packed, looked into, installed into an empty project, type-checked under
 * both module resolutions that matter, judged by `publint` and `attw`, and run on Node 20, Node 24, Bun and Deno.
 *
 * `deno task package` does so on Node 22 and 26 as well; what came of it has to be what
 * `docs/compatibility/runtimes.json` says, and `--write` writes it.
 *
 * @module
 */
import { record, type Row } from "./compatibility.ts";
import { closingLine, nothing, sum, type Tally } from "./junit.ts";
import { pack } from "./pack.ts";
import { filesUnder, manifest, type Outcome, root, run } from "./run.ts";
import { bunRuntime, denoRuntime, nodeRuntime, type Runtime } from "./runtimes.ts";

/** What the tarball may weigh, unpacked. */
const maxBytes = 870_000;
const typescript = "typescript@5.9.3";

/** The programs of a package, as its `package.json` has them. */
type Bin = string | Readonly<Record<string, string>>;

/** A claim about the tarball; what makes it false is thrown. */
interface Check {
  readonly claim: string;
  readonly holds: () => Promise<void> | void;
}

/**
 * Packs, installs and checks; one line per claim.
 *
 * @param nodes Major versions of the Nodes that it is run on; default: 20 and 24.
 * @param rows Gets what came of it on each runtime.
 */
export async function checkPackage(nodes: readonly number[] = [20, 24], rows: Row[] = []): Promise<Tally> {
  const folder = await Deno.makeTempDir();
  const tallies: Tally[] = [];
  try {
    const bun = await bunRuntime();
    const runtimes = [denoRuntime(), bun, ...await Promise.all(nodes.map(nodeRuntime))];
    for (const { claim, holds } of [...tarballChecks(folder, bun), ...typeChecks(folder, bun)]) {
      tallies.push(await judge(claim, holds));
    }
    for (const runtime of runtimes) {
      const { name, version } = runtime;
      const tally = await judge(`works on ${name} ${version}`, () => works(folder, runtime));
      tallies.push(tally);
      const title = name === "Node" ? `Node ${parseInt(version)}` : name;
      rows.push({ name: title, cells: { version, result: tally.failed === 0 ? "yes" : "no" } });
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  const total = sum(tallies);
  console.log(`npm tarball: ${closingLine(total)}`);
  return total;
}

async function judge(claim: string, holds: Check["holds"]): Promise<Tally> {
  try {
    await holds();
    return { ...nothing, passed: 1 };
  } catch (error) {
    console.log(`  FAILED: npm tarball ${claim}\n${error instanceof Error ? error.message : error}`);
    return { ...nothing, failed: 1 };
  }
}

/** `deno pack`, and what the tarball consists of. */
function tarballChecks(folder: string, bun: Runtime): Check[] {
  const project = `${folder}/project`;
  const judgedBy = async (name: string, ...options: readonly string[]): Promise<void> => {
    const judge = `${root}tests/node_modules/${name}`;
    const { bin } = JSON.parse(await Deno.readTextFile(`${judge}/package.json`)) as { bin: Bin };
    const program = typeof bin === "string" ? bin : Object.values(bin)[0]!;
    succeed(await run(bun.path, [`${judge}/${program}`, `${folder}/package.tgz`, ...options]));
  };
  const installed = `${project}/node_modules/${manifest().name}`;
  return [
    {
      claim: "is packed from deno.json",
      holds: () => pack(`${folder}/package.tgz`, { allowDirty: true }),
    },
    {
      claim: "installs into an empty project",
      holds: async () => {
        await Deno.mkdir(project);
        const dependencies = { [manifest().name]: `file:${folder}/package.tgz` };
        const [name = "", version] = typescript.split("@");
        const text = JSON.stringify({ type: "module", dependencies, devDependencies: { [name]: version } });
        await Deno.writeTextFile(`${project}/package.json`, text);
        succeed(await run(bun.path, ["install"], { cwd: project }));
      },
    },
    { claim: "has no dependency", holds: () => hasNoDependency(`${installed}/package.json`) },
    { claim: "says what npm's page shows", holds: () => describesItself(`${installed}/package.json`) },
    {
      claim: "carries compiled modules, their types, README, CHANGELOG and LICENSE, and nothing else",
      holds: () => carriesOnlyItself(installed),
    },
    { claim: `unpacks to at most ${maxBytes} bytes, without source maps`, holds: () => isSmall(installed) },
    { claim: "is right for publint --strict", holds: () => judgedBy("publint", "--strict") },
    // The package has only modules, so what a `require` or the resolution of Node 10 would find is not asked.
    { claim: "is right for attw", holds: () => judgedBy("@arethetypeswrong/cli", "--profile", "esm-only") },
    {
      claim: "has documents whose links hold elsewhere",
      holds: () => linksHold(installed),
    },
  ];
}

function hasNoDependency(path: string): void {
  const fields = JSON.parse(Deno.readTextFileSync(path)) as Record<string, unknown>;
  const found = Object.keys(fields).filter((field) => /dependencies$/i.test(field) || field === "scripts");
  if (found.length > 0) throw new Error(`its package.json has ${found.join(", ")}`);
}

function carriesOnlyItself(installed: string): void {
  const documents = ["package.json", "README.md", "CHANGELOG.md", "LICENSE"];
  // Bun leaves a note of where it unpacked from.
  const files = listing(installed).filter((file) => file !== ".bun-tag");
  const missing = [...documents, "mod.js", "mod.d.ts"].filter((file) => !files.includes(file));
  const foreign = files.filter((file) =>
    !documents.includes(file) && !/^(mod|src\/[\w/]+)(\.js|\.d\.ts)$/.test(file)
  );
  if (missing.length > 0) throw new Error(`it lacks ${missing.join(", ")}`);
  if (foreign.length > 0) throw new Error(`it also carries ${foreign.join(", ")}`);
}

function describesItself(path: string): void {
  const fields = JSON.parse(Deno.readTextFileSync(path)) as Record<string, unknown>;
  const expected = ["description", "keywords", "homepage", "bugs", "repository", "engines", "license"];
  const missing = expected.filter((field) => fields[field] === undefined);
  if (missing.length > 0) throw new Error(`its package.json has no ${missing.join(", ")}`);
  if (fields["sideEffects"] !== false) {
    throw new Error("its package.json does not say that it has no side effects");
  }
}

function isSmall(installed: string): void {
  const files = listing(installed);
  const bytes = files.reduce((sum, file) => sum + Deno.statSync(`${installed}/${file}`).size, 0);
  if (bytes > maxBytes) throw new Error(`it unpacks to ${bytes} bytes`);
  const mapped = files.filter((file) =>
    Deno.readTextFileSync(`${installed}/${file}`).includes("# sourceMappingURL=")
  );
  if (mapped.length > 0) throw new Error(`${mapped.join(", ")} have a source map`);
}

/** Where the package is shown, the rest of the repository is not beside its documents. */
function linksHold(installed: string): void {
  for (const document of ["README.md", "CHANGELOG.md"]) {
    const text = Deno.readTextFileSync(`${installed}/${document}`);
    const targets = Array.from(text.matchAll(/\]\(([^)\s]+)/g), ([, target]) => target!);
    const broken = targets.filter((target) => !holds(target));
    if (broken.length > 0) throw new Error(`${document} links to ${broken.join(", ")}`);
  }
}

/** Whether a link leads anywhere from any page: to another site, within its own, or to a file of the main branch. */
function holds(target: string): boolean {
  const { repository } = manifest();
  if (!target.startsWith(repository)) return /^(https?:|#)/.test(target);
  const [, path] = /^\/(?:blob|tree|raw)\/main\/([^#]+)/.exec(target.slice(repository.length)) ?? [];
  return path !== undefined && filesUnder().some((file) => `${file}/`.startsWith(path.replace(/\/?$/, "/")));
}

function listing(folder: string, prefix = ""): string[] {
  return [...Deno.readDirSync(`${folder}/${prefix}`)].flatMap(({ name, isDirectory }) =>
    isDirectory ? listing(folder, `${prefix}${name}/`) : [`${prefix}${name}`]
  );
}

/** The program in `tests/package`, compiled against the installed types. */
function typeChecks(folder: string, bun: Runtime): Check[] {
  const project = `${folder}/project`;
  const resolutions = [["es2022", "bundler"], ["nodenext", "nodenext"]] as const;
  return resolutions.map(([module, moduleResolution]): Check => ({
    claim: `type-checks, strict, with moduleResolution ${moduleResolution}`,
    holds: async () => {
      await Deno.copyFile(`${root}tests/package/consumer.ts`, `${project}/consumer.ts`);
      await writeTsconfig(project, module, moduleResolution);
      succeed(await run(bun.path, ["node_modules/typescript/bin/tsc", "--project", "."], { cwd: project }));
    },
  }));
}

/** Runs what was compiled. */
async function works(folder: string, { name, path }: Runtime): Promise<void> {
  const flags = name === "Deno" ? ["run", "-A", "-q", "--no-lock", "--node-modules-dir=manual"] : [];
  const outcome = await run(path, [...flags, "out/consumer.js"], { cwd: `${folder}/project` });
  succeed(outcome);
  if (!outcome.stdout.includes("the package works")) throw new Error(`it printed ${outcome.output}`);
}

async function writeTsconfig(project: string, module: string, moduleResolution: string): Promise<void> {
  const lib = ["es2022", "esnext.disposable", "dom", "dom.iterable", "dom.asynciterable"];
  const compilerOptions = {
    strict: true,
    target: "es2022",
    lib,
    types: [],
    module,
    moduleResolution,
    outDir: "out",
  };
  await Deno.writeTextFile(
    `${project}/tsconfig.json`,
    JSON.stringify({ compilerOptions, files: ["consumer.ts"] }),
  );
}

function succeed({ code, output }: Outcome): void {
  if (code !== 0) throw new Error(`${output}\nexit code ${code}`);
}

if (import.meta.main) {
  const rows: Row[] = [];
  const { failed } = await checkPackage([20, 22, 24, 26], rows);
  const columns = ["version", "result"];
  const problems = record("runtimes", { task: "package", head: "runtime", columns, rows });
  for (const problem of problems) console.log(problem);
  Deno.exit(failed === 0 && problems.length === 0 ? 0 : 1);
}
