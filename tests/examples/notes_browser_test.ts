/** The notes in a real browser: its forms, its cache, and a script of another origin. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Chromium, chromiumProgram, startChromium, type Tab } from "../support/chromium.ts";
import { nginxProgram, startNginx } from "../support/nginx.ts";
import { type Surroundings, withNotes } from "./notes_support.ts";

const skip = chromiumProgram === undefined ? "no browser; apt-get install chromium" : false;

let chromium: Chromium;
before(async () => {
  if (skip === false) chromium = await startChromium();
});
after(async () => {
  if (skip === false) await chromium.close();
});

/** Logs in with the form. */
async function logIn(tab: Tab, origin: string, name: string): Promise<void> {
  await tab.open(`${origin}/`);
  await tab.evaluate(`document.querySelector("[name=name]").value = ${JSON.stringify(name)}`);
  await tab.follow(`document.querySelector("button").click()`);
  assert.equal(await tab.evaluate("document.title"), "Notes");
}

/** Replaces the text in the form of a note, and sends it. */
async function save(tab: Tab, text: string): Promise<void> {
  await tab.evaluate(`document.querySelector("textarea").value = ${JSON.stringify(text)}`);
  await tab.follow(`document.querySelector("button").click()`);
}

const shown = (tab: Tab) => tab.evaluate<string>("document.body.innerText");

test("browser: a form saves, a page is confirmed from the registry, and a late form is shown both texts", {
  skip,
}, () =>
  withNotes(async ({ origin, site, reported }) => {
    // Two tabs of one browser, with one session.
    const [early, late] = [await chromium.tab(), await chromium.tab()];
    await logIn(early, origin, "ann");
    const address = `${origin}/notes/note-1`;
    await late.open(address);
    await reported();
    await early.open(address);
    const [first] = await early.exchanged({ url: address }, 1);
    assert.equal(site.registry.hasTag(first!.received["etag"]!), true);
    const { hit } = site.registry.stats;
    await early.open(address);
    const [, second] = await early.exchanged({ url: address }, 2);
    const { status, sent, received } = second!;
    assert.deepEqual([status, sent["if-none-match"]], [304, received["etag"]]);
    assert.equal(site.registry.stats.hit, hit + 1);

    await save(early, "Oat milk.");
    assert.equal(await early.evaluate("document.querySelector('textarea').value"), "Oat milk.");
    await save(late, "Soy milk.");
    assert.match(await shown(late), /changed after you had opened it[^]*Oat milk\./);
    assert.equal(await late.evaluate("document.querySelector('textarea').value"), "Soy milk.");
    await save(late, "Oat and soy milk.");
    assert.equal(await late.evaluate("document.title"), "Note");
    await early.open(address);
    assert.equal(await early.evaluate("document.querySelector('textarea').value"), "Oat and soy milk.");
  }));

/** The editor, on a page of another origin. */
class Editor {
  readonly tab: Tab;
  constructor(tab: Tab) {
    this.tab = tab;
  }

  /** Opens it; gives what it says then. */
  async open(address: string): Promise<string> {
    await this.tab.open(`${address}&note=note-1&author=ann`);
    return await this.#said();
  }

  /** Presses a button, after another text has been put in; gives what the editor says then. */
  async press(button: "load" | "save", text?: string): Promise<string> {
    await this.tab.evaluate(`document.querySelector("output").value = ""`);
    if (text !== undefined) {
      await this.tab.evaluate(`document.querySelector("#text").value = ${JSON.stringify(text)}`);
    }
    await this.tab.evaluate(`document.querySelector("#${button}").click()`);
    return await this.#said();
  }

  async #said(): Promise<string> {
    for (const end = performance.now() + 5_000;;) {
      const words = await this.tab.evaluate<string>("document.querySelector('output').value");
      if (words !== "" || performance.now() > end) return words;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

const gzip = "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types application/json;";
const noNginx = nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false;

const surroundings: readonly [name: string, skip: string | false, Surroundings, tag: RegExp][] = [
  ["", skip, {}, /^"/],
  [", behind nginx", skip || noNginx, {
    proxyCompresses: true,
    inFront: (port) => startNginx([port], gzip),
  }, /^W\//],
];

for (const [where, skip, around, tag] of surroundings) {
  test(
    `browser: a script of another origin saves with a fresh tag, and reads why an old one is refused${where}`,
    { skip },
    () =>
      withNotes(async ({ editor, origin }) => {
        const [first, second] = [new Editor(await chromium.tab()), new Editor(await chromium.tab())];
        for (const one of [first, second]) assert.equal(await one.open(editor), "Loaded.");
        assert.equal(await first.press("save", "Oat milk."), "Saved.");
        assert.equal(await first.press("save", "More oat milk."), "Saved.");
        assert.match(await second.press("save", "Soy milk."), /^412: If-Match names an older state/);
        const [refused] = await second.tab.exchanged({ method: "PUT", status: 412 }, 1);
        const { sent, received } = refused!;
        assert.match(sent["if-match"]!, tag);
        assert.equal(received["access-control-allow-origin"], new URL(editor).origin);
        assert.equal(await second.press("load"), "Loaded.");
        assert.equal(await second.press("save", "Soy milk."), "Saved.");

        const unconditional = `fetch("${origin}/notes/note-1", { method: "PUT", body: "{}" })`;
        const read = "(async (response) => response.status + ' ' + (await response.json()).detail)";
        assert.match(await second.tab.evaluate(`${unconditional}.then(${read}, String)`), /^428 .*If-Match/);
      }, around),
  );
}
