import { assert, assertEquals, assertMatch } from "@std/assert";
import { staticFiles } from "../../examples/static_files.ts";

/** A folder with one page, served over a real socket. */
async function served(visit: (url: string, file: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/page.html`;
  await Deno.writeTextFile(file, "<h1>First</h1>");
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, staticFiles(folder));
  try {
    await visit(`http://127.0.0.1:${server.addr.port}/page.html`, file);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Status, fields and text of one answer. */
async function get(url: string, headers: Record<string, string> = {}): Promise<[number, Headers, string]> {
  const response = await fetch(url, { headers });
  return [response.status, response.headers, await response.text()];
}

Deno.test("staticFiles: the file server's own tag is kept, and answers 304", async () => {
  await served(async (url) => {
    const [status, headers, text] = await get(url);
    assertEquals([status, text], [200, "<h1>First</h1>"]);
    const etag = headers.get("etag") ?? "";
    assertMatch(etag, /^(W\/)?".+"$/);
    const [again, fields, body] = await get(url, { "if-none-match": etag });
    assertEquals([again, fields.get("etag"), body], [304, etag, ""]);
    assertEquals((await get(url, { "if-none-match": `"a,b", ${etag}` }))[0], 304);
  });
});

Deno.test("staticFiles: an edit of the file changes the tag", async () => {
  await served(async (url, file) => {
    const etag = (await get(url))[1].get("etag") ?? "";
    await Deno.writeTextFile(file, "<h1>Second, and longer</h1>");
    const [status, headers, text] = await get(url, { "if-none-match": etag });
    assertEquals([status, text], [200, "<h1>Second, and longer</h1>"]);
    assert(headers.get("etag") !== etag);
  });
});

Deno.test("staticFiles: If-Match holds only for the current strong tag (RFC 9110 §13.1.1)", async () => {
  await served(async (url) => {
    assertEquals((await get(url, { "if-match": '"another"' }))[0], 412);
    assertEquals((await get(url, { "if-match": "*" }))[0], 200);
  });
});

Deno.test("staticFiles: If-Unmodified-Since before the last edit is a 412 (RFC 9110 §13.1.4)", async () => {
  await served(async (url) => {
    const epoch = "Thu, 01 Jan 1970 00:00:00 GMT";
    assertEquals((await get(url, { "if-unmodified-since": epoch }))[0], 412);
  });
});

Deno.test("staticFiles: a range passes through", async () => {
  await served(async (url) => {
    const [status, headers, text] = await get(url, { range: "bytes=0-3" });
    assertEquals([status, text, headers.get("content-range")], [206, "<h1>", "bytes 0-3/14"]);
  });
});

Deno.test("staticFiles: a file that is not there is a 404", async () => {
  await served(async (url) => {
    assertEquals((await get(`${url}x`, { "if-none-match": '"a"' }))[0], 404);
  });
});
