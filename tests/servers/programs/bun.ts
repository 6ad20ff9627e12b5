import { site } from "../site.ts";

interface BunServe {
  serve(options: object): { readonly port: number };
  readonly argv: readonly string[];
}
const { Bun } = globalThis as unknown as { Bun: BunServe };
const answer = (request: Request) => site(request);
const handlers = Bun.argv.includes("routes") ? { routes: { "/*": answer } } : { fetch: answer };
const { port } = Bun.serve({ port: 0, hostname: "127.0.0.1", ...handlers });
console.log(`listening on http://127.0.0.1:${port}/`);
