/** A random walk over the notes: whatever else happens, a tag is good for a write until the note changes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { anySeed, Random } from "../support/generate.ts";
import { type Notes, withNotes } from "./notes_support.ts";

const PATH = "/notes/note-1";
const STEPS = 150;

/** How the note may be asked for: each way has tags of its own. */
const WAYS: readonly Record<string, string>[] = ["*/*", "text/html"].flatMap((accept) =>
  ["identity", "gzip", "gzip, br"].map((coding) => ({ "accept": accept, "accept-encoding": coding }))
);

/** A tag, and the writes there had been when it was given. */
interface Given {
  readonly etag: string;
  readonly token: string;
  readonly writes: number;
}

class Walk {
  readonly #notes: Notes;
  readonly #random: Random;
  readonly #tokens: string[] = [];
  readonly #given: Given[] = [];
  /** How often the note has been written. */
  #writes = 0;
  readonly counts: Record<string, number> = {};

  constructor(notes: Notes, random: Random) {
    this.#notes = notes;
    this.#random = random;
  }

  async step(): Promise<void> {
    const steps = this.#tokens.length === 0 ? ["logIn"] as const : [
      "read",
      "read",
      "read",
      "write",
      "write",
      "save",
      "add",
      "renew",
      "logIn",
      "logOut",
      "report",
    ] as const;
    const step = this.#random.pick<typeof steps[number]>(steps);
    this.counts[step] = (this.counts[step] ?? 0) + 1;
    await this[step]();
  }

  async logIn(): Promise<void> {
    this.#tokens.push(await this.#notes.logIn(this.#random.pick(["ann", "ben"])));
  }

  async logOut(): Promise<void> {
    const [token] = this.#tokens.splice(this.#random.below(this.#tokens.length), 1);
    assert.equal((await this.#notes.ask("/logout", token!, { method: "POST" })).status, 303);
  }

  async read(): Promise<void> {
    const token = this.#random.pick(this.#tokens);
    const condition: Record<string, string> = this.#random.oneIn(2) && this.#given.length > 0
      ? { "if-none-match": this.#random.pick(this.#given).etag }
      : {};
    const method = this.#random.oneIn(4) ? "HEAD" : "GET";
    const headers = { ...this.#random.pick(WAYS), ...condition };
    const response = await this.#notes.ask(PATH, token, { method, headers });
    await response.text();
    const etag = response.headers.get("etag")!;
    this.#given.push({ etag, token, writes: this.#writes });
    const known = this.#given.filter((given) => given.etag === etag);
    assert.ok(
      known.every(({ writes }) => writes === this.#writes),
      `${response.status} with a tag of before`,
    );
  }

  async write(): Promise<void> {
    if (this.#given.length === 0) return;
    const { etag, writes } = this.#random.pick(this.#random.oneIn(2) ? this.#given : this.#given.slice(-3));
    const response = await this.#notes.ask(PATH, this.#random.pick(this.#tokens), {
      method: "PUT",
      body: JSON.stringify({ text: `Text ${this.#writes}` }),
      headers: { "content-type": "application/json", "if-match": etag },
    });
    const text = await response.text();
    const isFresh = writes === this.#writes;
    assert.equal(response.status, isFresh ? 204 : 412, `${etag}: ${text}`);
    this.counts[response.status] = (this.counts[response.status] ?? 0) + 1;
    if (isFresh) this.#writes++;
  }

  /** By the form, over what is there now. */
  async save(): Promise<void> {
    const token = this.#random.pick(this.#tokens);
    const page = await (await this.#notes.ask(PATH, token, { headers: { accept: "text/html" } })).text();
    const [, _rev = ""] = /name="_rev" value="([^"]+)"/.exec(page)!;
    const body = new URLSearchParams({ text: `Text ${this.#writes}`, _rev });
    assert.equal((await this.#notes.ask(PATH, token, { method: "POST", body })).status, 303);
    this.#writes++;
  }

  async add(): Promise<void> {
    const body = new URLSearchParams({ text: "Another note." });
    const response = await this.#notes.ask("/", this.#random.pick(this.#tokens), { method: "POST", body });
    assert.equal(response.status, 303);
  }

  /** Changes all sessions, behind the site's back. */
  async renew(): Promise<void> {
    const query = 'include_docs=true&startkey="session-"&endkey="session-~"';
    const all = await (await this.#notes.database.ask(`/_all_docs?${query}`)).json() as {
      rows: { doc: object }[];
    };
    const docs = all.rows.map(({ doc }) => ({ ...doc, seen: this.#random.below(1e9) }));
    const init = {
      method: "POST",
      body: JSON.stringify({ docs }),
      headers: { "content-type": "application/json" },
    };
    await (await this.#notes.database.ask("/_bulk_docs", init)).text();
    await this.#notes.reported();
  }

  async report(): Promise<void> {
    await this.#notes.reported();
  }
}

test(`notes: ${STEPS} random steps; a write passes with every tag of the present state, and with no other`, () =>
  withNotes(async (notes) => {
    const seed = anySeed();
    const walk = new Walk(notes, new Random(seed));
    try {
      for (let step = 0; step < STEPS; step++) await walk.step();
    } catch (cause) {
      throw new Error(`seed ${seed}: ${(cause as Error).message}`, { cause });
    }
  }));
