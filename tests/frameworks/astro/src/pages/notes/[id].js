import { dependsOn, invalidates } from "@stillfresh/etag";
import { readNote, writeNote } from "../../../../notes.js";

export const prerender = false;

/** @type {import("astro").APIRoute} */
export function GET({ params }) {
  const note = readNote(params["id"] ?? "");
  return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
}

/** @type {import("astro").APIRoute} */
export async function PUT({ params, request }) {
  const note = writeNote(params["id"] ?? "", await request.text());
  return new Response(null, { status: 204, headers: invalidates(note) });
}
