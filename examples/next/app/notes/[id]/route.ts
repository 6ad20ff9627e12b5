/** `GET /notes/milk`: a note as JSON. While its tag is valid, a conditional request is answered without the handler. */
import { dependsOn, withEtag } from "@stillfresh/etag";
import { readNote } from "../../../database.ts";
import { registry } from "../../../registry.ts";

interface Context {
  readonly params: Promise<{ readonly id: string }>;
}

async function getNote(
  _request: Request,
  { params }: Context,
): Promise<Response> {
  const note = await readNote((await params).id);
  if (note === undefined) {
    return new Response("There is no such note.\n", { status: 404 });
  }
  return Response.json(note, {
    headers: { "cache-control": "public, no-cache", ...dependsOn(note) },
  });
}

export const GET: (request: Request, context: Context) => Response | Promise<Response> = withEtag(getNote, {
  registry,
  cacheStatus: "Stillfresh",
});
