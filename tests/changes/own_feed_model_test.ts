/**
 * Random lives of a source, under virtual time, against a model that knows when each document had which revision. A 304
 * from the registry must be true as of the feed's last contact.
 */
import fc from "../support/fast_check.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownFeed, type SourceConnection, type SourceController } from "../../src/changes/own_feed.ts";
import { dependsOn, EtagRegistry, follow, withEtag } from "../../mod.ts";
import { FakeTime } from "../support/fake_time.ts";
import { settled } from "../support/feed.ts";

const MAX_LAG = 1_000;
const DOCUMENTS = ["a", "b"];

/** How a client deals with its connection. */
type Client =
  /** one connection; says when it is cut */
  | "honest"
  /** one connection; says that it listens before it does */
  | "hasty"
  /** connects anew without a word, and can say which connection a token came through */
  | "named"
  /** connects anew without a word, and cannot */
  | "anonymous";

type Message = { readonly id: string } | { readonly token: string };

/** A connection as the server sees it. */
class Wire {
  subscribed = false;
  /** Nothing gets through any more, and neither end has noticed. */
  dead = false;
  readonly down: Message[] = [];
  readonly up: string[] = [];
  last: Message | undefined;
}

/** What a client was given, and what it was built from. */
interface Copy {
  readonly path: string;
  readonly etag: string;
  readonly revs: ReadonlyMap<string, number>;
}

class World {
  readonly time = new FakeTime();
  readonly registry = new EtagRegistry({ now: this.time.now, monotonic: this.time.monotonic });
  readonly follower;
  /** Per document: when each revision became the current one. */
  readonly #history = new Map(DOCUMENTS.map((id) => [id, [this.time.now()]]));
  readonly #wires = new Set<Wire>();
  readonly #client: Client;
  /** Subscriptions that have not taken effect. */
  #connecting: (() => void)[] = [];
  #cut = (): void => {};
  /** The client has said that it is cut, and the feed has not connected since. */
  #lost = false;
  readonly #gates: (() => void)[] = [];
  readonly #copies: Copy[] = [];
  readonly #handler;
  readonly #read = new WeakMap<Request, Map<string, number>>();
  hits = 0;
  losses = 0;
  readonly wrong: string[] = [];

  constructor(client: Client) {
    this.#client = client;
    const feed = ownFeed((controller) => this.#connect(controller), {
      ...this.time,
      random: () => 0.5,
      onLost: () => this.losses++,
    });
    this.follower = follow(this.registry, feed, { maxLag: MAX_LAG });
    this.#handler = withEtag((request: Request) => this.#render(request), { registry: this.registry });
  }

  #connect(controller: SourceController): SourceConnection | Promise<SourceConnection> {
    this.#lost = false;
    let wire = this.#open(controller);
    const connection: SourceConnection = {
      send: (token) => void wire.up.push(token),
      close: () => void this.#wires.delete(wire),
    };
    this.#cut = () => {
      wire.dead = true;
      if (this.#client === "honest" || this.#client === "hasty") {
        this.#lost = true;
        return controller.lost();
      }
      const next = wire = this.#open(controller);
      this.#connecting.push(() => next.subscribed = true);
    };
    if (this.#client === "hasty") {
      this.#connecting.push(() => wire.subscribed = true);
      return connection;
    }
    return new Promise((resolve) =>
      this.#connecting.push(() => {
        wire.subscribed = true;
        resolve(connection);
      })
    );
  }

  #open({ change, received }: SourceController): Wire {
    const wire = new Wire();
    this.#wires.add(wire);
    this.#deliver.set(wire, (message) => {
      if ("id" in message) change(message);
      else received(message.token, this.#client === "anonymous" ? "the client" : wire);
    });
    return wire;
  }
  readonly #deliver = new Map<Wire, (message: Message) => void>();

  #publish(message: Message): void {
    for (const wire of this.#wires) if (wire.subscribed && !wire.dead) wire.down.push(message);
  }

  #current(id: string): number {
    return this.#history.get(id)!.length;
  }

  async #render(request: Request): Promise<Response> {
    const path = new URL(request.url).pathname.slice(1);
    const revs = new Map<string, number>();
    this.#read.set(request, revs);
    for (const id of path.includes("ab") ? DOCUMENTS : [path.at(-1)!]) {
      revs.set(id, this.#current(id));
      await new Promise<void>((open) => this.#gates.push(open));
    }
    const bare = path.startsWith("bare");
    const sources = [...revs].map(([_id, rev]) => bare ? _id : { _id, _rev: `${rev}-x` });
    return new Response("page", { headers: { "cache-control": "public", ...dependsOn(...sources) } });
  }

  // What can happen. Each takes a number, and makes of it what it needs.

  readonly actions: Readonly<Record<string, (n: number) => void>> = {
    write: (n) => {
      const id = DOCUMENTS[n % 2]!;
      this.#history.get(id)!.push(this.time.now());
      this.#publish({ id });
    },
    listen: () => this.#connecting.shift()?.(),
    up: (n) => {
      const wire = this.#pick(n, ({ up, dead }) => up.length > 0 && !dead);
      if (wire !== undefined) this.#publish({ token: wire.up.shift()! });
    },
    // Also what a connection that is dead or closed had received before.
    down: (n) => {
      const wire = this.#pick(n, ({ down }) => down.length > 0);
      if (wire !== undefined) this.#deliver.get(wire)!(wire.last = wire.down.shift()!);
    },
    twice: (n) => {
      const wire = this.#pick(n, ({ last }) => last !== undefined);
      if (wire !== undefined) this.#deliver.get(wire)!(wire.last!);
    },
    flow: () => {
      for (const listen of this.#connecting.splice(0)) listen();
      for (const wire of this.#wires) {
        if (!wire.dead) { for (const token of wire.up.splice(0)) this.#publish({ token }); }
      }
      for (const [wire, deliver] of this.#deliver) {
        for (const message of wire.down.splice(0)) deliver(message);
      }
    },
    cut: (n) => {
      // What was under way arrives late, or never.
      if (n % 2 === 0) { for (const wire of this.#wires) wire.down.length = 0; }
      this.#cut();
    },
    stall: () => {
      for (const wire of this.#wires) wire.dead = true;
    },
    tick: (n) => this.time.advance(1 + n % (MAX_LAG / 2)),
    sleep: (n) => this.time.suspend(n % MAX_LAG),
    ask: (n) => {
      const paths = ["a", "b", "ab", "bare-a", "bare-ab"];
      void this.#ask(paths[n % paths.length]!);
    },
    revalidate: (n) => {
      // Mostly a young one: an old copy is hardly ever confirmed.
      const copy = this.#copies.at(-1 - n % 5) ?? this.#copies[0];
      if (copy !== undefined) void this.#ask(copy.path, copy);
    },
    finish: () => {
      for (const open of this.#gates.splice(0)) open();
    },
  };

  #pick(n: number, matches: (wire: Wire) => boolean): Wire | undefined {
    const wires = [...this.#deliver.keys()].filter(matches);
    return wires[n % wires.length];
  }

  async #ask(path: string, copy?: Copy): Promise<void> {
    const headers = copy === undefined ? {} : { "if-none-match": copy.etag };
    const request = new Request(`http://localhost/${path}`, { headers });
    const response = await this.#handler(request);
    const revs = this.#read.get(request);
    if (revs !== undefined) {
      const etag = response.headers.get("etag");
      if (etag !== null && response.status === 200) this.#copies.push({ path, etag, revs });
    } else if (copy !== undefined && response.status === 304) this.#judge(copy);
  }

  /** Every document of the copy was at its revision at the last contact, or has been since. */
  #judge({ path, revs }: Copy): void {
    this.hits++;
    const contact = this.time.now() - this.follower.lag;
    for (const [id, rev] of revs) {
      const end = this.#history.get(id)![rev];
      if (end !== undefined && end < contact) {
        this.wrong.push(`/${path}: ${id} left ${rev} ${contact - end} ms before the contact`);
      }
    }
    if (this.#lost) this.wrong.push(`/${path}: the source was known to be lost`);
    if (this.follower.lag > MAX_LAG) this.wrong.push(`/${path}: the contact was ${this.follower.lag} ms old`);
  }
}

const weights: Readonly<Record<string, number>> = {
  flow: 7,
  revalidate: 10,
  tick: 5,
  write: 4,
  finish: 6,
  ask: 5,
  up: 4,
  down: 5,
  listen: 1,
  twice: 1,
  cut: 1,
  stall: 0.3,
  sleep: 0.3,
};

const action = fc.oneof(
  ...Object.entries(weights).map(([name, weight]) => ({
    weight: 10 * weight,
    arbitrary: fc.tuple(fc.constant(name), fc.nat(10_000)),
  })),
);
const lives = fc.array(action, { minLength: 50, maxLength: 150, size: "max" });

async function live(client: Client, steps: readonly (readonly [string, number])[]): Promise<World> {
  const world = new World(client);
  for (const [name, n] of steps) {
    // No two things happen at the same moment, so that the model can tell which came first.
    world.time.advance(1);
    await settled();
    world.actions[name]!(n);
    await settled();
  }
  await world.follower.close();
  return world;
}

for (const client of ["honest", "hasty", "named"] as const) {
  test(`ownFeed, client ${client}: no 304 is wrong, whatever happens to the source`, async () => {
    let [hits, losses] = [0, 0];
    await fc.assert(
      fc.asyncProperty(lives, async (steps) => {
        const world = await live(client, steps);
        hits += world.hits;
        losses += world.losses;
        assert.deepEqual(world.wrong, []);
      }),
      { numRuns: 150 },
    );
    assert.ok(hits > 100 && losses > 20, `${hits} hits, ${losses} losses`);
  });
}

test("ownFeed, client anonymous: the same search finds what nothing can prove", async () => {
  const property = fc.asyncProperty(
    lives,
    async (steps) => (await live("anonymous", steps)).wrong.length === 0,
  );
  assert.equal((await fc.check(property, { numRuns: 1_000, seed: 1, endOnFailure: true })).failed, true);
});
