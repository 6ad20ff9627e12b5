/** Hono: its etag middleware, as far as it answers conditions; which digest it takes is its own. */
import { inm, type Lines } from "../row.ts";
import { GET, type PublicRow, type PublicTable, says } from "./row.ts";

const TAG = '"4e32298b1cb4edc595237405e5b696e105c2399a"';
const WHOLE: Lines = [
  ["etag", TAG],
  ["cache-control", "public, max-age=120"],
  ["date", "Mon, Feb 27 2023 12:08:36 GMT"],
  ["expires", "Mon, Feb 27 2023 12:10:36 GMT"],
  ["server", "Upstream 1.2"],
  ["vary", "Accept-Language"],
];

function row(
  name: string,
  headers: Lines,
  response: Lines,
  theirs: number,
  more: Partial<PublicRow> = {},
): PublicRow {
  return { ...says(name, "13.1.2", GET, headers, response, theirs), ...more };
}

/** The table. */
export const HONO: PublicTable = {
  project: "Hono",
  source: "honojs/hono src/middleware/etag/index.test.ts",
  rows: [
    row("no condition", [], WHOLE, 200, { kept: ["etag", "server"] }),
    row("another tag", inm('"not the right etag"'), WHOLE, 200),
    row("the tag: what the 304 keeps", inm(TAG), WHOLE, 304, {
      kept: ["etag", "cache-control", "expires", "vary"],
      dropped: ["server"],
    }),
    row("the tag among others", inm(`"mismatch 1", ${TAG}, "mismatch 2"`), WHOLE, 304),
    row("a tag of the handler stays", [], [["etag", '"f-0194-d"']], 200, { kept: ["etag"] }),
    row(
      "other fields go",
      inm(TAG),
      [["etag", TAG], ["x-message", "Hello!"], ["cache-control", "public"]],
      304,
      {
        kept: ["cache-control"],
        dropped: ["x-message"],
      },
    ),
    row("a weak tag of ours is still that tag", inm(TAG), [["etag", `W/${TAG}`]], 304, { kept: ["etag"] }),
  ],
};
