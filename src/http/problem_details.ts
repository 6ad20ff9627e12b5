/**
 * Problem details (RFC 9457): why a request was refused, and what to do instead, for programs and for people.
 *
 * @module
 */

/** What a problem says. `type` is `about:blank`, so the title is that of the status (RFC 9457 §4.2.1). */
export interface Problem {
  readonly status: number;
  readonly title: string;
  /** A sentence or two that tell the client what to do. */
  readonly detail: string;
}

/** A weight (RFC 9110 §12.4.2): at most three digits behind the point. */
const WEIGHT = /^q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/;

/** Media ranges of an `Accept` field by name, each with its weight; one whose weight is none is skipped. */
function weightsIn(accept: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  for (const member of accept.toLowerCase().split(",")) {
    const [range = "", ...parameters] = member.split(";").map((part) => part.trim());
    const q = parameters.find((parameter) => parameter.startsWith("q="));
    const weight = Number(q === undefined ? 1 : WEIGHT.exec(q)?.[1]);
    if (weight >= 0) weights.set(range, weight);
  }
  return weights;
}

/**
 * Whether plain text is the better answer (RFC 9110 §12.5.1): the most specific range that covers a type gives its
 * weight. At equal weights, none included, it is text for who names HTML, a person as a rule, and otherwise JSON, which
 * everybody can read at need.
 */
function prefersText(accept: string | null): boolean {
  if (accept === null) return false;
  const weights = weightsIn(accept);
  const weightOf = (type: string, others: string) =>
    weights.get(type) ?? weights.get(others) ?? weights.get("*/*") ?? 0;
  const text = weightOf("text/plain", "text/*");
  const json = Math.max(
    weightOf("application/problem+json", "application/*"),
    weights.get("application/json") ?? 0,
  );
  return text > json || (text === json && (weights.get("text/html") ?? 0) > 0);
}

/**
 * The response for a problem, as `application/problem+json` or plain text. It is not to be stored: it is about this
 * request.
 *
 * @param request Whose `Accept` decides, and whose method: a HEAD gets no body.
 * @param fields Further fields.
 */
export function problemResponse(
  request: Pick<Request, "method" | "headers">,
  { status, title, detail }: Problem,
  fields: Readonly<Record<string, string>> = {},
): Response {
  const text = prefersText(request.headers.get("accept"));
  const body = text
    ? `${title}: ${detail}\n`
    : JSON.stringify({ type: "about:blank", title, status, detail });
  const allowed = fields["access-control-allow-origin"];
  const headers = {
    ...fields,
    "cache-control": "no-store",
    "content-type": text ? "text/plain; charset=utf-8" : "application/problem+json",
    vary: allowed === undefined || allowed === "*" ? "Accept" : "Accept, Origin",
  };
  return new Response(request.method === "HEAD" ? null : body, { status, statusText: title, headers });
}
