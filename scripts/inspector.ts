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
  return [
    "// Written by `deno task inspector --write` from src/inspector/page/: change it there.",
    "// deno-fmt-ignore-file",
    "/**",
    " * The page of the inspector: markup, stylesheet and script in one document.",
    " *",
    " * @module",
    " */",
    'import { reasonFamilies } from "../registry/reason.ts";',
    'import { causes } from "../why/causes.ts";',
    "",
    "/** Nothing but this style and this script, nothing from elsewhere, in no frame. */",
    `export const contentSecurityPolicy: string = ${JSON.stringify(policy)};`,
    "",
    "/** What the document says of itself, and offers. */",
    "export interface PageFacts {",
    "  /** Whether no access check protects it. */",
    "  readonly isUnprotected: boolean;",
    "  /** Whether entries can be voided. */",
    "  readonly canVoid: boolean;",
    "  /** Whether values of clients are hidden. */",
    "  readonly hidesValues: boolean;",
    "}",
    "",
    "/** The document. */",
    "export function page({ isUnprotected, canVoid, hidesValues }: PageFacts): string {",
    '  const data = JSON.stringify({ causes, families: reasonFamilies }).replaceAll("<", "\\u003c");',
    `  return ${literal(filled)};`,
    "}",
    "",
  ].join("\n");
}

/** A part of the markup that is there if a fact is one, or unless it is. */
const CONDITIONAL = /<!-- (if|unless) (\w+) -->\n([^]*?)<!-- end -->\n/g;

/** A text as a template literal that keeps its lines, with the causes and the conditional parts in their places. */
function literal(text: string): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("`", "\\`").replaceAll("${", "\\${");
  const filled = escaped.replace("\n/* causes */\n", () => "${data}")
    .replace(
      CONDITIONAL,
      (_, word, fact, part) => `\${${word === "if" ? fact : `!${fact}`} ? \`${part}\` : ""}`,
    );
  return `\`${filled}\``;
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
