import { withEtag } from "@stillfresh/etag";
import { createRequestHandler } from "react-router";
import { build } from "../react_router_build.js";
import { registry } from "../notes.js";

const handler = createRequestHandler(build, "production");

export default { fetch: withEtag((request) => handler(request), { registry, cacheStatus: "Stillfresh" }) };
