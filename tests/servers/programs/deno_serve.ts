import { site } from "../site.ts";

export default { fetch: (request: Request): Response | Promise<Response> => site(request) };
