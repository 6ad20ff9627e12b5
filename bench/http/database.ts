/**
 * A database of documents of about 9 KB, answering single reads as CouchDB does, and nothing else. It does little, so
 * that the web server is what is measured, and the load is not kept waiting.
 *
 * @module
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { PAGES } from "./pages.ts";

/** A post of a blog. */
export interface Article {
  readonly _id: string;
  readonly _rev: string;
  readonly title: string;
  readonly author: string;
  readonly paragraphs: readonly string[];
}

const paragraph = 'Text with "quotes" & other signs that have to be escaped, long enough for a paragraph. ';

function articleOf(n: number): Article {
  return {
    _id: `post-${n}`,
    _rev: `1-${n.toString(16).padStart(32, "0")}`,
    title: `Post ${n}`,
    author: "A. Author",
    paragraphs: Array.from({ length: 24 }, () => paragraph.repeat(4)),
  };
}

const documents = new Map<string, { readonly etag: string; readonly text: string }>();
for (let n = 0; n < PAGES; n++) {
  const article = articleOf(n);
  documents.set(`/blog/${article._id}`, { etag: `"${article._rev}"`, text: JSON.stringify(article) });
}

const server = createServer((request, response) => {
  const found = documents.get(request.url ?? "");
  response.writeHead(found === undefined ? 404 : 200, {
    "Cache-Control": "must-revalidate",
    "Content-Type": "application/json",
    ...found === undefined ? {} : { ETag: found.etag },
  });
  response.end(found?.text ?? '{"error":"not_found","reason":"missing"}\n');
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
process.stdin.resume().on("end", () => process.exit());
