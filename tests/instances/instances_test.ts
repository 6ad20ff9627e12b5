/** Several processes of the demo: their tags agree, none of them confirms what is no longer so, and none is missed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Copy } from "../chaos/copy.ts";
import { Random } from "../simulation/random.ts";
import { nginxProgram } from "../support/nginx.ts";
import type { Instance } from "./instance.ts";
import { type Answer, type Site, withSite } from "./site.ts";

const skip = nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false;

const hit = "Stillfresh; hit";
const status = ({ response }: Answer): string | null => response.headers.get("cache-status");

test("instances: what is derived from revisions has the same tag everywhere, and is confirmed everywhere", {
  skip,
}, () =>
  withSite(async (site) => {
    for (const path of site.paths.filter((path) => path !== "/")) {
      const answers = [...(await site.everywhere(path)).values()];
      const tags = new Set(answers.map(({ response }) => response.headers.get("etag")));
      assert.equal(tags.size, 1, path);
      const again = [...(await site.everywhere(path, [...tags][0]!)).values()];
      assert.deepEqual(
        again.map((answer) => [answer.response.status, status(answer)]),
        Array(3).fill([304, hit]),
      );
    }
    // A list has groups that no revision tells of, so its tag is that of one process.
    const { response, upstream } = await site.ask("/");
    const elsewhere = await site.everywhere("/", response.headers.get("etag")!);
    for (const [port, answer] of elsewhere) {
      assert.equal(answer.response.status, port === upstream ? 304 : 200);
    }
  }));

/** Clients that share their copies, and so take each tag to every instance. */
class Clients {
  readonly copies: Map<string, Copy> = new Map();
  readonly wrong: string[] = [];
  hits = 0;
  readonly #site: Site;
  readonly #random = new Random(1);

  constructor(site: Site) {
    this.#site = site;
  }

  async ask(path: string = this.#random.pick(this.#site.paths)): Promise<void> {
    const known = [...this.copies.values()].filter((copy) => copy.path === path);
    const sent = known.length === 0 || this.#random.chance(0.7) ? known.at(-1) : this.#random.pick(known);
    const asked = performance.now();
    const contacts = new Map(this.#site.instances.map(({ port }) => [port, this.#site.contact(port)]));
    const answer = await this.#site.ask(path, sent?.etag);
    const { response, upstream } = answer;
    const registered = status(answer) === hit;
    // The handler reads after the question; the registry knows what it knew at the last contact that it told of.
    const moment = registered ? contacts.get(upstream)! : asked;
    if (response.status === 304) this.#judge(sent!, moment, `${upstream} confirmed ${path}`);
    else if (response.status === 200) this.#keep(this.#site.copyOf(path, answer), moment);
    else if (response.status !== 404) {
      this.wrong.push(`${upstream}: ${path}: ${response.status} ${answer.text}`);
    }
    if (registered) this.hits++;
  }

  #keep(copy: Copy, moment: number): void {
    this.#judge(copy, moment, `an answer for ${copy.path}`);
    const key = `${copy.path} ${copy.etag}`;
    this.copies.delete(key);
    this.copies.set(key, copy);
  }

  #judge(copy: Copy, moment: number, what: string): void {
    const behind = this.#site.ledger.behind(copy, moment, -Infinity);
    if (behind.length > 0) this.wrong.push(`${what}: ${behind.join("; ")}`);
  }
}

/** Rounds of questions, with a write each. */
async function load(site: Site, clients: Clients, rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await Promise.all([
      site.touch(),
      site.writers.write(),
      ...Array.from({ length: 6 }, () => clients.ask()),
    ]);
  }
}

/** Whether every document that a copy tells of is there, so that its tag is derived from revisions alone. */
const isDerived = (copy: Copy): boolean =>
  copy.range === undefined && ![...copy.states.values()].includes(null);

/** When everybody has heard of everything, no copy is confirmed that is not current, and each derived one that is. */
async function assertSettled(site: Site, clients: Clients): Promise<void> {
  await site.settled();
  for (const copy of clients.copies.values()) {
    const current = site.ledger.behind(copy, Infinity, Infinity).length === 0;
    for (const [port, { response }] of await site.everywhere(copy.path, copy.etag)) {
      if (!current) assert.notEqual(response.status, 304, `${port} confirmed ${copy.path} ${copy.etag}`);
      else if (isDerived(copy)) assert.equal(response.status, 304, `${port} ${copy.path} ${copy.etag}`);
    }
  }
}

/** It has not run a handler but for the page it introduces itself with, and confirms what it knew before. */
async function assertWarm(site: Site, clients: Clients, instance: Instance): Promise<void> {
  const { runs, stats } = await instance.stats();
  assert.deepEqual([runs, stats["snapshot-refused"]], [1, 0]);
  let hits = 0;
  for (const copy of clients.copies.values()) {
    const response = await instance.ask(copy.path, copy.etag);
    await response.text();
    if (response.headers.get("cache-status") !== hit) continue;
    hits++;
    assert.deepEqual(site.ledger.behind(copy, Infinity, Infinity), []);
  }
  assert.ok(hits > 0, "it has lost what it knew");
}

test(
  "instances: killed and restarted under load, they confirm nothing wrong and lose nothing",
  { skip },
  () =>
    withSite(async (site) => {
      const clients = new Clients(site);
      const [, second, third] = site.instances;
      await load(site, clients, 25);
      await assertSettled(site, clients);

      for (
        const [instance, signal] of [[second!, "SIGTERM"], [third!, "SIGTERM"], [third!, "SIGKILL"]] as const
      ) {
        const stopped = instance.stop(signal);
        await load(site, clients, 6);
        await stopped;
        await load(site, clients, 4);
        await instance.start();
        await site.settled();
        await assertWarm(site, clients, instance);
        await load(site, clients, 6);
        await assertSettled(site, clients);
      }
      assert.deepEqual(clients.wrong, []);
      assert.ok(clients.hits > 100, `${clients.hits} hits`);
      assert.deepEqual(site.instances.map(({ complaints }) => complaints), ["", "", ""]);
    }),
);
