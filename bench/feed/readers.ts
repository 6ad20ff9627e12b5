/** The ways to read a feed that are compared; each reads {@linkcode TOTAL} rows and looks at every id. */
import { changes, type ChangesOptions } from "../../src/couchdb/changes.ts";
import { TOTAL } from "./rows.ts";

type Fetch = NonNullable<ChangesOptions["fetch"]>;

/** Returns the number of characters of all ids, so that no reader can leave them out. */
export type Reader = (url: string, fetch: Fetch) => Promise<number>;

/** What one writes in a minute: no resumption, no watchdog, no probe. */
const bare: Reader = async (url, fetch) => {
  const abort = new AbortController();
  const query = "feed=continuous&heartbeat=10000&since=1-x";
  const response = await fetch(`${url}/_changes?${query}`, { signal: abort.signal });
  let tail = "";
  let count = 0;
  let sum = 0;
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  while (count < TOTAL) {
    const { value } = await reader.read();
    const lines = (tail + value).split("\n");
    tail = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") continue;
      const row = JSON.parse(line);
      count++;
      sum += row.id.length;
    }
  }
  abort.abort();
  await reader.cancel().catch(() => {});
  return sum;
};

const batches: Reader = async (url, fetch) => {
  let count = 0;
  let sum = 0;
  for await (const batch of changes(url, { since: "1-x", fetch }).batches()) {
    for (const { id } of batch.changes) sum += id.length;
    count += batch.changes.length;
    if (count === TOTAL) break;
  }
  return sum;
};

const oneByOne: Reader = async (url, fetch) => {
  let count = 0;
  let sum = 0;
  for await (const { id } of changes(url, { since: "1-x", fetch })) {
    sum += id.length;
    if (++count === TOTAL) break;
  }
  return sum;
};

export const readers: Readonly<Record<string, Reader>> = { bare, batches, "one by one": oneByOne };
