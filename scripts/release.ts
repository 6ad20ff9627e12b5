/**
 * `deno task release`: whether what a tag would publish is what the tests ran.
 *
 * `deno task test`, whole and without a failure, leaves `tested.json`: a digest of each file that would go to JSR and of
 * each file of the npm tarball. `deno task release --check` makes both anew and compares them, and the version with the
 * tag and the heading of CHANGELOG. `--publish` does the same, and then publishes the tarball that was compared.
 *
 * The tag is the one that GitHub says (`GITHUB_REF_NAME`), else `--tag=v1.2.3`, else the one at this commit.
 *
 * @module
 */
import { pack } from "./pack.ts";
import { deno, manifest, type Outcome, root, run } from "./run.ts";
import { gunzipSync } from "node:zlib";
import { unpack } from "./tarball.ts";

/** What a run of all tests leaves. */
const file = "tested.json";

/** The digest of each file, by its path. */
export type Digests = Readonly<Record<string, string>>;

/** What would be published. */
export interface Publication {
  readonly version: string;
  /** What JSR gets: files of the tree. */
  readonly jsr: Digests;
  /** What npm gets: files of the tarball. */
  readonly npm: Digests;
}

/** SHA-256, in hexadecimal. */
async function digest(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function digests(files: Iterable<readonly [string, Uint8Array<ArrayBuffer>]>): Promise<Digests> {
  const found: [string, string][] = [];
  for (const [path, bytes] of files) found.push([path, await digest(bytes)]);
  return Object.fromEntries(found.sort(([a], [b]) => a < b ? -1 : 1));
}

/** The paths in what `deno publish --dry-run` prints, relative to the tree. */
export function publishedPaths(output: string, tree: string): string[] {
  const base = new URL(`file://${tree.startsWith("/") ? "" : "/"}${tree}`).href;
  return Array.from(output.matchAll(/^\s+(file:\/\/\S+) \([\d.]+\w+\)$/gm), ([, url]) => url!)
    .map((url) => decodeURIComponent(url.startsWith(base) ? url.slice(base.length) : url)).sort();
}

/** What would be published from the tree as it is. */
export async function publication(tarball: string): Promise<Publication> {
  const { code, output } = await deno(["publish", "--dry-run", "--allow-dirty"]);
  if (code !== 0) throw new Error(`deno publish --dry-run ended with exit code ${code}:\n${output}`);
  const paths = publishedPaths(output, root);
  if (!paths.includes("mod.ts")) throw new Error(`deno publish --dry-run named no mod.ts:\n${output}`);
  await pack(tarball, { allowDirty: true });
  const packed = unpack(new Uint8Array(gunzipSync(await Deno.readFile(tarball))));
  return {
    version: manifest().version,
    jsr: await digests(paths.map((path) => [path, Deno.readFileSync(`${root}${path}`)] as const)),
    npm: await digests(Array.from(packed, ([path, bytes]) => [path, new Uint8Array(bytes)] as const)),
  };
}

/** Leaves what the tests ran. */
export async function noteTested(): Promise<void> {
  const folder = await Deno.makeTempDir();
  const tested = await publication(`${folder}/package.tgz`);
  await Deno.remove(folder, { recursive: true });
  await Deno.writeTextFile(`${root}${file}`, JSON.stringify(tested, undefined, 2) + "\n");
}

/** Forgets what earlier tests ran: a run that fails, or is ended, leaves nothing. */
export async function forgetTested(): Promise<void> {
  await Deno.remove(`${root}${file}`).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}

/** A sentence for each difference between what was tested and what would be published. */
export function differencesOf(tested: Publication, now: Publication): string[] {
  const found = tested.version === now.version
    ? []
    : [`the tests ran version ${tested.version}, deno.json says ${now.version}`];
  for (const where of ["jsr", "npm"] as const) {
    for (const path of new Set([...Object.keys(tested[where]), ...Object.keys(now[where])])) {
      const [was, is] = [tested[where][path], now[where][path]];
      if (was === is) continue;
      const what = was === undefined ? "was not tested" : is === undefined ? "would be missing" : "differs";
      found.push(`${where}: ${path} ${what}`);
    }
  }
  return found;
}

/**
 * A sentence for each of version, tag and heading that is not the same.
 *
 * @param version As in `deno.json`.
 * @param tag Such as `v0.1.0`; undefined: there is none.
 * @param changelog The text of CHANGELOG.md.
 */
export function versionProblems(version: string, tag: string | undefined, changelog: string): string[] {
  const heading = /^## (.+)$/m.exec(changelog)?.[1]?.trim();
  return [
    ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`the version ${version} is no semantic version`]),
    ...(heading === version ? [] : [`CHANGELOG.md begins with ${heading}, deno.json says ${version}`]),
    ...(tag === undefined || tag === `v${version}` ? [] : [`the tag is ${tag}, deno.json says ${version}`]),
  ];
}

/** The tag of this release, where there is one. */
async function tagOf(args: readonly string[]): Promise<string | undefined> {
  if (Deno.env.get("GITHUB_REF_TYPE") === "tag") return Deno.env.get("GITHUB_REF_NAME");
  const given = args.find((arg) => arg.startsWith("--tag="))?.slice("--tag=".length);
  if (given !== undefined) return given;
  const { code, stdout } = await run("git", ["describe", "--tags", "--exact-match"]);
  return code === 0 ? stdout.trim() : undefined;
}

/** A sentence for each file of the tree that is not as it is committed. */
async function uncommitted(): Promise<string[]> {
  const { code, stdout, output } = await run("git", ["status", "--porcelain"]);
  if (code !== 0) return [`git status ended with exit code ${code}: ${output}`];
  return stdout.split("\n").filter((line) => line !== "").map((line) => `not committed: ${line.slice(3)}`);
}

function readTested(): Publication | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(`${root}${file}`)) as Publication;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function succeed(outcome: Promise<Outcome>): Promise<void> {
  const { code, output } = await outcome;
  console.log(output);
  if (code !== 0) Deno.exit(code);
}

async function main(args: readonly string[]): Promise<number> {
  const isPublishing = args.includes("--publish");
  if (!isPublishing && !args.includes("--check")) {
    console.log("deno task release --check compares; --publish compares and publishes");
    return 1;
  }
  const { name, version } = manifest();
  const tarball = `${root}${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  const tag = await tagOf(args);
  const now = await publication(tarball);
  const tested = readTested();
  const problems = [
    ...versionProblems(version, tag, Deno.readTextFileSync(`${root}CHANGELOG.md`)),
    ...await uncommitted(),
    ...(tested === undefined
      ? [`there is no ${file}: deno task test writes it, when all tests have passed`]
      : differencesOf(tested, now)),
    ...(isPublishing && tag === undefined ? ["there is no tag"] : []),
  ];
  for (const problem of problems) console.log(problem);
  const files = `${Object.keys(now.jsr).length} files for JSR, ${Object.keys(now.npm).length} for npm`;
  console.log(`release ${version}, tag ${tag ?? "none"}: ${files}, ${problems.length} problems`);
  if (problems.length > 0) return 1;
  if (isPublishing) {
    await succeed(deno(["publish"]));
    await succeed(run("npm", ["publish", tarball, "--provenance", "--access", "public"]));
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
