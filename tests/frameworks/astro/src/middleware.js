import { withEtag } from "@stillfresh/etag";
import { registry } from "../../notes.js";

const answer = withEtag(
  (/** @type {Request} */ _request, /** @type {import("astro").MiddlewareNext} */ next) => next(),
  { registry, cacheStatus: "Stillfresh" },
);

/** @type {import("astro").MiddlewareHandler} */
export const onRequest = ({ request }, next) => answer(request, next);
