/**
 * One process of the site on Node. `cluster.ts` and PM2 (`pm2.config.cjs`) start several, which share the port.
 *
 *     node examples/processes/node.ts
 *
 * Environment: `PORT` (8000).
 */
import { serve } from "@hono/node-server";
import process from "node:process";
import { createSite } from "./site.ts";

serve({ fetch: createSite(), hostname: "127.0.0.1", port: Number(process.env["PORT"] ?? 8000) });
