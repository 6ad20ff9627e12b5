import { site } from "../site.ts";

const onListen = ({ port }: { port: number }) => console.log(`listening on http://127.0.0.1:${port}/`);
const automaticCompression = Deno.args.includes("compressed");
Deno.serve({ port: 0, hostname: "127.0.0.1", onListen, automaticCompression }, (request) => site(request));
