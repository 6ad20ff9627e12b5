/**
 * Which answers to a case are right, told from the RFCs and from the documentation of `withEtag`, not from its code.
 *
 * @module
 */
import {
  type Current,
  directives,
  entityTag,
  listed,
  preconditions,
  varied,
  wildcard,
} from "../support/oracle.ts";
import { edited, opaqueOf, type Page, type WrapperCase } from "./wrapper.ts";

/** What came of a case. */
export interface Seen {
  readonly response: Response;
  /** The tag of the first answer, where there was one. */
  readonly learned: string | undefined;
  /** How often the handler ran for the request. */
  readonly runs: number;
}

/** As the platform joins several lines of one field (RFC 9110 §5.3): Deno leaves out a first one that is empty. */
function fieldsOf(played: WrapperCase, learned: string | undefined): Map<string, string> {
  const headers = new Headers();
  for (const [name, value] of played.fields) headers.append(name, value.replaceAll("$", opaqueOf(learned)));
  return new Map(headers);
}

/** Why a response is not for others to be told of: then it is not registered, and gets no tag of ours. */
function unstorable(page: Page, fields: ReadonlyMap<string, string>): boolean {
  const said = directives(page.cacheControl ?? "");
  return page.status !== 200 || page.cookie === true || said.includes("no-store") ||
    said.includes("private") ||
    (page.vary ?? "").includes("*") || varied(page.vary ?? "") === undefined ||
    (page.etag !== undefined && entityTag(page.etag) === undefined) ||
    page.declares === "malformed" || page.declares === "nothing" ||
    (!said.includes("public") && (fields.has("cookie") || fields.has("authorization")));
}

/** Whether the request selects another variant than the first GET, which named no field, did. */
function otherVariant(page: Page, fields: ReadonlyMap<string, string>): boolean {
  return (varied(page.vary ?? "") ?? []).some((name) => fields.has(name));
}

/** Safe methods whose requests and responses pass as they are. */
const UNTOUCHED: readonly string[] = ["OPTIONS"];

/** Methods whose responses are evaluated. */
const READS: readonly string[] = ["GET", "HEAD", "QUERY"];

/** Statuses about a part of a representation. */
const OF_PART: readonly number[] = [206, 416];

/** Whether the declaration of a page can be read, so that the page is evaluated also where it has no validator. */
function isDeclared({ declares, vary, etag }: Page): boolean {
  return (declares === "revision" || declares === "name") && varied(vary ?? "") !== undefined &&
    (etag === undefined || entityTag(etag) !== undefined);
}

/** Whether the tag of a page is ours: then a date alone does not confirm a copy. */
function hasTagOfOurs(page: Page, method: string, fields: ReadonlyMap<string, string>): boolean {
  const whole = OF_PART.includes(page.status) ? { ...page, status: 200 } : page;
  return page.etag === undefined && !unstorable(whole, fields) && method !== "QUERY";
}

/** A tag that nobody has been told yet. */
const UNTOLD = '"untold"';

/** The tags that the current representation may have by now; undefined among them: none. */
function possibleTags(played: WrapperCase, page: Page, seen: Seen, fields: ReadonlyMap<string, string>) {
  if (page.etag !== undefined) return [page.etag];
  if (OF_PART.includes(page.status)) {
    // This handler never gives the whole, so the tag of its parts is that of none, or what the first of them had.
    const changed = played.history === "edited" || otherVariant(page, fields);
    return page.declares === "revision" && !changed ? [undefined, seen.learned] : [undefined];
  }
  if (unstorable(page, fields) || played.method === "QUERY") return [undefined];
  const { history, method } = played;
  const known = seen.learned !== undefined && !otherVariant(page, fields);
  if (page.declares === "revision") {
    return [known && history !== "edited" ? seen.learned : UNTOLD];
  }
  // A minted tag means one registration, which only a live registry can vouch for; and HEAD does not register.
  if (known && history === "primed") {
    return [seen.learned, ...(method === "HEAD" && seen.runs > 0 ? [undefined] : [])];
  }
  return [method === "HEAD" ? undefined : UNTOLD];
}

/** Why the handler must have run; undefined where it need not. */
function mustRun(
  { history, method, page }: WrapperCase,
  fields: ReadonlyMap<string, string>,
): string | undefined {
  if (method !== "GET" && method !== "HEAD") return undefined;
  if (history !== "primed") return `the history is ${history}`;
  if (unstorable(page, fields)) return "nothing may have been registered";
  if (otherVariant(page, fields)) return "another variant was registered";
  if (!fields.has("if-none-match") && !fields.has("if-match")) return "the condition is no tag";
  return undefined;
}

/** What `current` says of the target of a write, where it can tell. */
function target(played: WrapperCase, page: Page, learned: string | undefined): Current | null | undefined {
  switch (played.current) {
    case "null":
      return null;
    case "undefined":
      return undefined;
    case "page":
      return { etags: page.etag === undefined ? [] : [page.etag], lastModified: page.lastModified };
    case "document": {
      const own = `"${played.history === "edited" ? 2 : 1}-x"`;
      const { declares } = page;
      // The tag of a page that names its document without a revision tells the one that \`current\` gave.
      const tells = declares === "revision" || (declares === "name" && played.history !== "invalidated");
      const matches = tells && page.etag === undefined && played.history !== "edited" &&
        learned !== undefined;
      return { etags: matches ? [own, learned] : [own] };
    }
  }
}

function statuses(played: WrapperCase, page: Page, seen: Seen): readonly number[] {
  const { method } = played;
  const fields = fieldsOf(played, seen.learned);
  const answered = (current: Current | null) => {
    const outcome = preconditions(method, fields, current, Date.now());
    return outcome === "proceed" ? page.status : outcome;
  };
  if (!READS.includes(method)) {
    const current = UNTOUCHED.includes(method) ? undefined : target(played, page, seen.learned);
    return [current === undefined ? page.status : answered(current)];
  }
  // RFC 9110 §13.2.1
  const isEvaluated = page.status >= 200 && page.status <= 299 || page.status === 416 && fields.has("range");
  if (!isEvaluated) return [page.status];
  const { lastModified } = page;
  return possibleTags(played, page, seen, fields).map((etag) => {
    if (etag === undefined && lastModified === undefined && !isDeclared(page)) return page.status;
    const status = answered({ etags: etag === undefined ? [] : [etag], lastModified });
    const isByDate = status === 304 && !fields.has("if-none-match");
    return isByDate && hasTagOfOurs(page, method, fields) ? page.status : status;
  });
}

/** What RFC 9110 §15.4.5 says of the 304 beside its status. */
function notModifiedProblem(
  { response: { headers, body }, learned }: Seen,
  page: Page,
  asked: string | undefined,
): string | undefined {
  if (body !== null) return "the 304 has a body";
  for (const name of ["content-type", "set-cookie", "x-run", "stillfresh-depends-on"]) {
    if (headers.has(name)) return `the 304 has ${name}`;
  }
  const respelled = page.etag === undefined && learned !== undefined && asked !== undefined &&
    !wildcard(asked) && !listed(asked, learned, false);
  const [etag, vary] = respelled ? [`W/${learned}`, encodingIn(page.vary)] : [page.etag, page.vary];
  for (
    const [name, value] of [["etag", etag], ["cache-control", page.cacheControl], ["vary", vary]] as const
  ) {
    const expected = value?.replace(/^[ \t]+|[ \t]+$/g, "");
    if (expected !== undefined && headers.get(name) !== expected) {
      return `the 304 has no ${name}: ${expected}`;
    }
  }
  return undefined;
}

/** A tag that is marked weak came through a coder, behind which the 200 varied by coding. */
function encodingIn(vary: string | undefined): string {
  const sent = vary?.replace(/^[ \t]+|[ \t]+$/g, "");
  if (sent === undefined || sent === "") return "Accept-Encoding";
  return (varied(sent) ?? []).some((name) => ["*", "accept-encoding"].includes(name))
    ? sent
    : `${sent}, Accept-Encoding`;
}

/** The platform takes the white space off the ends of a value. */
function asSent(page: Page): Page {
  const lastModified = page.lastModified?.replace(/^[ \t]+|[ \t]+$/g, "");
  return lastModified === undefined ? page : { ...page, lastModified };
}

/** Why an answer is wrong; undefined where it is right. */
export function expectation(played: WrapperCase, seen: Seen): string | undefined {
  const page = asSent(played.history === "edited" ? edited(played.page) : played.page);
  const { response, runs } = seen;
  const expected = statuses(played, page, seen);
  if (!expected.includes(response.status)) return `answered ${response.status}, not ${expected.join(" or ")}`;
  if (UNTOUCHED.includes(played.method)) return runs === 1 ? undefined : `the handler ran ${runs} times`;
  if (response.headers.has("stillfresh-depends-on")) return "the declaration was sent";
  const why = mustRun(played, fieldsOf(played, seen.learned));
  const { method } = played;
  // A HEAD, or one for a part, is run for the whole as well where that is the way to the tag, or what If-Range asks for.
  const isForLess = method === "HEAD" && page.etag === undefined && isDeclared(page) ||
    method !== "QUERY" && OF_PART.includes(page.status) && fieldsOf(played, seen.learned).has("range");
  const most = isForLess ? 2 : 1;
  if (why !== undefined && (runs < 1 || runs > most)) return `the handler ran ${runs} times, although ${why}`;
  if (response.status === 304 && page.status !== 304) {
    return notModifiedProblem(seen, page, fieldsOf(played, seen.learned).get("if-none-match"));
  }
  return undefined;
}
