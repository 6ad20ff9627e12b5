/**
 * The recipes of `docs/frameworks.md`: where each is, and how its framework is built and started.
 *
 * @module
 */
import { readFileSync } from "node:fs";

/** A framework with its recipe. */
export interface Framework {
  /** As the table names it. */
  readonly name: string;
  /** Its package on npm. */
  readonly package: string;
  /** The file that the page shows, relative to this folder. */
  readonly recipe: string;
  /** How it is built; undefined: it need not be. */
  readonly build?: {
    readonly folder: string;
    readonly command: readonly string[];
  };
  /** The runtimes that the build is for; default: all. On others it is not run. */
  readonly runtimes?: readonly string[];
  /** What a runtime is started with, in the folder of the build. */
  readonly program: readonly string[];
}

/** A framework that gives a fetch handler or a server, started by `serve.js`. */
function handler(name: string, recipe: string, from = recipe): Framework {
  const file = `recipes/${recipe}.js`;
  return { name, package: from, recipe: file, program: ["serve.js", `./${file}`] };
}

/** All of them, in the order of the table. */
export const frameworks: readonly Framework[] = [
  handler("Hono", "hono"),
  handler("h3", "h3"),
  handler("itty-router", "itty-router"),
  handler("Elysia", "elysia"),
  handler("Express", "express"),
  handler("Fastify", "fastify"),
  handler("React Router", "react-router"),
  {
    name: "SvelteKit",
    package: "@sveltejs/kit",
    recipe: "sveltekit/src/hooks.server.js",
    build: { folder: "sveltekit", command: ["../node_modules/vite/bin/vite.js", "build"] },
    program: ["build/index.js"],
  },
  {
    name: "Astro",
    package: "astro",
    recipe: "astro/src/middleware.js",
    build: { folder: "astro", command: ["../node_modules/.bin/astro", "build"] },
    program: ["dist/server/entry.mjs"],
  },
  {
    name: "Nitro",
    package: "nitro",
    recipe: "nitro/routes/notes/[id].js",
    build: {
      folder: "nitro",
      command: ["../node_modules/nitro/dist/cli/index.mjs", "build"],
    },
    runtimes: ["Node"],
    program: [".output/server/index.mjs"],
  },
];

const here = new URL(".", import.meta.url);

/** The text of a recipe. */
export function recipeOf({ recipe }: Framework): string {
  return readFileSync(new URL(recipe, here), "utf8");
}

/** Lines that name the wrapper, the middleware, or an adapter to it. */
export function glueOf(framework: Framework): number {
  const glue = /\b(withEtag|etag\(|etag \}|toNodeHandler|answer\()/;
  return recipeOf(framework).split("\n").filter((line) => glue.test(line)).length;
}

/** The text of the page. */
export function page(): string {
  return readFileSync(new URL("../../docs/frameworks.md", here), "utf8");
}
