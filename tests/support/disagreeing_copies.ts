/**
 * What `GET /{db}` answers on a cluster whose copies of a shard disagree for ever about how often they were purged: which
 * of them answers is chance.
 */

/** A response with three copies of each shard and this number of purges; undefined if it describes no database. */
export function oneOfThreeCopies(response: string, purges: number): string | undefined {
  const at = response.indexOf("\r\n\r\n");
  const [head, body] = [response.slice(0, at), response.slice(at + 4)];
  const info = described(body);
  if (at < 0 || !head.startsWith("HTTP/1.1 200") || info === undefined) return undefined;
  const told = JSON.stringify({
    ...info,
    purge_seq: `${purges}-x`,
    cluster: { q: 1, w: 2, r: 2, ...info["cluster"] as object, n: 3 },
  });
  const length = new TextEncoder().encode(told).length;
  return `${head.replace(/^content-length: *\d+/im, `Content-Length: ${length}`)}\r\n\r\n${told}`;
}

function described(body: string): { readonly [member: string]: unknown } | undefined {
  try {
    const info = JSON.parse(body);
    return typeof info?.update_seq === "undefined" ? undefined : info;
  } catch {
    return undefined;
  }
}
