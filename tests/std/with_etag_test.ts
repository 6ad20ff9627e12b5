import { assertEquals, assertExists, assertNotEquals, assertThrows } from "@std/assert";
import { dependsOn, EtagRegistry, withEtag } from "../../mod.ts";

const url = "https://example.com/posts/1";

function revalidation(etag: string): Request {
  return new Request(url, { headers: { "if-none-match": etag } });
}

Deno.test("withEtag: a declared page is revalidated without its handler, until its document changes", async () => {
  let revision = 1;
  let runs = 0;
  const registry = new EtagRegistry({ manual: true });
  const handler = withEtag((_request: Request) => {
    runs++;
    const headers = {
      "cache-control": "public, no-cache",
      ...dependsOn({ _id: "post-1", _rev: `${revision}-a` }),
    };
    return new Response(`revision ${revision}`, { headers });
  }, { registry });

  const first = await handler(new Request(url));
  const etag = first.headers.get("etag");
  assertExists(etag);
  assertEquals(first.headers.get("cache-groups"), null);

  const second = await handler(revalidation(etag));
  assertEquals([second.status, second.headers.get("etag"), runs], [304, etag, 1]);
  assertEquals(second.headers.get("cache-control"), "public, no-cache");

  revision = 2;
  registry.invalidate("post-1");
  const third = await handler(revalidation(etag));
  assertEquals([third.status, await third.text(), runs], [200, "revision 2", 2]);
  assertNotEquals(third.headers.get("etag"), etag);
});

Deno.test("dependsOn: an undefined source is a mistake, said at once", () => {
  assertThrows(() => dependsOn(undefined as unknown as string), TypeError);
});
