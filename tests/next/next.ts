/**
 * `deno task next`: `examples/next` under a real `next build && next start`, with the library from its npm tarball.
 * `deno task next -- --webpack` builds it with webpack; without, Next takes Turbopack.
 *
 * @module
 */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { NextProject } from "./project.ts";
import { eventually, Site } from "./site.ts";

/** As `examples/next/instrumentation.ts` has it, in ms. */
const MAX_LAG = 10_000;

const project = await NextProject.install();
const skip = project === undefined;
if (skip) console.warn("next: SKIPPED, every test, because npm does not answer from here");
after(() => project?.remove());

const started = (use: (site: Site) => Promise<void>): Promise<void> => Site.with(project!, "start", use);

test("next build: takes the example, with types, and warns of nothing", { skip }, async () => {
  const output = await project!.build(...Deno.args);
  assert.match(output, /ƒ \/notes\/\[id\]/, "the route is dynamic");
  // On a machine of CI, Next advises to keep the cache of its builds.
  assert.doesNotMatch(output.replace(/^.*No build cache found.*$/m, ""), /warning|⚠/i);
});

test(
  "next start: a hit, with the tag and the fields as they were made",
  { skip },
  () =>
    started(async (site) => {
      const etag = await site.confirmedTag();
      const { reads } = site.gate;
      const { status, headers, body, cacheStatus } = await site.ask(etag);
      assert.deepEqual([status, cacheStatus, body], [304, "hit", ""]);
      assert.equal(headers.get("etag"), etag);
      assert.equal(headers.get("cache-control"), "public, no-cache");
      assert.equal(site.gate.reads, reads, "the handler did not run");
      assert.match(etag, /^"1-/, "a strong tag from the revision");
      assert.deepEqual([...headers.keys()].filter((name) => name.startsWith("stillfresh")), []);
    }),
);

test("next start: an edit in the database is seen within maxLag", { skip }, () =>
  started(async (site) => {
    const etag = await site.confirmedTag();
    const answer = await site.refusal(etag, await site.edit("Oat milk."), MAX_LAG);
    assert.match(answer.cacheStatus, /detail=group-changed$/);
    assert.match(answer.body, /Oat milk/);
  }));

test(
  "next start: an edit is seen within maxLag while the feed is held back",
  { skip },
  () =>
    started(async (site) => {
      const etag = await site.confirmedTag();
      site.gate.hold();
      const answer = await site.refusal(etag, await site.edit("Oat milk."), MAX_LAG);
      assert.match(answer.cacheStatus, /detail="?suspended/);
      assert.match(answer.body, /Oat milk/);
      site.gate.release();
      assert.match(await site.confirmedTag(), /^"2-/);
    }),
);

test(
  "next start: a server action is seen at once, before the feed tells of it",
  { skip },
  () =>
    started(async (site) => {
      const etag = await site.confirmedTag();
      site.gate.hold();
      await site.save("Oat milk.");
      const answer = await site.ask(etag);
      assert.equal(answer.status, 200);
      assert.match(answer.cacheStatus, /detail=group-changed$/);
      assert.match(answer.body, /Oat milk/);
    }),
);

/** A route that calls `register` once more, from another instance of the module than Next has called it in. */
const registerAgain = `import { register } from "../../instrumentation.ts";
export async function POST() {
  await register();
  return new Response("registered");
}
`;

test(
  "next dev: a hot reload keeps the registry, and one follower",
  { skip },
  () =>
    Site.with(project!, "dev", async (site) => {
      await site.confirmedTag();
      assert.equal(site.gate.feeds, 1);

      const route = "app/notes/[id]/route.ts";
      await project!.write(route, (await project!.read(route)).replace('"Stillfresh"', '"Reloaded"'));
      await eventually("the new route", async () => (await site.ask()).cacheName === "Reloaded");
      await site.confirmedTag();
      assert.equal(site.gate.feeds, 1);

      await project!.write("app/again/route.ts", registerAgain);
      await eventually("a second call of register", async () => {
        const response = await site.fetch("/again", { method: "POST" });
        return await response.text() === "registered";
      });
      await site.confirmedTag();
      await eventually("one feed", () => site.gate.feeds === 1);
    }),
);

test("next start: a registry that was not handed over confirms nothing, and says why", { skip }, async () => {
  const forgotten =
    'import { EtagRegistry } from "@stillfresh/etag";\nexport const registry = new EtagRegistry();\n';
  await project!.write("registry.ts", forgotten);
  await project!.build(...Deno.args);
  await started(async (site) => {
    await eventually("a feed", () => site.gate.feeds === 1);
    for (let edit = 1; edit <= 3; edit++) {
      const etag = (await site.ask()).headers.get("etag")!;
      const { reads } = site.gate;
      const confirmed = await site.ask(etag);
      assert.match(confirmed.cacheStatus, /fwd-status=200; .*detail=unfollowed$/);
      assert.equal(site.gate.reads, reads + 1, "the handler ran");
      await site.edit(`Milk, ${edit} bottles.`);
      const answer = await site.ask(etag);
      assert.equal(answer.status, 200);
      assert.match(answer.body, new RegExp(`${edit} bottles`));
    }
    assert.equal(site.server.output.split("no feed is followed").length, 2, "said once");
  });
});
