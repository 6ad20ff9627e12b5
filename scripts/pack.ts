/**
 * `deno task pack`: the npm tarball, ready for `npm publish`.
 *
 * `deno pack` compiles the modules and writes the `exports` of `package.json`. The fields of `deno.json` that only npm
 * reads it leaves out, so they are copied here.
 *
 * @module
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { deno, manifest, root } from "./run.ts";
import { replaceFile, unpack } from "./tarball.ts";

/**
 * Packs the working tree.
 *
 * @param path Where the tarball goes.
 * @param options `allowDirty` packs changes that are not committed as well; default: false, they are an error.
 */
export async function pack(path: string, options: { readonly allowDirty?: boolean } = {}): Promise<void> {
  const dirty = options.allowDirty ? ["--allow-dirty"] : [];
  const { code, output } = await deno(["pack", "-q", "--no-source-maps", ...dirty, "-o", path]);
  if (code !== 0) throw new Error(`deno pack ended with exit code ${code}:\n${output}`);
  const tar = gunzipSync(await Deno.readFile(path));
  const fields = unpack(tar).get("package/package.json");
  const complete = { ...JSON.parse(new TextDecoder().decode(fields)), ...npmFields() };
  const text = new TextEncoder().encode(JSON.stringify(complete, undefined, 2) + "\n");
  await Deno.writeFile(path, gzipSync(replaceFile(tar, "package/package.json", text), { level: 9 }));
}

/** What only npm reads; the addresses all come from the one of the repository. */
function npmFields(): Record<string, unknown> {
  const { description, keywords, repository, engines, sideEffects } = manifest();
  return {
    description,
    keywords,
    homepage: `${repository}#readme`,
    bugs: `${repository}/issues`,
    repository: { type: "git", url: `git+${repository}.git` },
    engines,
    sideEffects,
  };
}

if (import.meta.main) {
  const { name, version } = manifest();
  const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  await pack(`${root}${file}`);
  console.log(file);
}
