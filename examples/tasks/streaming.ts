/**
 * A page that is sent while it is built. Its fields go out first, so what it will read has to be declared before: by id, and
 * without a revision, because which revision it will read is not known yet.
 *
 *     curl -iN http://localhost:8000/
 */
import type { DocumentScope } from "nano";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { changes } from "../../src/nano.ts";
import { PUBLIC, type Served } from "./served.ts";

const CHAPTERS = ["chapter-1", "chapter-2", "chapter-3"];

export function serveStream(book: DocumentScope<{ text: string }>): Served {
  const registry = new EtagRegistry();
  const follower = follow(registry, changes(book));
  const handler = withEtag(() => {
    const left = [...CHAPTERS];
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const id = left.shift();
        if (id === undefined) return controller.close();
        const { text } = await book.get(id);
        controller.enqueue(new TextEncoder().encode(`${text}\n`));
      },
    });
    return new Response(body, {
      headers: { ...PUBLIC, "content-type": "text/plain", ...dependsOn(...CHAPTERS) },
    });
  }, { registry, cacheStatus: "Stillfresh" });
  return { fetch: (request) => handler(request), registry, follower };
}
