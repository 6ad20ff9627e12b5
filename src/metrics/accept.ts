/**
 * Which of the two formats a client asks for (RFC 9110 §12.5.1). What cannot be read is skipped, and a client that takes
 * neither gets the older one all the same: it is text.
 *
 * @module
 */
import type { MetricsFormat } from "./exposition.ts";

/** How much a client wants something, and how exactly it has said so. */
interface Preference {
  readonly quality: number;
  readonly exactness: number;
}

/** The format to answer with. */
export function formatFor(accept: string | null): MetricsFormat {
  const ranges = (accept ?? "").split(",").map(rangeOf);
  const wanted = (type: string, version: string): Preference => {
    let best: Preference = { quality: 0, exactness: -1 };
    for (const range of ranges) {
      const exactness = exactnessOf(range, type, version);
      if (exactness < 0 || exactness < best.exactness) continue;
      if (exactness > best.exactness || range.quality > best.quality) {
        best = { quality: range.quality, exactness };
      }
    }
    return best;
  };
  const openmetrics = wanted("application/openmetrics-text", "1.0.0");
  const prometheus = wanted("text/plain", "0.0.4");
  if (openmetrics.quality !== prometheus.quality) {
    return openmetrics.quality > prometheus.quality ? "openmetrics" : "prometheus";
  }
  return openmetrics.quality > 0 && openmetrics.exactness > prometheus.exactness
    ? "openmetrics"
    : "prometheus";
}

interface Range {
  /** In lower case, with its wildcards. */
  readonly type: string;
  readonly version: string | undefined;
  readonly quality: number;
}

function rangeOf(member: string): Range {
  const [type = "", ...parameters] = member.split(";").map((part) => part.trim().toLowerCase());
  let version: string | undefined;
  let quality = 1;
  for (const parameter of parameters) {
    const [name, value = ""] = parameter.split("=");
    if (name === "version") version = value.replace(/^"(.*)"$/, "$1");
    // A weight that is none is as good as no interest.
    if (name === "q") quality = /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
  }
  return { type, version, quality };
}

/** How exactly a range names a type; below 0: it does not. */
function exactnessOf({ type, version: asked }: Range, wanted: string, version: string): number {
  if (type === "*/*") return 0;
  if (type === `${wanted.slice(0, wanted.indexOf("/"))}/*`) return 1;
  if (type !== wanted) return -1;
  if (asked === undefined) return 2;
  return asked === version ? 3 : -1;
}
