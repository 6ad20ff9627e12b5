/** The example without CouchDB: what the channel reports voids the page, and a channel that may have missed it too. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Channel, ChannelClient, Prices, servePrices } from "../../examples/own_feed.ts";
import { FakeTime } from "../support/fake_time.ts";
import { settled } from "../support/feed.ts";

const MAX_LAG = 1_000;

async function setUp(Client: new (channel: Channel) => ChannelClient = ChannelClient) {
  const channel = new Channel();
  const prices = new Prices(channel);
  const time = new FakeTime();
  const clients: ChannelClient[] = [];
  const connect = () => {
    const client = new Client(channel);
    clients.push(client);
    return client;
  };
  const { fetch, follower } = servePrices(prices, connect, { ...time, random: () => 0, maxLag: MAX_LAG });
  await follower.ready;
  const ask = (name: string, etag = "") =>
    fetch(new Request(`http://localhost/${name}`, { headers: { "if-none-match": etag } }));
  const tagOf = async (name: string) => (await ask(name)).headers.get("etag")!;
  const advance = async (ms: number) => {
    time.advance(ms);
    await settled();
  };
  return { channel, prices, clients, follower, ask, tagOf, advance };
}

test("own feed: a new price takes the old tag out, and no other", async () => {
  const { prices, follower, ask, tagOf } = await setUp();
  const [tea, cake] = [await tagOf("tea"), await tagOf("cake")];
  assert.equal((await ask("tea", tea)).status, 304);
  prices.set("tea", 320);
  await settled();
  const response = await ask("tea", tea);
  assert.deepEqual(await response.json(), { name: "tea", price: 320 });
  assert.equal((await ask("cake", cake)).status, 304);
  assert.equal((await ask("water")).status, 404);
  await follower.close();
});

test("own feed: cut, written to, asked: no 304 is wrong, and all is well once a token is back", async () => {
  const { channel, prices, clients, follower, ask, tagOf, advance } = await setUp();
  const tea = await tagOf("tea");
  channel.cut();
  prices.set("tea", 320);
  await settled();
  assert.equal(follower.live, false);
  assert.equal((await ask("tea", tea)).status, 200);
  await advance(0);
  assert.deepEqual([clients.length, follower.live], [2, true]);
  assert.equal((await ask("tea", tea)).status, 200);
  assert.equal((await ask("tea", await tagOf("tea"))).status, 304);
  await follower.close();
});

/** A client that connects anew by itself, and tells its user nothing. */
class SilentClient extends ChannelClient {
  readonly #channel: Channel;

  constructor(channel: Channel) {
    super(channel);
    this.#channel = channel;
  }

  override dispatchEvent(event: Event): boolean {
    if (event.type !== "close") return super.dispatchEvent(event);
    queueMicrotask(() => this.session = this.#channel.join(this));
    return true;
  }
}

test("own feed: a client that connects anew without a word is found out by the next token", async () => {
  const { channel, prices, clients, follower, ask, tagOf, advance } = await setUp(SilentClient);
  const tea = await tagOf("tea");
  channel.cut();
  prices.set("tea", 320);
  await settled();
  assert.equal(follower.live, true, "nothing shows it yet");
  await advance(MAX_LAG / 2);
  assert.equal(follower.live, false);
  assert.equal((await ask("tea", tea)).status, 200);
  await advance(0);
  assert.deepEqual([clients.length, follower.live], [2, true]);
  assert.equal((await ask("tea", tea)).status, 200);
  await follower.close();
});

test("own feed: a connection that is dead without a sign answers no longer than maxLag", async () => {
  const { prices, clients, follower, ask, tagOf, advance } = await setUp();
  const tea = await tagOf("tea");
  clients[0]!.close();
  prices.set("tea", 320);
  for (let lag = 0; lag < MAX_LAG; lag += MAX_LAG / 2) await advance(MAX_LAG / 2);
  assert.equal(follower.live, false);
  assert.equal((await ask("tea", tea)).status, 200);
  await advance(0);
  assert.equal(follower.live, true);
  assert.equal((await ask("tea", tea)).status, 200);
  await follower.close();
});
