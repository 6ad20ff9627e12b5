/**
 * What is left out of all texts that are shown, unless the program has asked for it: values of queries, names of callers,
 * values of request fields. Each of them may be a secret of one client.
 *
 * @module
 */
import { base64url, sha256 } from "../http/sha256.ts";

/** In the place of what is not shown. */
export const HIDDEN = "…";

/** Fields by which pages commonly vary, whose values are no secret of a client. */
const HARMLESS: ReadonlySet<string> = /* @__PURE__ */ new Set([
  "accept",
  "accept-encoding",
  "accept-language",
]);

/** How texts are shown. */
export interface Showing {
  /** A URL or another name of a resource. */
  resource(key: string): string;
  /** A caller: by its name, or by a mark that tells it from others. */
  caller(name: string): string;
  /** A request field and its value; null: absent. */
  field(name: string, value: string | null): string;
}

/** Everything as it is. */
const everything: Showing = {
  resource: (key) => key,
  caller: (name) => name,
  field: (name, value) => value === null ? `no ${name}` : `${name}: ${value}`,
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
    resource: hideQuery,
    caller: (name) => `caller ${base64url(sha256(`${salt} ${name}`), 4)}`,
    field: (name, value) => HARMLESS.has(name) ? everything.field(name, value) : `${name}: ${HIDDEN}`,
  };
}

/** A name without the values in its query: `/posts?from=…`. */
function hideQuery(key: string): string {
  const start = key.indexOf("?");
  if (start < 0) return key;
  const parameters = key.slice(start + 1).split(/[&;]/).map((parameter) => {
    const equals = parameter.indexOf("=");
    // A parameter without a name may be a value.
    return equals < 0 ? HIDDEN : `${parameter.slice(0, equals)}=${HIDDEN}`;
  });
  return `${key.slice(0, start)}?${parameters.join("&")}`;
}
