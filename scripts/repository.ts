/**
 * What no file of the repository may contain, and how long a file of `src` may be.
 *
 * @module
 */
import { filesUnder, root } from "./run.ts";

/** Lines of a source file: one concept fits. */
const maxLines = 250;

/** Each pattern with what it gives away. Written so that this file does not match itself. */
const forbidden: readonly (readonly [RegExp, string])[] = [
  [/(?<![\w.:/$}-])\/(tmp|work|root|home|Users)\/\w/, "a path of one machine"],
  [/registry[.]npmjs[.]|\bnpm[.]jsr[.]|\bjsr[.]io\b|registry[.]yarnpkg[.]/, "the host of a package registry"],
  [/\b(TO[D]O|FIX[M]E|XX[X])\b/, "a note to self"],
];

/** A sentence for each line that does not belong here. */
export function problemsIn(path: string, text: string): string[] {
  const lines = text.split("\n");
  const found = lines.flatMap((line, index) =>
    forbidden.filter(([pattern]) => pattern.test(line)).map(([, what]) =>
      `${path}:${index + 1} contains ${what}`
    )
  );
  const tooLong = path.startsWith("src/") && lines.length - 1 > maxLines;
  return tooLong ? [...found, `${path} has ${lines.length - 1} lines, more than ${maxLines}`] : found;
}

/** The problems of every file, captured bytes apart: those are as the database sent them. */
export function repositoryProblems(): string[] {
  return filesUnder().filter((path) =>
    !path.startsWith("tests/couchdb-wire/") && !/\.(png|jpg|ico|tgz)$/.test(path)
  )
    .flatMap((path) => problemsIn(path, Deno.readTextFileSync(`${root}${path}`)));
}
