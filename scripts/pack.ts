/**
 * `deno task pack`: the npm tarball, ready for `npm publish`.
 *
 * `deno pack` compiles the modules and writes the `exports` of `package.json`. It leaves out the fields of `deno.json`
 * that only npm reads: they are copied here. And it writes documentation into the code as well as into the types, where
 * editors look for it: in the code it is left out here. That of what is not public is in the repository.
 *
 * @module
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { deno, manifest, root } from "./run.ts";
import { replaceFile, unpack } from "./tarball.ts";

const encoder = new TextEncoder();

/** A comment of documentation, with what stands before it in its line. */
const DOCUMENTATION = /^([ \t]*)\/\*\*[^]*?\*\/ ?/gm;

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
  let tar = new Uint8Array(gunzipSync(await Deno.readFile(path)));
  const files = unpack(tar);
  for (const [name, content] of files) {
    const text = new TextDecoder().decode(content);
    if (name === "package/package.json") {
      const fields = { ...JSON.parse(text), ...npmFields() };
      tar = replaceFile(tar, name, encoder.encode(JSON.stringify(fields, undefined, 2) + "\n"));
    } else if (name.endsWith(".js")) {
      tar = replaceFile(tar, name, encoder.encode(text.replace(DOCUMENTATION, "$1")));
    }
  }
  await Deno.writeFile(path, gzipSync(tar, { level: 9 }));
}

/** What only npm reads; the addresses all come from the one of the repository. */
function npmFields(): Record<string, unknown> {
  const { description, keywords, repository, engines, sideEffects, bin } = manifest();
  return {
    description,
    keywords,
    homepage: `${repository}#readme`,
    bugs: `${repository}/issues`,
    repository: { type: "git", url: `git+${repository}.git` },
    engines,
    sideEffects,
    bin,
  };
}

if (import.meta.main) {
  const { name, version } = manifest();
  const file = `${name.replace("@", "").replace("/", "-")}-${version}.tgz`;
  await pack(`${root}${file}`);
  console.log(file);
}
