/**
 * Each configuration of `examples/proxies` with its program, under each header that it is meant for. `deno task proxies`
 * is the long run.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cacheControls, caches } from "./caches.ts";
import { type Figures, Load, runAll } from "./load.ts";

const isDeno = "Deno" in globalThis;
const PLAN = { pages: 10, requests: 80, edits: 5, seconds: 4, seed: 18 };

/** All run at once, begun by the first test. */
let figures: Promise<Record<string, Figures>> | undefined;

function begin(): Promise<Record<string, Figures>> {
  const loads: Record<string, () => Promise<Load>> = {};
  for (const [key, { installed, modes, start }] of Object.entries(caches)) {
    if (!installed) continue;
    for (const mode of modes) {
      loads[`${key} ${mode}`] = () => Load.open(start, { ...PLAN, cacheControl: cacheControls[mode] });
    }
  }
  return figures ??= runAll(loads);
}

for (const [key, { name, packages, installed, modes, revalidates }] of Object.entries(caches)) {
  const skip = !isDeno
    ? "caches in front are run on Deno only, to save time"
    : installed
    ? false
    : `no ${name}; apt-get install ${packages.join(" ")}`;
  for (const mode of modes) {
    test(`examples/proxies: ${name}, ${cacheControls[mode]}`, { skip }, async () => {
      const found = (await begin())[`${key} ${mode}`]!;
      assert.deepEqual(found.wrong, []);
      const { requests, reached, conditional, notModified, handlerRuns, confirmed } = found;
      assert.ok(conditional > 0, "no condition has reached the site");
      assert.equal(
        reached,
        notModified + handlerRuns,
        "each is answered 304 by the registry, or by the handler",
      );
      assert.ok(notModified > 0, "no condition has held");
      assert.ok(confirmed > 0, "no client has got a 304");
      if (mode === "kept") assert.ok(reached < requests, "the cache has answered nothing");
      else if (revalidates.includes(mode)) {
        assert.ok(notModified > confirmed, "the cache has asked for itself");
      }
    });
  }
}
