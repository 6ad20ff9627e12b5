/**
 * `deno task inspector`: puts the page of the inspector, `src/inspector/page/`, into `src/inspector/page.ts` (`--write`),
 * or says whether it is there as it should be. So the package needs no file beside its modules, and no bundler.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const folder = new URL("../src/inspector/page/", import.meta.url);
const target = new URL("../src/inspector/page.ts", import.meta.url);

const unprotected =
  '<section class="banner" aria-labelledby="open-title"><h2 id="open-title">No access check protects this page</h2>' +
  "<p>It answers requests of its own machine, as far as that can be known. A proxy on the same machine that adds no field " +
  "such as X-Forwarded-For looks like one. Before the site goes online, give <code>inspector()</code> the option " +
  "<code>authorize</code>: this page shows addresses of pages and names of documents.</p></section>";

function read(name: string): string {
  return readFileSync(new URL(name, folder), "utf8");
}

/** Without comments, and without the spaces that indent lines: a browser needs neither. */
function tightened(text: string): string {
  return text.replace(/^[ \t]*\/\*\*?[^]*?\*\/\n?/gm, "").replace(/^[ \t]*\/\/.*\n/gm, "").replace(
    /^[ \t]+/gm,
    "",
  )
    .replace(/\/\*\* @type [^]*?\*\/ ?/g, "").replace(/\n{2,}/g, "\n").trim();
}

function hash(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** The module, as it should be. */
export function pageModule(): string {
  const style = tightened(read("page.css"));
  const script = tightened(read("page.js"));
  const policy = [
    "default-src 'none'",
    `style-src ${hash(style)}`,
    `script-src ${hash(script)}`,
    "connect-src 'self'",
    "img-src data:",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  const html = read("page.html").replace(/^[ \t]+/gm, "");
  const filled = html.replace(/\n\/\* style \*\/\n/, () => style).replace(
    /\n\/\* script \*\/\n/,
    () => script,
  );
  const [before, after] = filled.split("<!-- unprotected -->\n") as [string, string];
  const [beforeCauses, afterCauses] = after.split("\n/* causes */\n") as [string, string];
  return [
    "// Written by `deno task inspector --write` from src/inspector/page/: change it there.",
    "// deno-fmt-ignore-file",
    "/**",
    " * The page of the inspector: markup, stylesheet and script in one document.",
    " *",
    " * @module",
    " */",
    'import { causes } from "../why/causes.ts";',
    "",
    "/** Nothing but this style and this script, nothing from elsewhere, in no frame. */",
    `export const contentSecurityPolicy: string = ${JSON.stringify(policy)};`,
    "",
    "/**",
    " * The document.",
    " *",
    " * @param isUnprotected Whether it says that no access check protects it.",
    " */",
    "export function page(isUnprotected: boolean): string {",
    '  const data = JSON.stringify(causes).replaceAll("<", "\\\\u003c");',
    '  return `${before}${isUnprotected ? unprotected : ""}${between}${data}${after}`;',
    "}",
    "",
    `const unprotected = ${literal(unprotected)};`,
    "",
    `const before = ${literal(before)};`,
    "",
    `const between = ${literal(beforeCauses)};`,
    "",
    `const after = ${literal(afterCauses)};`,
    "",
  ].join("\n");
}

/** A text as a template literal that keeps its lines. */
function literal(text: string): string {
  return `\`${text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${")}\``;
}

if (import.meta.main) {
  const wanted = pageModule();
  if (Deno.args.includes("--write")) {
    Deno.writeTextFileSync(target, wanted);
    console.log(`src/inspector/page.ts: ${wanted.length} characters`);
  } else if (Deno.readTextFileSync(target) !== wanted) {
    console.error("src/inspector/page.ts is not what src/inspector/page/ gives: deno task inspector --write");
    Deno.exit(1);
  }
}
