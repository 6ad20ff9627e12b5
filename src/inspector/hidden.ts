/**
 * What is left out of all texts that are shown, unless the program has asked for it: values of queries, names of callers,
 * values of request fields, and of response fields that may repeat them. Each of them may be a secret of one client.
 *
 * @module
 */
import { base64url, sha256 } from "../http/sha256.ts";

/** In the place of what is not shown. */
export const HIDDEN = "…";

/** Characters of one text that are shown: the address of a page may have a million. */
const MOST_SHOWN = 500;

/** The beginning of a text that is too long to be shown. */
export function cut(text: string): string {
  return text.length <= MOST_SHOWN ? text : `${text.slice(0, MOST_SHOWN)}${HIDDEN}`;
}

/** Fields by which pages commonly vary, whose values are no secret of a client. */
const HARMLESS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "accept",
  "accept-encoding",
  "accept-language",
]);

/** Fields of a 304 whose values are of the page, and not of a client. */
const OF_THE_PAGE: ReadonlySet<string> = /* @__PURE__ */ new Set([
  ...["cache-control", "cdn-cache-control", "expires", "last-modified", "vary"],
  ...["access-control-allow-credentials", "access-control-expose-headers", "cross-origin-resource-policy"],
  ...["referrer-policy", "x-content-type-options", "x-frame-options"],
]);

/** How texts are shown. */
export interface Showing {
  /** A URL or another name of a resource. */
  resource(key: string): string;
  /** A caller: by its name, or by a mark that tells it from others. */
  caller(name: string): string;
  /** The name of a group of an entry; undefined: it is not shown. */
  group(name: string, caller: string | undefined): string | undefined;
  /** A request field and its value; null: absent. */
  field(name: string, value: string | null): string;
  /** The value of a field that a 304 repeats. */
  repeated(name: string, value: string): string;
}

/** Everything, as it is. */
const everything: Showing = {
  resource: cut,
  caller: cut,
  group: cut,
  field: (name, value) => value === null ? `no ${name}` : cut(`${name}: ${value}`),
  repeated: (_name, value) => cut(value),
};

/**
 * How texts are shown.
 *
 * @param showValues Whether as they are.
 */
export function showing(showValues: boolean): Showing {
  if (showValues) return everything;
  // The mark of one caller must not be computable from its name.
  const salt = crypto.randomUUID();
  return {
    resource: (key) => cut(hideValues(key)),
    caller: (name) => `caller ${base64url(sha256(`${salt} ${name}`), 4)}`,
    // A guard is commonly named like the caller: the session.
    group: (name, caller) => name === caller ? undefined : cut(name),
    field: (name, value) => HARMLESS.has(name) ? everything.field(name, value) : `${name}: ${HIDDEN}`,
    repeated: (name, value) => {
      if (name === "content-location") return cut(hideValues(value));
      const isShown = OF_THE_PAGE.has(name) || (name === "access-control-allow-origin" && value === "*");
      return isShown ? cut(value) : HIDDEN;
    },
  };
}

/**
 * The name of a resource without what may be a secret: the user in an address, values of parameters in the path
 * (`;jsessionid=`) and in the query, the fragment. `/posts?from=…`.
 */
function hideValues(key: string): string {
  const [, name = "", query, fragment] = /^([^?#]*)(?:\?([^#]*))?(#[^]*)?$/.exec(key) ?? [];
  const path = name.replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/]*@/i, `$1//${HIDDEN}@`)
    .replace(/;([^/;=]+)=[^/;]*/g, `;$1=${HIDDEN}`);
  const parameters = query?.split(/[&;]/).map((parameter) => {
    const equals = parameter.indexOf("=");
    // A parameter without a name may be a value.
    return equals < 0 ? HIDDEN : `${parameter.slice(0, equals)}=${HIDDEN}`;
  });
  return path + (parameters === undefined ? "" : `?${parameters.join("&")}`) +
    (fragment === undefined ? "" : `#${HIDDEN}`);
}
