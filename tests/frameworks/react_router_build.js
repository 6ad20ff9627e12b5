/**
 * What `react-router build` would make of an application with one resource route, written by hand: the server's handler
 * takes it like any other.
 */
import { dependsOn, invalidates } from "@stillfresh/etag";
import { readNote, writeNote } from "./notes.js";

/** The route module `routes/notes.$id.js`. */
const note = {
  /** @param {{ params: Record<string, string | undefined> }} args */
  loader({ params }) {
    const note = readNote(params["id"] ?? "");
    return Response.json(note, { headers: { "cache-control": "public, no-cache", ...dependsOn(note) } });
  },
  /** @param {{ params: Record<string, string | undefined>, request: Request }} args */
  async action({ params, request }) {
    const note = writeNote(params["id"] ?? "", await request.text());
    return new Response(null, { status: 204, headers: invalidates(note) });
  },
};

/** @type {any} */
export const build = {
  entry: { module: { default: () => new Response("no page has been made", { status: 500 }) } },
  routes: { "routes/notes": { id: "routes/notes", path: "notes/:id", module: note } },
  assets: { entry: { imports: [], module: "" }, routes: {}, url: "", version: "1" },
  publicPath: "/",
  assetsBuildDirectory: "",
  future: {},
  ssr: true,
  isSpaMode: false,
  prerender: [],
  routeDiscovery: { mode: "initial" },
};
