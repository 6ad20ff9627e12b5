/**
 * What no file of the repository may contain: paths of one machine, hosts of package registries, notes to self, vague
 * words in prose, and names of files that do not exist.
 *
 * @module
 */
import { filesUnder, root } from "./run.ts";

/** Each pattern with what it gives away. Written so that this file does not match itself. */
const forbidden: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.:/$}-])\/(tmp|work|root|home|Users)\/\w/, "a path of one machine"],
  [/registry[.]npmjs[.]|\bnpm[.]jsr[.]|\bjsr[.]io\b|registry[.]yarnpkg[.]/, "the host of a package registry"],
  [/\b(TO[D]O|FIX[M]E|XX[X])\b/, "a note to self"],
];

/**
 * Where prose is held to plain English: these files, and all files of these folders.
 */
export const plainProse: readonly string[] = [
  "docs/",
  "examples/",
  "bench/NOTES.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "README.md",
  "mod.ts",
  "src/",
];

/** Words that hide what a sentence is about: a request, an entry, a feed, a caller, a maintainer. */
const vague = /\b(whoever|whomever|whosoever|somebody|someone|nobody|no\s+one)\b/gi;

/** A sentence for each line that does not belong here. */
export function problemsIn(path: string, text: string): string[] {
  const found = text.split("\n").flatMap((line, index) =>
    forbidden.filter(([pattern]) => pattern.test(line)).map(([, what]) =>
      `${path}:${index + 1} contains ${what}`
    )
  );
  const isPlain = plainProse.some((place) => path === place || place.endsWith("/") && path.startsWith(place));
  return isPlain ? [...found, ...vagueWordsIn(path, text)] : found;
}

/** A sentence for each vague word in the comments of a program, or in the text of a page. */
export function vagueWordsIn(path: string, text: string): string[] {
  if (!/\.(ts|md)$/.test(path)) return [];
  const prose = proseOf(path, text);
  return Array.from(prose.matchAll(vague), ({ index, 0: word }) => {
    const line = prose.slice(0, index).split("\n").length;
    return `${path}:${line} says "${
      word.replace(/\s+/, " ").toLowerCase()
    }": name what the sentence is about`;
  });
}

/** The comments of a program, or a page without its code; as many lines as the text has. */
function proseOf(path: string, text: string): string {
  const isPage = path.endsWith(".md");
  let inComment = isPage;
  let inExample = false;
  const lines = text.split("\n").map((line) => {
    if (!inComment) {
      const [, start, note = ""] = /^\s*(\/\*)|(?:^|\s)\/\/\s(.*)$/.exec(line) ?? [];
      if (start === undefined) return note;
      inComment = true;
    }
    const comment = isPage ? line : line.replace(/^\s*(\/\*\*?|\*(?!\/))/, "");
    if (!isPage && comment.includes("*/")) inComment = false;
    if (/^\s*```/.test(comment)) {
      inExample = !inExample;
      return "";
    }
    return inExample ? "" : comment;
  });
  // A piece of code may go over the end of a line, but not of a paragraph.
  return lines.join("\n").replace(/`(?:(?!\n\s*\n)[^`])*`/g, (code) => code.replace(/[^\n]+/g, ""));
}

/** A path in code, or that of a file in a room of `src`, as the pictures of docs/architecture.md have it. */
const namedFiles =
  /`((?:src|tests|scripts|bench|examples|docs)\/[\w/.-]*)`|(?<![\w/.-])((?:http|changes|registry|handler|couchdb)\/[\w/]+\.ts)/g;

/**
 * A sentence for each file that a page names, by its path or in a link, and that does not exist.
 *
 * @param exists Whether there is a file or folder at this path, relative to the repository.
 */
export function missingFilesIn(path: string, text: string, exists: (path: string) => boolean): string[] {
  const named = Array.from(text.matchAll(namedFiles), ([, whole, inSrc]) => whole ?? `src/${inSrc}`);
  const linked = Array.from(
    text.matchAll(/\]\((?!\w+:|#)([^)#\s]+)/g),
    ([, target]) => new URL(target!, `file:///${path}`).pathname.slice(1),
  );
  return [...new Set([...named, ...linked])].filter((target) => !exists(target)).map((target) =>
    `${path} names ${target}, which does not exist`
  );
}

const records = "docs/decisions/";
const index = `${records}README.md`;

/** A sentence for each decision record whose title, as it is, does not stand in the index. */
export function indexProblems(pages: ReadonlyMap<string, string>): string[] {
  const rows = (pages.get(index) ?? "").replaceAll(/ +/g, " ");
  return [...pages].filter(([path]) => /^docs\/decisions\/\d{3}-/.test(path)).flatMap(([path, text]) => {
    const file = path.slice(records.length);
    const title = /^# \d{3}: (.+)$/m.exec(text)?.[1];
    if (title === undefined) return [`${path} has no title "# ${file.slice(0, 3)}: …"`];
    const row = `| [${file.slice(0, 3)}](./${file}) | ${title} |`;
    return rows.includes(row) ? [] : [`${index} has no row ${row}`];
  });
}

/** The problems of every file, captured bytes apart: those are as the database sent them. */
export function repositoryProblems(): string[] {
  const all = filesUnder();
  const paths = all.filter((path) =>
    !path.startsWith("tests/couchdb-wire/") && !/\.(png|jpg|webp|ico|tgz)$/.test(path)
  );
  const texts = new Map(paths.map((path) => [path, Deno.readTextFileSync(`${root}${path}`)]));
  const pages = new Map([...texts].filter(([path]) => path.endsWith(".md")));
  const exists = (path: string): boolean =>
    all.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, "")}/`)) ||
    path.startsWith("tests/couchdb-wire");
  return [
    ...[...texts].flatMap(([path, text]) => problemsIn(path, text)),
    ...[...pages].flatMap(([path, text]) => missingFilesIn(path, text, exists)),
    ...indexProblems(pages),
  ];
}
