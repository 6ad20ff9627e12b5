/** A feed that is in reach of the process is asked before each answer. */
import assert from "node:assert/strict";
import test from "node:test";
import { dependsOn, EtagRegistry, follow, type FollowOptions, mapFeed, withEtag } from "../../mod.ts";
import type { ChangeBatch, ChangesFeed, FeedLook, Position } from "../../src/changes/change.ts";
import { instant, systemClock } from "../../src/changes/clock.ts";

const at = (since: number): Position => ({ since, source: "log" });

/** A log in memory: batches say what the test lets them say, and a look reads the log as it is. */
class LogFeed implements ChangesFeed {
  readonly log: string[] = [];
  looks = 0;
  readonly #batches: ChangeBatch[] = [];
  #wake = () => {};
  readonly position = undefined;

  tell(batch: Partial<ChangeBatch>): Promise<void> {
    this.#batches.push({
      changes: [],
      position: at(this.log.length),
      state: "live",
      contact: instant(systemClock),
      ...batch,
    });
    this.#wake();
    return new Promise((resolve) => setTimeout(resolve));
  }

  look(from: Position | undefined): FeedLook | undefined {
    this.looks++;
    const known = from!.since as number;
    if (known === this.log.length) return undefined;
    return {
      changes: this.log.slice(known).map((id) => ({ id })),
      position: at(this.log.length),
    };
  }

  batches(): AsyncIterableIterator<ChangeBatch> {
    const next = async (): Promise<IteratorResult<ChangeBatch>> => {
      for (;;) {
        const value = this.#batches.shift();
        if (value !== undefined) return { done: false, value };
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    };
    return {
      next,
      return: () => Promise.resolve({ done: true, value: undefined }),
      [Symbol.asyncIterator]: function () {
        return this;
      },
    };
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<never> {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function withSite(
  use: (
    site: {
      feed: LogFeed;
      get: (etag?: string) => Promise<Response>;
      runs: () => number;
    },
  ) => Promise<void>,
  mapped: (feed: LogFeed) => ChangesFeed = (feed) => feed,
  options: FollowOptions = {},
): Promise<void> {
  const feed = new LogFeed();
  const registry = new EtagRegistry();
  const follower = follow(registry, mapped(feed), options);
  let runs = 0;
  const handler = withEtag(() => {
    runs++;
    return new Response("page", {
      headers: { "cache-control": "public, no-cache", ...dependsOn("posts") },
    });
  }, { registry });
  const get = async (etag?: string) =>
    await handler(
      new Request(
        "http://site/",
        etag === undefined ? {} : { headers: { "if-none-match": etag } },
      ),
    );
  await feed.tell({});
  await use({ feed, get, runs: () => runs });
  await follower.close();
}

test("look: a change that no batch has told of voids the page before it is answered", () =>
  withSite(async ({ feed, get, runs }) => {
    const etag = (await get()).headers.get("etag")!;
    assert.equal((await get(etag)).status, 304);
    assert.equal(runs(), 1);
    feed.log.push("posts");
    assert.equal((await get(etag)).status, 200);
    assert.equal(runs(), 2);
  }));

test("look: what was committed before the handler began does not keep its page out", () =>
  withSite(async ({ feed, get, runs }) => {
    feed.log.push("posts");
    const etag = (await get()).headers.get("etag")!;
    assert.equal((await get(etag)).status, 304);
    assert.equal(runs(), 1);
  }));

test("look: a feed that is lost is not asked, so that no look revives it", () =>
  withSite(async ({ feed, get, runs }) => {
    const etag = (await get()).headers.get("etag")!;
    await feed.tell({ state: "lost" });
    feed.log.push("else");
    const { looks } = feed;
    await get(etag);
    assert.equal(runs(), 2);
    assert.equal(feed.looks, looks);
    await feed.tell({});
    assert.equal((await get((await get()).headers.get("etag")!)).status, 304);
  }));

test("look: groups that ask the registry do not ask the feed again", async () => {
  let ask = () => {};
  let told = 0;
  await withSite(
    async ({ feed, get, runs }) => {
      const etag = (await get()).headers.get("etag")!;
      ask = () => void get(etag);
      feed.log.push("else", "else");
      await get(etag);
      assert.equal(told, 2);
      assert.equal(
        runs(),
        4,
        "nothing was answered while the changes were applied",
      );
    },
    undefined,
    { groups: () => (told++, ask(), []) },
  );
});

test("look: a mapped feed is asked too, by the ids that it gives", () =>
  withSite(async ({ feed, get, runs }) => {
    const etag = (await get()).headers.get("etag")!;
    feed.log.push("other");
    assert.equal((await get(etag)).status, 304);
    feed.log.push("pos");
    const second = await get(etag);
    assert.equal(second.status, 200);
    feed.log.push("throws");
    await get(second.headers.get("etag")!);
    assert.equal(runs(), 3, "what cannot be mapped voids everything");
  }, (feed) =>
    mapFeed(feed, ({ id }) => {
      if (id === "throws") throw new Error(id);
      return { id: `${id}ts` };
    })));

test("mapFeed: a feed that cannot be asked stays one", () => {
  const feed: ChangesFeed = Object.assign(new LogFeed(), {
    look: undefined,
  }) as unknown as ChangesFeed;
  assert.equal(mapFeed(feed, (change) => change).look, undefined);
});
