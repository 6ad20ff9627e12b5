/**
 * Which revisions a followed node had, and when: its `_changes`, read by a few lines that share nothing with the library.
 *
 * A copy is *behind* a moment if the node had reported another winner of one of its documents by then, for good.
 */

/** The winner's revision; null: there is no document. */
export type State = string | null;

interface Row {
  readonly state: State;
  readonly rev: string;
  readonly at: number;
}

/** What one node's feed has told. Times are milliseconds of `performance.now()`. */
export class FeedLedger {
  readonly #rows: Map<string, Row[]> = new Map();
  readonly #born: Map<string, number> = new Map();
  /** Told of each row. */
  onRow: (id: string) => void = () => {};

  /** The node reports a winner. */
  report(id: string, rev: string, deleted: boolean, at: number = performance.now()): void {
    const rows = this.#rows.get(id) ?? [];
    this.#rows.set(id, rows);
    if (rows.at(-1)?.rev === rev) return;
    rows.push({ state: deleted ? null : rev, rev, at });
    this.onRow(id);
  }

  /** A revision was written; a row is not needed for it, for a feed leaves out what has been overwritten meanwhile. */
  written(rev: string, begun: number): void {
    this.#born.set(rev, begun);
  }

  /** All documents there ever were. */
  get ids(): IterableIterator<string> {
    return this.#rows.keys();
  }

  /** ms since the node reported something that replaces one of these states; undefined if it had not by this moment. */
  behind(states: ReadonlyMap<string, State>, moment: number): number | undefined {
    const ages = [...states].map(([id, state]) => this.#replaced(id, state, moment)).filter((at) =>
      at !== undefined
    );
    return ages.length === 0 ? undefined : moment - Math.min(...ages);
  }

  /** When something else took the place of a state, if that was not later than a moment. */
  #replaced(id: string, state: State, moment: number): number | undefined {
    const rows = this.#rows.get(id) ?? [];
    const current = rows.findLastIndex(({ at }) => at <= moment);
    if (current < 0 || rows.slice(current).some((row) => row.state === state)) return undefined;
    const last = rows.findLastIndex((row) => row.state === state);
    if (last >= 0) return rows[last + 1]!.at;
    // Never reported: it is older than the row only if it was written before what the row reports.
    const born = this.#born.get(state ?? "");
    const bornLater = this.#born.get(rows[current]!.rev);
    return born !== undefined && bornLater !== undefined && born < bornLater ? rows[current]!.at : undefined;
  }

  /** Reads the feed of a database until aborted, over and over. */
  async follow(database: URL, signal: AbortSignal): Promise<void> {
    for (let since = "0"; !signal.aborted;) {
      try {
        since = await this.#read(database, since, signal);
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  async #read(database: URL, since: string, signal: AbortSignal): Promise<string> {
    const { href, headers } = addressed(database);
    // Asked anew every few seconds, as a stream of a node that was paused may never end.
    const query = `feed=continuous&timeout=1000&since=${encodeURIComponent(since)}`;
    const own = AbortSignal.any([signal, AbortSignal.timeout(10_000)]);
    const response = await fetch(`${href}/_changes?${query}`, { headers, signal: own });
    let rest = "";
    let reached = since;
    try {
      for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split("\n");
        rest = lines.pop()!;
        for (const line of lines.filter((line) => line !== "")) {
          const row = JSON.parse(line);
          reached = row.seq ?? row.last_seq ?? reached;
          if (row.id !== undefined) this.report(row.id, row.changes[0].rev, row.deleted === true);
        }
      }
    } catch (error) {
      if (reached === since) throw error;
    }
    return reached;
  }
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
