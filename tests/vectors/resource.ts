/** What the runners of the tables share: a resource that answers as a row says. */
import { dependsOn } from "../../mod.ts";
import { wrap, type Wrapped } from "../support/http.ts";
import type { Known, Lines } from "./row.ts";

/** Field lines as `Headers`. */
export function headersOf(lines: Lines): Headers {
  const headers = new Headers();
  for (const [name, value] of lines) headers.append(name, value);
  return headers;
}

/** The validators that fields hold. */
export function validatorsIn(headers: Headers): NonNullable<Known> {
  const [etag, lastModified] = [headers.get("etag"), headers.get("last-modified")];
  return { ...(etag === null ? {} : { etag }), ...(lastModified === null ? {} : { lastModified }) };
}

/** The fields that hold validators. */
export function fieldsOf(current: Known): Lines {
  const { etag, lastModified } = current ?? {};
  return [
    ...(etag === undefined ? [] : [["etag", etag] as const]),
    ...(lastModified === undefined ? [] : [["last-modified", lastModified] as const]),
  ];
}

/** What a handler answers to every method, and what the wrapper knows about its resource. */
export interface ResourceOptions {
  readonly status?: number;
  readonly headers: Lines;
  /** Whether the response says what it was built from: then a GET registers it. */
  readonly declared: boolean;
  /** What a write is judged by; without it the handler decides. */
  readonly current?: Known | undefined;
}

/** A wrapped handler. */
export function resource({ status = 200, headers: lines, declared, ...judged }: ResourceOptions): Wrapped {
  const handler = () => {
    const headers = headersOf(lines);
    if (declared) {
      if (!headers.has("cache-control")) headers.set("cache-control", "public, no-cache");
      for (const [name, value] of Object.entries(dependsOn("doc"))) headers.set(name, value);
    }
    return new Response([204, 304].includes(status) ? null : "page", { status, headers });
  };
  return wrap(handler, "current" in judged ? { current: () => judged.current } : {});
}
