/** Go's net/http: ServeContent, and the scanner of entity tags. */
import { im, ims, inm, ius, type Lines } from "../row.ts";
import { type PublicTable, READ, says } from "./row.ts";

const MODIFIED = "Wed, 25 Jun 2014 17:12:18 GMT";
const EARLIER = "Wed, 25 Jun 2014 17:12:16 GMT";
const LATER = "Wed, 25 Jun 2014 17:12:19 GMT";
const tag = (value: string): Lines => [["etag", value]];
const dated: Lines = [["last-modified", MODIFIED]];
const range = (value: string, ifRange?: string): Lines => [
  ["range", value],
  ...(ifRange === undefined ? [] : [["if-range", ifRange] as const]),
];
const whole = { ours: 200, why: "Ranges are the handler's" } as const;

/** The table. */
export const GO: PublicTable = {
  project: "Go",
  source: "golang/go src/net/http/fs_test.go",
  rows: [
    says("neither condition nor validator", "13.2.1", READ, [], [], 200),
    says("no condition, a date", "13.2.1", READ, [], dated, 200),
    says("modified then, tag and date", "13.1.3", READ, ims(MODIFIED), [...tag('"foo"'), ...dated], 304),
    says("the same with a content type", "13.1.3", READ, ims(MODIFIED), [
      ...tag('"foo"'),
      ...dated,
      ["content-type", "text/css"],
    ], 304),
    says("the tag", "13.1.2", READ, inm('"foo"'), tag('"foo"'), 304),
    says("a weak tag in a list", "13.1.2", READ, inm('"baz", W/"foo"'), tag('W/"foo"'), 304),
    says("case counts", "13.1.2", READ, inm('"Foo"'), tag('"foo"'), 200),
    says("a comma alone", "13.1.2", READ, inm(","), tag('"foo"'), 200),
    says("a range", "14.2", READ, range("bytes=0-4"), tag('"A"'), 206, whole),
    says("a range, If-Range of the tag", "13.1.5", READ, range("bytes=0-4", '"A"'), tag('"A"'), 206, whole),
    says("a range, If-Range of a weak tag", "13.1.5", READ, range("bytes=0-4", 'W/"A"'), tag('W/"A"'), 200),
    says("a range beyond the end", "14.2", READ, range("bytes=10-20"), tag('"A"'), 416, whole),
    says("a range, If-Range of another tag", "13.1.5", READ, range("bytes=0-4", '"B"'), tag('"A"'), 200),
    says("a range, If-Range of the date", "13.1.5", READ, range("bytes=0-4", MODIFIED), dated, 206, whole),
    says("a range, If-Range of another date", "13.1.5", READ, range("bytes=0-4", LATER), dated, 200),
    says("the epoch is no date to send", "8.8.2", READ, [], [], 200),
    says("If-Match, second of two", "13.1.1", READ, im('"Z", "A"'), tag('"A"'), 200),
    says("If-Match *", "13.1.1", READ, im("*"), tag('"A"'), 200),
    says("If-Match of another tag", "13.1.1", READ, im('"B"'), tag('"A"'), 412),
    says("If-Match of the weak tag", "13.1.1", READ, im('W/"A"'), tag('W/"A"'), 412),
    says("unmodified since then", "13.1.4", READ, ius(MODIFIED), dated, 200),
    says("unmodified since earlier", "13.1.4", READ, ius(EARLIER), dated, 412),
    says("scanner: a weak tag", "8.8.3", READ, inm('W/"etag-1"'), tag('W/"etag-1"'), 304),
    says("scanner: a strong tag", "8.8.3", READ, inm('"etag-2"'), tag('"etag-2"'), 304),
    says("scanner: the first of two", "8.8.3", READ, inm('"etag-1", "etag-2"'), tag('"etag-1"'), 304),
    says("scanner: the second of two", "8.8.3", READ, inm('"etag-1", "etag-2"'), tag('"etag-2"'), 304),
    says("scanner: W/ alone", "8.8.3", READ, inm("W/"), tag('""'), 200),
    says("scanner: no closing quote", "8.8.3", READ, inm('W/"truc'), tag('"truc"'), 200),
    says("scanner: w/ in lower case", "8.8.3", READ, inm('w/"case-sensitive"'), tag('"case-sensitive"'), 200),
    says("scanner: a space in a tag", "8.8.3", READ, inm('"spaced etag"'), tag('"spaced etag"'), 200),
  ],
};
