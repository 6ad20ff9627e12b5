/**
 * What a 304 says beside its status (RFC 9110 §15.4.5), in the words of the 200 that it stands for; and what a 412
 * must not say.
 *
 * @module
 */
import { type AnswerRow, DATE, im, ims, inm, type Lines, OLDER } from "./row.ts";

const TAG: Lines = [["etag", '"a"']];
/** What a row is asked with, unless it says otherwise. */
const MATCHING = inm('"a"');

interface Options {
  readonly headers?: Lines;
  readonly read?: number;
  readonly write?: number;
  readonly dropped?: readonly string[];
  readonly unregistered?: string;
}

function row(name: string, fields: Lines, kept: readonly string[], options: Options = {}): AnswerRow {
  const { headers = MATCHING, read = 304, write = 412, ...rest } = options;
  return {
    section: "15.4.5",
    name,
    headers,
    response: { status: 200, headers: fields },
    read,
    write,
    kept,
    ...rest,
  };
}

/** A field that is no part of a 304. */
function dropped(name: string, value: string, unregistered?: string): AnswerRow {
  const options = unregistered === undefined ? {} : { unregistered };
  return row(`${name} goes`, [...TAG, [name, value]], ["etag"], { dropped: [name], ...options });
}

/** "any of the following header fields that would have been sent in a 200 (OK) response to the same request" */
const KEPT: readonly AnswerRow[] = [
  row("a strong ETag", TAG, ["etag"]),
  row("a weak ETag stays weak, asked for by its strong form", [["etag", 'W/"a"']], ["etag"]),
  row("a strong ETag stays strong, asked for by its weak form", TAG, ["etag"], { headers: inm('W/"a"') }),
  row("an ETag of obs-text", [["etag", '"\xe9,\xff"']], ["etag"], { headers: inm('"\xe9,\xff"') }),
  row("the one ETag of a list", TAG, ["etag"], { headers: inm('"x", "a", "y"') }),
  row("ETag, asked for by *", TAG, ["etag"], { headers: inm("*") }),
  row("Cache-Control, however it is written", [...TAG, [
    "cache-control",
    'public,  MAX-AGE=0 ,no-cache="x,y"',
  ]], [
    "etag",
    "cache-control",
  ]),
  row("Cache-Control on two lines", [...TAG, ["cache-control", "public"], ["cache-control", "no-cache"]], [
    "cache-control",
  ]),
  row("Content-Location", [...TAG, ["content-location", "/page.en?a=1&b=%20"]], ["etag", "content-location"]),
  row("Expires, though it is no date", [...TAG, ["expires", "0"]], ["expires"]),
  row("Expires", [...TAG, ["expires", "Thu, 01 Dec 1994 16:00:00 GMT"]], ["expires"]),
  row("Vary", [...TAG, ["vary", "Accept-Language,  ORIGIN"]], ["vary"]),
  row("Date, which is the handler's to give", [...TAG, ["date", DATE], ["set-cookie", "a=1"]], ["date"], {
    unregistered: "Set-Cookie; the Date of an answer from the registry is the server's to give",
  }),
];

/** Pairs, and more: what must stay stays beside what must go. */
const PAIRS: readonly AnswerRow[] = [
  row("Cache-Control and Vary", [...TAG, ["cache-control", "public"], ["vary", "Accept"]], [
    "cache-control",
    "vary",
  ]),
  row("Cache-Control and Expires", [...TAG, ["cache-control", "max-age=0"], ["expires", "-1"]], [
    "cache-control",
    "expires",
  ]),
  row(
    "Vary stays, Content-Type goes",
    [...TAG, ["vary", "Accept"], ["content-type", "text/html"]],
    ["vary"],
    {
      dropped: ["content-type"],
    },
  ),
  row("all that stay", [
    ...TAG,
    ["cache-control", "public, max-age=1"],
    ["content-location", "/x"],
    ["expires", OLDER],
    ["vary", "accept"],
  ], ["etag", "cache-control", "content-location", "expires", "vary"]),
  row("Vary: Origin and the origin allowed", [
    ...TAG,
    ["vary", "Origin"],
    ["access-control-allow-origin", "https://example.org"],
  ], ["vary", "access-control-allow-origin"]),
  row("ETag stays, Last-Modified goes", [...TAG, ["last-modified", DATE]], ["etag"], {
    dropped: ["last-modified"],
  }),
  row("ETag and If-Modified-Since: Last-Modified goes", [...TAG, ["last-modified", DATE]], ["etag"], {
    headers: ims(DATE),
    write: 200,
    dropped: ["last-modified"],
  }),
  row("Last-Modified stays where there is no ETag", [["last-modified", DATE], ["set-cookie", "a=1"]], [
    "last-modified",
  ], { headers: ims(DATE), write: 200, dropped: ["set-cookie"], unregistered: "Set-Cookie" }),
];

/** "a sender SHOULD NOT generate representation metadata other than the above listed fields"; and §6.6.2, §7.8. */
const DROPPED: readonly AnswerRow[] = [
  dropped("content-type", "text/html; charset=utf-8"),
  dropped("content-length", "4"),
  dropped("content-language", "en"),
  dropped("content-encoding", "identity"),
  dropped("content-disposition", "inline"),
  dropped("content-digest", "sha-256=:AAAA:"),
  dropped("accept-ranges", "bytes"),
  dropped("transfer-encoding", "chunked"),
  dropped("trailer", "x-checksum"),
  dropped("set-cookie", "session=1", "Set-Cookie"),
  dropped("content-security-policy", "script-src 'nonce-AbC='", "a nonce"),
  dropped("link", "</a.css>; rel=preload"),
  dropped("x-powered-by", "curiosity"),
];

/** Freshness and metadata of the 200 are not those of the 412. */
const FAILED: readonly AnswerRow[] = [
  row("the 412 has no Expires, no Vary of the 200", [...TAG, ["expires", OLDER], ["x-200", "1"]], [], {
    headers: im('"b"'),
    read: 412,
    dropped: ["expires", "x-200", "etag"],
  }),
  row("the 412 is seen by the origin allowed", [...TAG, ["access-control-allow-origin", "*"]], [
    "access-control-allow-origin",
  ], { headers: im('"b"'), read: 412 }),
];

/** The table. */
export const NOT_MODIFIED: readonly AnswerRow[] = [...KEPT, ...PAIRS, ...DROPPED, ...FAILED];
