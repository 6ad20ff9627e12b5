import { serve } from "srvx";
import { site } from "../site.ts";

const server = serve({ fetch: (request) => site(request), port: 0, hostname: "127.0.0.1", silent: true });
await server.ready();
console.log(`listening on ${server.url}`);
