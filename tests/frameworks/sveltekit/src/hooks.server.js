import { withEtag } from "@stillfresh/etag";
import { registry } from "../../notes.js";

/** @typedef {import("@sveltejs/kit/hooks").Handle} Handle */

const answer = withEtag(
  (/** @type {Request} */ _request, /** @type {Parameters<Handle>[0]} */ { event, resolve }) =>
    resolve(event),
  { registry, cacheStatus: "Stillfresh" },
);

/** @type {Handle} */
export const handle = (input) => answer(input.event.request, input);
