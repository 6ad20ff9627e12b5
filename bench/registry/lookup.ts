/**
 * Matching alone: what a hit does before its response is built. Included: `request.url`, `request.headers.get()`, the
 * look-up with both clocks, and the comparison of the tags. Warm, over 1,000 entries, Requests made beforehand.
 *
 * `deno run -A bench/registry/lookup.ts`, `bun bench/registry/lookup.ts`, `node bench/registry/lookup.ts`.
 *
 * @module
 */
import { add, liveRegistry, mixes, print, runtime, url, windows } from "./support.ts";
import { coreOf } from "../../src/registry/core.ts";

const PAGES = 1024;
const CALLS = 256 * PAGES;
const TAG = '"2-dcaf7822f26d21ce1d1a2c54.K7gNU3sdo-O"';
const ALLOWED = { Deno: [160, 280], Bun: [120, 160], Node: [190, 270] }[runtime];

const registry = liveRegistry();
const personal = liveRegistry();
for (let page = 0; page < PAGES; page++) {
  add(registry, page, mixes.own, TAG);
  add(personal, page, mixes.own, TAG, "session-4711");
}
const headers = { "if-none-match": TAG, accept: "text/html", "user-agent": "bench" };
const requests = Array.from({ length: PAGES }, (_, page) => new Request(url(page), { headers }));

function matches(from: typeof registry, request: Request, caller?: string): boolean {
  const { headers } = request;
  const field = headers.get("if-none-match");
  if (field === null) return false;
  const entry = coreOf(from).lookup(request.url, headers, caller);
  return typeof entry !== "string" && field === entry.etag;
}

/** Calls for all requests in turn, each of which has to give something. */
function every(call: (request: Request, at: number) => unknown): () => void {
  return () => {
    let given = 0;
    for (let n = 0; n < CALLS; n++) {
      const at = n & (PAGES - 1);
      if (call(requests[at]!, at)) given++;
    }
    if (given !== CALLS) throw new Error(`${given} of ${CALLS}`);
  };
}

const keys = requests.map(({ url }) => url);
const cases = {
  "matching": every((request) => matches(registry, request)),
  "matching, with a caller": every((request) => matches(personal, request, "session-4711")),
  "of it: reading the Request": every(({ url, headers }) => headers.get("if-none-match") === TAG && url),
  "of it: the two clocks": every(() => Date.now() > 0 && performance.now() > 0),
  "of it: look-up and comparison, clocks included": every((request, at) => {
    const entry = coreOf(registry).lookup(keys[at]!, request.headers);
    return typeof entry !== "string" && TAG === entry.etag;
  }),
};
console.log(`${runtime}: matching alone, ${PAGES} entries`);
print(windows(cases, CALLS), "ns", {
  "matching": `≤ ${ALLOWED[0]}`,
  "matching, with a caller": `≤ ${ALLOWED[1]}`,
});
