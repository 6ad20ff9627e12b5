/**
 * Holds the snippets of README and docs: each block of TypeScript is checked by the compiler and run, with the names that it
 * leaves to the reader's program from `tests/docs/snippets/world.ts`.
 *
 * A comment before a block says what is different about it: `<!-- refused -->`: the compiler refuses it, which is what the
 * page says; `<!-- throws -->`: it throws.
 *
 * @module
 */
import { deno, filesUnder, manifest, root } from "./run.ts";

const world = new URL("../tests/docs/snippets/world.ts", import.meta.url).href;

/** A block of TypeScript on a page. */
export interface Snippet {
  /** The page. */
  readonly page: string;
  /** Its first line, from 1 on. */
  readonly line: number;
  readonly code: string;
  /** What the page says of it. */
  readonly expects: "runs" | "throws" | "refused";
}

/** The snippets of a page. */
export function snippetsOf(page: string, text: string): Snippet[] {
  const blocks = text.matchAll(
    /(?:<!-- (?<expects>throws|refused) -->\s*\n)?^ *```ts\n(?<code>.*?)^ *```$/gms,
  );
  return Array.from(blocks, ({ index, 0: whole, groups }) => ({
    page,
    line: text.slice(0, index + whole.indexOf("```ts")).split("\n").length + 1,
    code: groups!["code"]!,
    expects: (groups!["expects"] ?? "runs") as Snippet["expects"],
  }));
}

/**
 * A module that runs a snippet: its statements are in a function, so that they shadow what the world has.
 *
 * @param names What the world has, and whether that is a type.
 * @param resolve The file behind a name that is imported.
 */
export function moduleOf(
  { page, line, code, expects }: Snippet,
  names: ReadonlyMap<string, boolean>,
  resolve: (name: string) => string = fileOf,
): string {
  // An instance of its own: no snippet follows a feed into the registry of another.
  const ownWorld = `${world}?${page}:${line}`;
  const [imports, imported]: [string[], string[]] = [[], []];
  const statements = code.replaceAll(/^import (.*?) from "([^"]+)";$/gms, (_, what: string, from: string) => {
    imported.push(what);
    imports.push(`import ${what} from "${resolve(from)}";`);
    return "";
  }).replaceAll(/^export default (.*);$/gm, "void ($1);").replaceAll(
    /^export (?=const|function|async)/gm,
    "",
  );
  const words = new Set(statements.replaceAll(/(?<!:)\/\/.*$/gm, "").match(NAME));
  for (const name of imported.join(" ").match(NAME) ?? []) words.delete(name);
  const used = [...words].filter((word) => names.has(word)).map((word) =>
    names.get(word) ? `type ${word}` : word
  );
  return [
    ...imports,
    `import { ${used.join(", ")} } from "${ownWorld}";`,
    "export async function run(): Promise<unknown> {",
    bodyOf(statements, expects),
    "}",
  ].join("\n");
}

/** The file behind a door of the package; any other name is a package of the tests. */
function fileOf(name: string): string {
  const { name: own, exports } = manifest();
  const path = exports[name.replace(own, ".")];
  return path === undefined ? name : new URL(`../${path}`, import.meta.url).href;
}

const NAME = /[A-Za-z_$][\w$]*/g;

function bodyOf(statements: string, expects: Snippet["expects"]): string {
  const isProperty = /^\s*(?:\/\/.*\n\s*)*\w+: /.test(statements);
  if (isProperty) {
    return `return ({ ${statements} }) satisfies import("${world}").WithEtagOptions & ResponseInit;`;
  }
  const lines = statements.split("\n");
  const last = lines.findLastIndex((line) => /^\w/.test(line));
  if (expects === "refused") lines.splice(last, 0, "// @ts-expect-error: the page says that it is refused.");
  return [...lines, "return undefined;"].join("\n");
}

/** A name of a module. */
interface Documented {
  readonly name: string;
  readonly declarations: readonly { readonly kind: string }[];
}

/** What `deno doc --json` says of a module. */
interface Documentation {
  readonly nodes: Readonly<Record<string, { readonly symbols: readonly Documented[] }>>;
}

/** A sentence for each snippet that the compiler refuses, or that throws. */
export async function snippetProblems(): Promise<string> {
  const pages = ["README.md", ...filesUnder("docs/").filter((path) => /^docs\/[^/]+\.md$/.test(path))];
  const snippets = pages.flatMap((page) => snippetsOf(page, Deno.readTextFileSync(`${root}${page}`)));
  const documented = await deno(["doc", "-q", "--json", world]);
  const { nodes } = JSON.parse(documented.stdout) as Documentation;
  const names = new Map(
    Object.values(nodes).flatMap(({ symbols }) => symbols).map(({ name, declarations: [first] }) =>
      [name, first!.kind === "interface" || first!.kind === "typeAlias"] as const
    ),
  );
  // Inside, so that the packages of the tests are found from there.
  const folder = await Deno.makeTempDir({ dir: `${root}tests/docs/snippets`, prefix: "run-" });
  const files = snippets.map(({ page, line }) => `${page.replaceAll("/", "_")}_${line}.ts`);
  snippets.forEach((snippet, i) => Deno.writeTextFileSync(`${folder}/${files[i]}`, moduleOf(snippet, names)));
  await Deno.writeTextFile(`${folder}/all.ts`, runnerOf(snippets, files));
  const { code, output } = await deno([
    ...["run", "-A", "-q", "--check", "--node-modules-dir=manual", "--config", `${root}deno.json`],
    `${folder}/all.ts`,
  ]);
  await Deno.remove(folder, { recursive: true });
  return code === 0 ? "" : output.replaceAll(folder, "snippets");
}

/** The program that runs all of them: one that goes on, such as over a live feed, has run when it has begun. */
function runnerOf(snippets: readonly Snippet[], files: readonly string[]): string {
  const rows = snippets.map(({ page, line, expects }, i) =>
    `  { name: "${page}:${line}", expects: "${expects}", run: (await import("./${files[i]}")).run },`
  );
  return `const begun = () => new Promise<undefined>((resolve) => setTimeout(resolve, 50, undefined));
let failures = 0;
for (const { name, expects, run } of [
${rows.join("\n")}
]) {
  const thrown = await Promise.race([run().then(() => undefined, (error: unknown) => ({ error })), begun()]);
  if (expects === "refused" || (thrown !== undefined) === (expects === "throws")) continue;
  failures++;
  console.log(name, thrown === undefined ? "does not throw" : thrown.error);
}
Deno.exit(failures === 0 ? 0 : 1);
`;
}

if (import.meta.main) {
  const problems = await snippetProblems();
  console.log(problems || "each snippet is checked, and runs");
  Deno.exit(problems === "" ? 0 : 1);
}
