/**
 * Static files on Node, Bun and Deno, without a package. The library does little here, and there is no registry: the file's
 * time and size are its tag, and `withEtag` evaluates `If-None-Match`, `If-Match` and dates by it. Of a 304 no byte is read.
 * A server or CDN in front that serves files does this better; `../static_files.ts` does it with Deno's file server.
 *
 *     curl -i http://localhost:8000/served.ts            200 with `ETag` and `Last-Modified`; with the tag: 304
 *
 * On Bun, `Bun.file(path)` can be the body.
 */
import { createReadStream } from "node:fs";
import { realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { withEtag } from "../../mod.ts";
import { PUBLIC } from "./served.ts";

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
};

/** A handler for the files of a folder. */
export function staticFiles(folder: string): (request: Request) => Response | Promise<Response> {
  return withEtag(async (request: Request) => {
    const path = await pathOf(request, folder);
    // The real path: no `..` and no symbolic link leads out of the folder.
    const file = path?.startsWith(await realpath(folder) + sep) ? await stat(path) : undefined;
    if (!path || !file?.isFile()) return new Response("Not found\n", { status: 404 });
    const headers = {
      ...PUBLIC,
      "content-type": types[extname(path)] ?? "application/octet-stream",
      "last-modified": file.mtime.toUTCString(),
      // Weak: two edits of one size may fit into one tick of the file system's clock.
      etag: `W/"${file.mtimeMs.toString(36)}-${file.size.toString(36)}"`,
    };
    let bytes: AsyncIterator<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      async pull(stream) {
        bytes ??= createReadStream(path)[Symbol.asyncIterator]();
        const { done, value } = await bytes.next();
        if (done) stream.close();
        else stream.enqueue(value);
      },
      cancel: async () => void await bytes?.return?.(),
    }, { highWaterMark: 0 });
    return new Response(body, { headers });
  }, { cacheStatus: "Stillfresh" });
}

async function pathOf(request: Request, folder: string): Promise<string | undefined> {
  try {
    return await realpath(join(folder, decodeURIComponent(new URL(request.url).pathname)));
  } catch {
    return undefined; // no file, or no legal name
  }
}
