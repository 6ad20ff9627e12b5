/** A node's `_changes`, read by a few lines that share nothing with the library. */
import type { FeedLedger } from "./feed_ledger.ts";

/** Reads the feed of a database into a ledger until aborted, over and over. */
export async function readFeed(database: URL, ledger: FeedLedger, signal: AbortSignal): Promise<void> {
  for (let since = "0"; !signal.aborted;) {
    const reached = await readOnce(database, since, ledger, signal);
    if (reached === since) await new Promise((resolve) => setTimeout(resolve, 200));
    since = reached;
  }
}

/** Gives how far it came. */
async function readOnce(
  database: URL,
  since: string,
  ledger: FeedLedger,
  signal: AbortSignal,
): Promise<string> {
  const { href, headers } = addressed(database);
  // It ends by itself when nothing happens, and is broken off after a while: a paused node's stream may never end.
  const query = `feed=continuous&timeout=1000&since=${encodeURIComponent(since)}`;
  const own = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
  let reached = since;
  try {
    const response = await fetch(`${href}/_changes?${query}`, { headers, signal: own });
    let rest = "";
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines.filter((line) => line !== "")) {
        const row = JSON.parse(line);
        reached = row.seq ?? row.last_seq ?? reached;
        if (row.id !== undefined) ledger.report(row.id, row.changes[0].rev, row.deleted === true);
      }
    }
  } catch {
    // Broken off: again from where it was.
  }
  return reached;
}

/** A URL without its credentials, and the header that they make. */
export function addressed(url: URL): { readonly href: string; readonly headers: Record<string, string> } {
  const bare = new URL(url);
  bare.username = bare.password = "";
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers: Record<string, string> = url.username === ""
    ? {}
    : { authorization: `Basic ${btoa(credentials)}` };
  return { href: bare.href.replace(/\/$/, ""), headers };
}
