/** Random requests for a page whose tag and date are known. */
import { dateField, type Random, tagField } from "../support/generate.ts";
import { MODIFIED } from "./servers.ts";

/** A request for the page. */
export interface Asked {
  readonly method: "GET" | "HEAD";
  readonly lines: readonly (readonly [name: string, value: string])[];
}

/** The validators of the page, as its server sends them. */
export interface Validators {
  readonly etag: string;
  readonly lastModified: string;
}

/** A field value may hold a tab and no other control character: servers refuse the request for those. */
function sendable(value: string): string {
  return value.replace(/^[ \t]+|[ \t]+$/g, "");
}

/** Any request. */
export function anyRequest(random: Random, { etag }: Validators): Asked {
  const tags = [
    etag,
    etag,
    etag,
    `W/${etag}`,
    '"x"',
    '""',
    '"x,y"',
    `"x,${etag.slice(1)}`,
    etag.slice(0, -1),
    "*",
    "x",
  ];
  const lines: [string, string][] = [];
  const add = (name: string, value: string) => lines.push([name, sendable(value)]);
  if (random.oneIn(3)) add("If-Match", tagField(random, tags));
  if (random.oneIn(3)) add("If-Unmodified-Since", dateField(random, MODIFIED));
  if (random.oneIn(2)) add("If-None-Match", tagField(random, tags));
  if (random.oneIn(3)) add("If-Modified-Since", dateField(random, MODIFIED));
  // Platforms differ in how they join an empty line with the next, so a repeated one says something.
  if (random.oneIn(10)) {
    const again = random.pick(["If-Match", "If-None-Match"]);
    if (!lines.some(([name, value]) => name === again && value === "")) add(again, tagField(random, tags));
  }
  if (random.oneIn(12)) add("Range", random.pick(["bytes=0-3", "bytes=900-", "bytes=x"]));
  if (random.oneIn(12)) add("If-Range", random.oneIn(2) ? random.pick(tags) : dateField(random, MODIFIED));
  return { method: random.oneIn(4) ? "HEAD" : "GET", lines };
}
