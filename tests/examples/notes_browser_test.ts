/** The notes in a real browser: its forms, its cache, and a script of another origin. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Chromium, chromiumProgram, startChromium, type Tab } from "../support/chromium.ts";
import { withNotes } from "./notes_support.ts";

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
  withNotes(async ({ origin, site }) => {
    // Two tabs of one browser, with one session.
    const [early, late] = [await chromium.tab(), await chromium.tab()];
    await logIn(early, origin, "ann");
    const address = `${origin}/notes/note-1`;
    await late.open(address);
    const last = (tab: Tab) => tab.exchanges.filter(({ url }) => url === address).at(-1)!;
    // A login that is reported while the handler runs keeps its response out of the registry.
    for (let tries = 0; tries < 50; tries++) {
      await early.open(address);
      if (site.registry.hasTag(last(early).received["etag"]!)) break;
    }
    const { hit } = site.registry.stats;
    await early.open(address);
    const { status, sent, received } = last(early);
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

test("browser: a script of another origin saves with a fresh tag, and reads why an old one is refused", {
  skip,
}, () =>
  withNotes(async ({ editor, origin }) => {
    const [first, second] = [await chromium.tab(), await chromium.tab()];
    const said = (tab: Tab) => tab.evaluate<string>("document.querySelector('output').value");
    const click = async (tab: Tab, button: string, text?: string) => {
      if (text !== undefined) {
        await tab.evaluate(`document.querySelector("#text").value = ${JSON.stringify(text)}`);
      }
      await tab.evaluate(`document.querySelector("output").value = ""`);
      await tab.evaluate(`document.querySelector("#${button}").click()`);
      return await spoken(tab);
    };
    const spoken = async (tab: Tab) => {
      for (const end = performance.now() + 5_000;;) {
        const words = await said(tab);
        if (words !== "" || performance.now() > end) return words;
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    for (const tab of [first, second]) {
      await tab.open(`${editor}&note=note-1&author=ann`);
      assert.equal(await spoken(tab), "Loaded.");
    }
    assert.equal(await click(first, "save", "Oat milk."), "Saved.");
    assert.equal(await click(first, "save", "More oat milk."), "Saved.");
    const refusal = await click(second, "save", "Soy milk.");
    assert.match(refusal, /^412: /);
    assert.match(refusal, /GET/);
    const { method, status, received } = second.exchanges.at(-1)!;
    assert.deepEqual([method, status, received["access-control-allow-origin"]], [
      "PUT",
      412,
      new URL(editor).origin,
    ]);
    assert.equal(await click(second, "load"), "Loaded.");
    assert.equal(await click(second, "save", "Soy milk."), "Saved.");

    const fetched = (init: string) =>
      second.evaluate<string>(
        `fetch("${origin}/notes/note-1", ${init}).then(async (r) => r.status + " " + (await r.json()).detail, String)`,
      );
    assert.match(await fetched(`{ method: "PUT", body: "{}" }`), /^428 .*If-Match/);
  }));
