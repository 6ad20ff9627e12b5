/** fresh, by which Express decides. It says fresh or stale; 304 or 200 here. */
import { ims, inm, type Lines } from "../row.ts";
import { GET, type PublicTable, says } from "./row.ts";

const OLDER = "Sat, 01 Jan 2000 00:00:00 GMT";
const DATE = "Sat, 01 Jan 2000 00:00:02 GMT";
const etag = (value: string): Lines => [["etag", value]];
const modified = (value: string): Lines => [["last-modified", value]];
const unquoted = { ours: 200, why: "Unquoted tags" } as const;

/** The table. */
export const FRESH: PublicTable = {
  project: "fresh",
  source: "jshttp/fresh test/fresh.js",
  rows: [
    says("no condition", "13.2.1", GET, [], [], 200),
    says("the tag, without quotes", "13.1.2", GET, inm("tobi"), etag("tobi"), 304, unquoted),
    says("another tag, without quotes", "13.1.2", GET, inm("tobi"), etag("luna"), 200),
    says("no tag to compare with", "13.1.2", GET, inm("tobi"), [], 200),
    says("weak and weak", "13.1.2", GET, inm('W/"foo"'), etag('W/"foo"'), 304),
    says("weak asked, strong there", "13.1.2", GET, inm('W/"foo"'), etag('"foo"'), 304),
    says("strong and strong", "13.1.2", GET, inm('"foo"'), etag('"foo"'), 304),
    says("strong asked, weak there", "13.1.2", GET, inm('"foo"'), etag('W/"foo"'), 200, {
      ours: 304,
      why: "Weak comparison",
    }),
    says("*, the tag without quotes", "13.1.2", GET, inm("*"), etag("hey"), 304),
    says("modified since", "13.1.3", GET, ims(OLDER), modified(DATE), 200),
    says("not modified since", "13.1.3", GET, ims(DATE), modified(OLDER), 304),
    says("a date where a tag belongs", "13.1.2", GET, inm(DATE), [], 200),
    says("a word where a tag belongs", "13.1.2", GET, inm("foo"), [], 200),
    says(
      "a date where a tag belongs, another field",
      "13.1.2",
      GET,
      inm(DATE),
      [["modified-since", "foo"]],
      200,
    ),
    says(
      "both match, without quotes",
      "13.2.2",
      GET,
      [...inm("tobi"), ...ims(DATE)],
      [
        ...etag("tobi"),
        ...modified(OLDER),
      ],
      304,
      unquoted,
    ),
    says("only the tag matches, without quotes", "13.2.2", GET, [...inm("tobi"), ...ims(OLDER)], [
      ...etag("tobi"),
      ...modified(DATE),
    ], 200),
    says("only the date matches", "13.2.2", GET, [...inm("tobi"), ...ims(DATE)], [
      ...etag("luna"),
      ...modified(OLDER),
    ], 200),
    says("neither matches", "13.2.2", GET, [...inm("tobi"), ...ims(OLDER)], [
      ...etag("luna"),
      ...modified(DATE),
    ], 200),
    says(
      "Cache-Control: no-cache of the request",
      "RFC 9111 5.2.1.4",
      GET,
      [["cache-control", "no-cache"]],
      [],
      200,
    ),
  ],
};
