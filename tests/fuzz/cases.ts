/** Random cases for the whole wrapper. */
import {
  dateField,
  dateText,
  directiveField,
  type Random,
  tagField,
  varyField,
} from "../support/generate.ts";
import type { Page, WrapperCase } from "./wrapper.ts";

/** When the pages were last modified. */
const MODIFIED = 784111777;

const TAGS = [
  '"$"',
  '"$"',
  '"$"',
  'W/"$"',
  '"a"',
  'W/"a"',
  '"a,b"',
  '""',
  '"\xe9"',
  '"edited"',
  '"1-x"',
] as const;
const OWN_TAGS = ['"a"', 'W/"a"', '"a,b"', '""', '"\xe9"', "a", '"a b"'] as const;

function page(random: Random): Page {
  const status = random.oneIn(12) ? random.pick([201, 204, 206, 301, 304, 404, 412, 500]) : 200;
  return {
    status,
    declares: random.pick([
      "revision",
      "revision",
      "revision",
      "name",
      "nothing",
      random.oneIn(4) ? "malformed" : "name",
    ]),
    ...(random.oneIn(2)
      ? { etag: random.oneIn(6) ? random.pick(OWN_TAGS) : random.pick(OWN_TAGS.slice(0, 2)) }
      : {}),
    ...(random.oneIn(2)
      ? { lastModified: random.oneIn(10) ? dateField(random, MODIFIED) : dateText(MODIFIED, random.below(3)) }
      : {}),
    ...(random.oneIn(2)
      ? { cacheControl: random.oneIn(4) ? directiveField(random) : "public, no-cache" }
      : {}),
    ...(random.oneIn(4) ? { vary: random.oneIn(3) ? varyField(random) : "accept" } : {}),
    ...(random.oneIn(30) ? { cookie: true } : {}),
  };
}

function fields(random: Random): WrapperCase["fields"] {
  const lines: [string, string][] = [];
  if (random.oneIn(4)) lines.push(["if-match", tagField(random, TAGS)]);
  if (random.below(4) > 0) lines.push(["if-none-match", tagField(random, TAGS)]);
  if (random.oneIn(12)) lines.push(["if-none-match", tagField(random, TAGS)]);
  if (random.oneIn(5)) lines.push(["if-modified-since", dateField(random, MODIFIED)]);
  if (random.oneIn(4)) lines.push(["if-unmodified-since", dateField(random, MODIFIED)]);
  if (random.oneIn(12)) lines.push([random.pick(["cookie", "authorization"]), "x=1"]);
  if (random.oneIn(12)) lines.push(["accept", random.pick(["text/html", ""])]);
  if (random.oneIn(20)) lines.push(["range", "bytes=0-1"], ["if-range", random.pick(TAGS)]);
  if (random.oneIn(12)) lines.push(["cache-control", "no-cache"]);
  return lines;
}

/** A case, of anything that a handler and a client may do. */
export function wrapperCase(random: Random): WrapperCase {
  return {
    page: page(random),
    history: random.oneIn(2) ? "primed" : random.pick(["none", "invalidated", "edited", "suspended"]),
    method: random.oneIn(3)
      ? random.pick(["HEAD", "PUT", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "QUERY"])
      : "GET",
    fields: fields(random),
    current: random.pick(["page", "page", "document", "null", "undefined"]),
  };
}
