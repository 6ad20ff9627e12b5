/** Django: the `condition` decorator. */
import { im, ims, inm, ius, type Lines } from "../row.ts";
import { type Difference, GET, type PublicRow, type PublicTable, PUT, says } from "./row.ts";

const DATE = "Sun, 21 Oct 2007 23:21:47 GMT";
const NEWER = "Mon, 18 Oct 2010 16:56:23 GMT";
const INVALID = "Mon, 32 Oct 2010 16:56:23 GMT";
const EXPIRED = "Sat, 20 Oct 2007 23:21:47 GMT";
const TAG = '"b4246ffc4f62314ca13147c9d4f76974"';
const WEAK = `W/${TAG}`;
const OTHER = '"7fae4cd4b0f81e7d2914700043aa8ed6"';

const tagged: Lines = [["etag", TAG]];
const weak: Lines = [["etag", WEAK]];
const dated: Lines = [["last-modified", DATE]];
const both: Lines = [...tagged, ...dated];

type Differs = { readonly ours: number; readonly why: Difference };
const get = (
  name: string,
  section: string,
  headers: Lines,
  response: Lines,
  status: number,
  differs?: Differs,
): PublicRow => says(name, section, GET, headers, response, status, differs);
const put = (name: string, section: string, headers: Lines, response: Lines, status: number): PublicRow =>
  says(name, section, PUT, headers, response, status);

/** The table. */
export const DJANGO: PublicTable = {
  project: "Django",
  source: "django/django tests/conditional_processing/tests.py",
  rows: [
    get("no condition", "13.2.1", [], both, 200),
    get("modified then", "13.1.3", ims(DATE), both, 304),
    put("modified then", "13.1.3", ims(DATE), both, 200),
    get("modified before", "13.1.3", ims(NEWER), both, 304),
    put("modified before", "13.1.3", ims(NEWER), both, 200),
    get("no such day", "13.1.3", ims(INVALID), both, 200),
    get("modified later", "13.1.3", ims(EXPIRED), both, 200),
    says("modified then", "13.1.3", ["HEAD"], ims(DATE), both, 304),
    get("unmodified since then", "13.1.4", ius(DATE), both, 200),
    get("unmodified since later", "13.1.4", ius(NEWER), both, 200),
    get("unmodified since no such day", "13.1.4", ius(INVALID), both, 200),
    get("unmodified since earlier", "13.1.4", ius(EXPIRED), both, 412),
    get("the tag", "13.1.2", inm(TAG), both, 304),
    put("the tag", "13.1.2", inm(TAG), both, 412),
    get("another tag", "13.1.2", inm(OTHER), both, 200),
    get("the tag and another", "13.1.2", inm(`${TAG}, ${OTHER}`), both, 304),
    get("strong asked, weak there", "13.1.2", inm(TAG), weak, 304),
    put("strong asked, weak there", "13.1.2", inm(TAG), weak, 412),
    get("weak asked, weak there", "13.1.2", inm(WEAK), weak, 304),
    put("weak asked, weak there", "13.1.2", inm(WEAK), weak, 412),
    get("weak asked, strong there", "13.1.2", inm(WEAK), both, 304),
    put("weak asked, strong there", "13.1.2", inm(WEAK), both, 412),
    get("*", "13.1.2", inm("*"), both, 304),
    put("*", "13.1.2", inm("*"), both, 412),
    get("* without validators", "13.1.2", inm("*"), [], 200),
    put("If-Match of the tag", "13.1.1", im(TAG), both, 200),
    put("If-Match of another", "13.1.1", im(OTHER), both, 412),
    get("If-Match strong, weak there", "13.1.1", im(TAG), weak, 412),
    get("If-Match weak, weak there", "13.1.1", im(WEAK), weak, 412),
    get("If-Match weak, strong there", "13.1.1", im(WEAK), both, 412),
    get("If-Match *", "13.1.1", im("*"), both, 200),
    get("If-Match * without validators", "13.1.1", im("*"), [], 412, {
      ours: 200,
      why: "A star and nothing to compare with",
    }),
    get("tag and date match", "13.2.2", [...inm(TAG), ...ims(DATE)], both, 304),
    get("the tag matches, modified since", "13.2.2", [...inm(TAG), ...ims(EXPIRED)], both, 304),
    get("another tag, not modified since", "13.2.2", [...inm(OTHER), ...ims(DATE)], both, 200),
    get("another tag, modified since", "13.2.2", [...inm(OTHER), ...ims(EXPIRED)], both, 200),
    get("If-Match true, unmodified", "13.2.2", [...im(TAG), ...ius(DATE)], both, 200),
    get("If-Match true, modified", "13.2.2", [...im(TAG), ...ius(EXPIRED)], both, 200),
    get("If-Match false, modified", "13.2.2", [...im(OTHER), ...ius(EXPIRED)], both, 412),
    get("If-Match false, unmodified", "13.2.2", [...im(OTHER), ...ius(DATE)], both, 412),
    get("a date asked, a date there", "13.1.3", ims(DATE), dated, 304),
    get("a date asked, only a tag there", "13.1.3", ims(DATE), tagged, 200),
    get("a tag asked, a tag there", "13.1.2", inm(TAG), tagged, 304),
    get("a tag asked, only a date there", "13.1.2", inm(TAG), dated, 200),
    get("an earlier date asked", "13.1.3", ims(EXPIRED), dated, 200),
    get("another tag asked", "13.1.2", inm(OTHER), tagged, 200),
    get("unmodified since earlier, a date there", "13.1.4", ius(EXPIRED), dated, 412),
    get("unmodified since earlier, only a tag there", "13.1.4", ius(EXPIRED), tagged, 412, {
      ours: 200,
      why: "No validator and a date",
    }),
    get("unmodified since then, a date there", "13.1.4", ius(DATE), dated, 200),
    get("three quotes", "8.8.3", inm('"""'), tagged, 200),
  ],
};
