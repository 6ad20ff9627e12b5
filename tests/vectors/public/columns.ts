/**
 * The public tables once more, for what they do not ask: the same request for a part, by a HEAD that leaves out what it
 * can, with a tag that was weakened on the way, and for a page of several documents whose tag is ours.
 *
 * @module
 */
import { dependsOn } from "../../../mod.ts";
import { request, wrap, type Wrapped } from "../../support/http.ts";
import { headersOf } from "../resource.ts";
import type { Lines } from "../row.ts";
import type { Difference, PublicRow } from "./row.ts";

/** What a column makes of a row. */
export interface Asked {
  readonly site: Wrapped;
  readonly request: Request;
  readonly status: number;
  /** Why the status is not that of the row. */
  readonly why?: Difference;
}

/** One column; undefined where it has nothing to ask of a row. */
export interface Column {
  readonly name: string;
  readonly ask: (row: PublicRow) => Promise<Asked | undefined>;
}

const BODY = "0123456789";

const has = (lines: Lines, name: string): boolean => lines.some(([field]) => field === name);
const valueOf = (lines: Lines, name: string): string => lines.find(([field]) => field === name)?.[1] ?? "";
const isRead = ({ methods }: PublicRow): boolean => methods.includes("GET");
const statusOf = ({ ours, theirs }: PublicRow): number => ours ?? theirs;

/** A page that is served whole or in parts, and by HEAD with as few fields as are allowed. */
function site(headers: Lines, declaration: Readonly<Record<string, string>> = {}): Wrapped {
  return wrap((asked) => {
    const fields = headersOf(headers);
    for (const [name, value] of Object.entries(declaration)) fields.set(name, value);
    if (asked.method === "HEAD") return new Response(null, { headers: fields });
    fields.set("content-type", "text/plain");
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(asked.headers.get("range") ?? "") ?? [];
    if (from === undefined || to === undefined) return new Response(BODY, { headers: fields });
    const isBeyond = Number(from) >= BODY.length;
    fields.set("content-range", isBeyond ? "bytes */10" : `bytes ${from}-${to}/10`);
    const part = isBeyond ? null : BODY.slice(Number(from), Number(to) + 1);
    return new Response(part, { status: isBeyond ? 416 : 206, headers: fields });
  });
}

/** With a `Range` that can be satisfied, a 200 is a 206; whatever else is answered comes before (RFC 9110 §14.2). */
const PART: Column = {
  name: "206",
  ask: (row) => {
    const { headers, response, why, theirs } = row;
    if (!isRead(row) || (has(headers, "if-range") && !has(headers, "range"))) {
      return Promise.resolve(undefined);
    }
    const isTheirs = why === "Ranges are the handler's" && theirs !== 304;
    const isAsked = has(headers, "range");
    const status = isTheirs ? theirs : isAsked ? statusOf(row) : statusOf(row) === 200 ? 206 : statusOf(row);
    const range: Lines = isAsked ? [] : [["range", "bytes=0-4"]];
    const asked = request(headersOf([...headers, ...range]));
    return Promise.resolve({ site: site(response), request: asked, status });
  },
};

/** A HEAD has no parts, and is answered as the GET of the whole is. */
const HEAD: Column = {
  name: "HEAD",
  ask: (row) => {
    if (!isRead(row)) return Promise.resolve(undefined);
    const asked = request(headersOf(row.headers), { method: "HEAD" });
    return Promise.resolve({ site: site(row.response), request: asked, status: statusOf(row) });
  },
};

/** Each tag of the request marked weak, as a compressor does: `If-None-Match` is compared weakly, `If-Match` strongly. */
const WEAKENED: Column = {
  name: "a weakened tag",
  ask: (row) => {
    const { headers, response } = row;
    const weakened: Lines = headers.map(([name, value]) =>
      name === "if-none-match" || name === "if-match"
        ? [name, value.replaceAll(/(?<!W\/)(?<=^|[, ])"[^" ]*"/g, "W/$&")]
        : [name, value]
    );
    if (!isRead(row) || JSON.stringify(weakened) === JSON.stringify(headers)) {
      return Promise.resolve(undefined);
    }
    const status = has(headers, "if-match") ? 412 : statusOf(row);
    return Promise.resolve({ site: site(response), request: request(headersOf(weakened)), status });
  },
};

/** The row's tag is that of a page of several documents, which is ours. */
const SEVERAL: Column = {
  name: "several documents",
  ask: async (row) => {
    const { headers, response } = row;
    const tag = valueOf(response, "etag");
    if (!isRead(row) || !/^"[^"\s]+"$/.test(tag)) return undefined;
    const documents = ["a", "b", "c"].map((_id) => ({ _id, _rev: `2-${_id}` }));
    const declaration = { "cache-control": "public, no-cache", ...dependsOn(...documents) };
    const declared = site(response.filter(([name]) => name !== "etag"), declaration);
    const ours = (await declared.ask(request())).headers.get("etag")!;
    const asked = headers.map((
      [name, value],
    ): readonly [string, string] => [name, value.replaceAll(tag, ours)]);
    const isByDate = statusOf(row) === 304 && !has(headers, "if-none-match");
    const why = isByDate ? { why: "A date alone, and a tag of ours" } as const : {};
    const status = isByDate ? 200 : row.theirs === 206 || row.theirs === 416 ? row.theirs : statusOf(row);
    return { site: declared, request: request(headersOf(asked)), status, ...why };
  },
};

/** The columns. */
export const COLUMNS: readonly Column[] = [PART, HEAD, WEAKENED, SEVERAL];
