/** A database that is a function given as `fetch`: a test says what its one page and its live feed hold, byte for byte. */

/** Answers of a stub. */
export interface Stub {
  /** Everything asked, in order. */
  readonly asked: URL[];
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
}

/** Rows as they are on the wire. */
export interface WireRow {
  readonly seq: unknown;
  readonly id?: unknown;
  readonly changes?: readonly unknown[];
  readonly [key: string]: unknown;
}

/** A row with one leaf. */
export function row(seq: unknown, id: string, rev = "1-a"): WireRow {
  return { seq, id, changes: [{ rev }] };
}

/**
 * A database with these rows and this position; after its first page nothing is new.
 *
 * @param results Rows, or the text of the whole page.
 * @param live The text of the live feed, which then stays open. It arrives one byte at a time.
 */
export function stub(
  results: readonly WireRow[] | string,
  lastSeq: unknown,
  live = "\n",
  more: object = {},
): Stub {
  const asked: URL[] = [];
  const fetch = (href: string, init: RequestInit): Promise<Response> => {
    const url = new URL(href);
    asked.push(url);
    if (!url.pathname.endsWith("_changes")) {
      return Promise.resolve(
        Response.json({ update_seq: lastSeq, instance_start_time: "1", purge_seq: "0-x" }),
      );
    }
    if (url.searchParams.get("feed") === "continuous") return Promise.resolve(open(live, init.signal));
    const page = typeof results === "string"
      ? new Response(results, { headers: { "content-type": "application/json" } })
      : Response.json({ results, last_seq: lastSeq, pending: 0, ...more });
    return Promise.resolve(page);
  };
  return { asked, fetch };
}

/** A body that says this, and then nothing until it is aborted. */
function open(text: string, signal: AbortSignal | null | undefined): Response {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      for (const byte of new TextEncoder().encode(text)) controller.enqueue(Uint8Array.of(byte));
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}
