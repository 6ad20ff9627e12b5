/**
 * The way into the registry: taking a lease and registering a response of three groups, new or in the place of a
 * previous one; without `Vary` and caller, with either.
 *
 * `deno run -A bench/registry/register.ts`, `bun bench/registry/register.ts`, `node bench/registry/register.ts`.
 *
 * @module
 */
import { EtagRegistry } from "../../src/registry/registry.ts";
import { print, runtime, windows } from "./support.ts";
import { coreOf } from "../../src/registry/core.ts";

const CALLS = 10_240;
const PAGES = 1024;
const TAG = '"2-dcaf7822f26d21ce1d1a2c54.K7gNU3sdo-O"';
const urls = Array.from({ length: PAGES }, (_, page) => `https://example.org/posts/${page}`);
const sources = urls.map((_, page) => {
  return [{ _id: `post-${page}`, _rev: "1-a" }, { _id: `author-${page % 10}` }, { _id: "posts" }];
});
const fields = { "cache-control": "public, no-cache", vary: "accept-encoding" };
const headers = new Headers({ "accept-encoding": "gzip" });

function registering(etag: string | undefined, vary: readonly string[], caller?: string): () => void {
  const registry = new EtagRegistry({ manual: true });
  return () => {
    for (let n = 0; n < CALLS; n++) {
      const page = n & (PAGES - 1);
      const lease = coreOf(registry).lease(urls[page]!, caller);
      const entry = coreOf(registry).register(lease, {
        ...{
          etag,
          representation: "K7gNU3sdo-O",
          lastModified: undefined,
          fields,
          isPublic: true,
          anyOrigin: true,
          expires: Infinity,
          vary,
        },
        dependencies: sources[page]!,
      }, headers);
      if (typeof entry === "string") throw new Error(entry);
    }
    if (registry.size !== PAGES) throw new Error(`${registry.size} entries`);
  };
}

console.log(`${runtime}: lease and register`);
print(
  windows({
    "a tag of the handler's": registering(TAG, []),
    "a minted tag, kept": registering(undefined, []),
    "with Vary": registering(TAG, ["accept-encoding"]),
    "with a caller": registering(TAG, [], "session-4711"),
  }, CALLS),
  "ns",
);
