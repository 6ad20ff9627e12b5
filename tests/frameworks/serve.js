/** Serves a recipe on a free port, with the server of this runtime, and prints its address. */
import { once } from "node:events";
import process from "node:process";
import { serve } from "srvx";

const { default: app } = await import(process.argv[2]);
if (typeof app.fetch === "function") {
  const server = serve({
    fetch: (request) => app.fetch(request),
    port: 0,
    hostname: "127.0.0.1",
    silent: true,
  });
  await server.ready();
  console.log(`listening on ${server.url}`);
} else if (typeof app.ready === "function") {
  console.log(`listening on ${await app.listen({ port: 0, host: "127.0.0.1" })}`);
} else {
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  console.log(`listening on http://127.0.0.1:${server.address().port}/`);
}
