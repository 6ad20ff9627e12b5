/**
 * Static files: `@std/http`'s file server finds the file and names its entity tag, `withEtag` judges the request by it.
 * So `If-Match` and `If-Unmodified-Since` hold too (412), which a file server on its own leaves out.
 *
 * ```sh
 * deno run --allow-net --allow-read --allow-env=PORT examples/static_files.ts ./public
 * ```
 *
 * @module
 */
import { serveDir } from "@std/http/file-server";
import { withEtag } from "@stillfresh/etag";

/** A handler for the files of a folder. */
export function staticFiles(folder: string): (request: Request) => Response | Promise<Response> {
  return withEtag((request: Request) => serveDir(request, { fsRoot: folder, quiet: true }));
}

if (import.meta.main) {
  const [folder = "."] = Deno.args;
  Deno.serve({ port: Number(Deno.env.get("PORT") ?? 8000) }, staticFiles(folder));
}
