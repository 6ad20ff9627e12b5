/** The notes over real HTTP: every write with a fresh tag passes, every write with an old one is told what to do. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { compress } from "hono/compress";
import { routes } from "../../examples/notes/routes.ts";
import { nginxProgram, startNginx } from "../support/nginx.ts";
import { type Notes, type Surroundings, until, withNotes } from "./notes_support.ts";

const path = "/notes/note-1";
const html = { accept: "text/html,*/*;q=0.8" };

function put(text: string, headers: Record<string, string> = {}): RequestInit {
  return {
    method: "PUT",
    body: JSON.stringify({ text }),
    headers: { "content-type": "application/json", ...headers },
  };
}

/** The tag of a page that is registered by then. */
async function registeredTag({ site, reported }: Notes, ask: () => Promise<Response>): Promise<string> {
  await reported();
  const response = await ask();
  await response.text();
  const etag = response.headers.get("etag")!;
  assert.equal(site.registry.hasTag(etag), true);
  return etag;
}

/** The status of an answer, and what a problem says. */
async function outcome(response: Response): Promise<readonly [status: number, detail: string]> {
  const body = await response.text();
  return [response.status, body.startsWith("{") ? JSON.parse(body).detail ?? "" : body];
}

const kinds: readonly [what: string, headers: Record<string, string>][] = [
  ["the note as JSON", {}],
  ["the note as JSON, in gzip", { "accept-encoding": "gzip" }],
  ["the page of two documents", html],
  ["the page of two documents, in gzip", { ...html, "accept-encoding": "gzip" }],
];

for (const [what, headers] of kinds) {
  test(`notes: with the tag of ${what} a write passes once`, () =>
    withNotes(async ({ ask, logIn }) => {
      const token = await logIn("ann");
      const page = await ask(path, token, { headers });
      const etag = page.headers.get("etag")!;
      assert.match(await page.text(), /Remember the milk\./);
      assert.match(etag, /^"/, "a strong tag");
      const again = await ask(path, token, { headers: { ...headers, "if-none-match": etag } });
      assert.deepEqual([again.status, again.headers.get("etag")], [304, etag]);
      assert.deepEqual(await outcome(await ask(path, token, put("Oat milk.", { "if-match": etag }))), [
        204,
        "",
      ]);
      const [status, detail] = await outcome(await ask(path, token, put("Soy milk.", { "if-match": etag })));
      assert.equal(status, 412);
      assert.match(detail, /GET/);
      const now = await ask(path, token, { headers: { ...headers, "if-none-match": etag } });
      assert.equal(now.status, 200);
      assert.match(await now.text(), /Oat milk\./);
      const fresh = now.headers.get("etag")!;
      assert.deepEqual(await outcome(await ask(path, token, put("Soy milk.", { "if-match": fresh }))), [
        204,
        "",
      ]);
    }));
}

test("notes: a write without a condition is told to send one, a page gone is not found, a stranger learns nothing", () =>
  withNotes(async ({ ask, logIn }) => {
    const token = await logIn("ann");
    const etag = (await ask(path, token)).headers.get("etag")!;
    const [status, detail] = await outcome(await ask(path, token, put("x")));
    assert.equal(status, 428);
    assert.match(detail, /If-Match/);
    assert.equal((await ask("/notes/note-9", token, put("x", { "if-match": etag }))).status, 404);
    assert.equal((await ask(path, token, { ...put("x", { "if-match": etag }), body: "{}" })).status, 400);
    for (const tag of [etag, '"1-x"', "*"]) {
      assert.equal((await ask(path, "forged", put("x", { "if-match": tag }))).status, 401, tag);
    }
    assert.match(await (await ask(path, token)).text(), /Remember the milk\./);
  }));

test("notes: with If-Match: * a write passes, and of two writers with one tag the second is refused", () =>
  withNotes(async ({ ask, logIn }) => {
    const [ann, ben] = [await logIn("ann"), await logIn("ben")];
    assert.equal((await ask(path, ann, put("Oat milk.", { "if-match": "*" }))).status, 204);
    const etags = await Promise.all(
      [ann, ben].map(async (token) => (await ask(path, token)).headers.get("etag")!),
    );
    assert.notEqual(etags[0], etags[1], "each session has a tag of its own");
    const both = await Promise.all([
      ask(path, ann, put("Ann's", { "if-match": etags[0]! })),
      ask(path, ben, put("Ben's", { "if-match": etags[1]! })),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [204, 412]);
  }));

test("notes: a form saves over the revision it was made from, and an old one is answered with both texts", () =>
  withNotes(async ({ ask, logIn, site }) => {
    const token = await logIn("ann");
    const page = await (await ask(path, token, { headers: html })).text();
    const _rev = /name="_rev" value="([^"]+)"/.exec(page)![1]!;
    const send = (text: string, _rev: string) =>
      ask(path, token, { method: "POST", body: new URLSearchParams({ text, _rev }), headers: html });
    const saved = await send("Oat\r\nmilk.", _rev);
    assert.deepEqual([saved.status, saved.headers.get("location")], [303, path]);
    assert.equal(((await (await ask(path, token)).json()) as { text: string }).text, "Oat\nmilk.");
    const late = await send("Soy milk.", _rev);
    const both = await late.text();
    assert.equal(late.status, 409);
    assert.match(both, /changed after you had opened it[^]*Oat\nmilk\.[^]*Soy milk\./);
    const now = /name="_rev" value="([^"]+)"/.exec(both)![1]!;
    assert.equal((await send("Oat and soy milk.", now)).status, 303);
    assert.equal(site.registry.stats.hit, 0);
  }));

test("notes: a list is void with a new note, and with one that is edited", () =>
  withNotes(async (running) => {
    const { ask, logIn, site } = running;
    const token = await logIn("ann");
    const list = (etag = '"none"') => ask("/", token, { headers: { ...html, "if-none-match": etag } });
    let etag = await registeredTag(running, list);
    assert.deepEqual([(await list(etag)).status, site.registry.stats.hit], [304, 1]);
    await ask("/", token, {
      method: "POST",
      body: new URLSearchParams({ text: "<b>Nets</b>" }),
      headers: html,
    });
    assert.match(await (await list(etag)).text(), /&#60;b&#62;Nets/);
    etag = await registeredTag(running, list);
    await ask(path, token, put("Oat milk.", { "if-match": "*" }));
    assert.match(await (await list(etag)).text(), /Oat milk\./);
  }));

test("notes: a change of the session takes its pages away, and leaves their tags as they are", () =>
  withNotes(async (running) => {
    const { ask, logIn, site, database } = running;
    const token = await logIn("ann");
    const get = (etag = '"none"') => ask(path, token, { headers: { ...html, "if-none-match": etag } });
    const etag = await registeredTag(running, get);
    assert.deepEqual([(await get(etag)).status, site.registry.stats.hit], [304, 1]);

    const renew = async () => {
      const [session] = await sessionsIn(database);
      const renewed = await database.ask(`/${session!["_id"]}`, {
        method: "PUT",
        body: JSON.stringify({ ...session, seen: Date.now() }),
        headers: { "content-type": "application/json" },
      });
      assert.equal(renewed.status, 201);
      await until(() => !site.registry.hasTag(etag));
    };
    await renew();
    assert.deepEqual([(await get(etag)).status, site.registry.stats.hit], [304, 1], "the handler says so");
    assert.equal(await registeredTag(running, get), etag);
    await renew();
    assert.equal((await ask(path, token, put("Oat milk.", { "if-match": etag }))).status, 204);

    const fresh = await registeredTag(running, get);
    const [changed] = await sessionsIn(database);
    await database.ask(`/${changed!["_id"]}?rev=${changed!["_rev"]}`, { method: "DELETE" });
    await until(() => !site.registry.hasTag(fresh));
    assert.equal((await get(fresh)).status, 303);
    assert.equal((await ask(path, token, put("Soy milk.", { "if-match": fresh }))).status, 401);
  }));

test("notes: of two sessions of one author, the end of one takes its own pages away and no others", () =>
  withNotes(async (running) => {
    const { ask, logIn, site } = running;
    const [first, second] = [await logIn("ann"), await logIn("ann")];
    const firstTag = await registeredTag(running, () => ask(path, first));
    const secondTag = await registeredTag(running, () => ask(path, second));
    const out = await ask("/logout", second, { method: "POST" });
    assert.deepEqual([out.status, out.headers.get("location")], [303, "/login"]);
    assert.match(out.headers.get("set-cookie")!, /^session=;.*Max-Age=0/);
    assert.deepEqual([firstTag, secondTag].map((tag) => site.registry.hasTag(tag)), [true, false], "at once");
    assert.equal((await ask(path, first, { headers: { "if-none-match": firstTag } })).status, 304);
    assert.equal((await ask(path, second, { headers: { "if-none-match": secondTag } })).status, 401);
    assert.equal(site.registry.stats.hit, 1);
  }));

test("notes: a form of another site is refused, a login with an unknown name too", () =>
  withNotes(async ({ ask, logIn, origin }) => {
    const token = await logIn("ann");
    const foreign = {
      method: "POST",
      body: new URLSearchParams({ text: "x" }),
      headers: { "sec-fetch-site": "same-site" },
    };
    assert.equal((await ask("/", token, foreign)).status, 403);
    const unknown = await fetch(`${origin}/login`, {
      method: "POST",
      body: new URLSearchParams({ name: "eve" }),
    });
    assert.equal(unknown.status, 403);
    await unknown.text();
  }));

async function sessionsIn(
  database: { ask(path: string): Promise<Response> },
): Promise<Record<string, unknown>[]> {
  const all = await database.ask('/_all_docs?include_docs=true&startkey="session-"&endkey="session-~"');
  return ((await all.json()) as { rows: { doc: Record<string, unknown> }[] }).rows.map(({ doc }) => doc);
}

/** Compression in front of the site: Hono's middleware around it, or nginx before it. */
const compressors: readonly [name: string, skip: string | false, front: Surroundings][] = [
  ["Hono's compress around it", false, {
    around(handler) {
      const app = new Hono().use(compress()).all("*", (context) => handler(context.req.raw));
      return (request) => app.fetch(request);
    },
  }],
  ["nginx in front", nginxProgram === undefined ? "no nginx; apt-get install nginx-light" : false, {
    inFront: (port) =>
      startNginx([port], "gzip on; gzip_proxied any; gzip_min_length 1; gzip_types application/json;"),
  }],
];

for (const [name, skip, front] of compressors) {
  for (const proxyCompresses of [true, false]) {
    const where = proxyCompresses ? "compresses" : "finds the site compressed";
    test(
      `notes: ${name} ${where}, and a write with the tag passes once`,
      { skip },
      () =>
        withNotes(async ({ ask, logIn }) => {
          const token = await logIn("ann");
          const zipped = { ...html, "accept-encoding": "gzip" };
          const page = await ask(path, token, { headers: zipped });
          assert.match(await page.text(), /Remember the milk\./);
          const etag = page.headers.get("etag")!;
          assert.equal(page.headers.get("content-encoding"), "gzip");
          assert.equal(etag.startsWith("W/"), proxyCompresses, etag);
          const again = await ask(path, token, { headers: { ...zipped, "if-none-match": etag } });
          assert.deepEqual([again.status, again.headers.get("etag")], [304, etag]);
          assert.deepEqual(await outcome(await ask(path, token, put("Oat milk.", { "if-match": etag }))), [
            204,
            "",
          ]);
          const [status, detail] = await outcome(
            await ask(path, token, put("Soy milk.", { "if-match": etag })),
          );
          assert.equal(status, 412);
          assert.match(detail, /older state/);
        }, { ...front, proxyCompresses }),
    );
  }
}

test("notes: where the database does not answer, each request is told so", async () => {
  const away = () => Promise.reject(new Error("connection refused"));
  const site = routes({ get: away, notes: away, put: away, delete: away });
  const said: string[] = [];
  const { error } = console;
  console.error = (line) => said.push(line);
  try {
    for (const method of ["GET", "PUT", "POST"]) {
      const headers = { "authorization": "Bearer token", ...html };
      assert.equal((await site(new Request(`http://localhost${path}`, { method, headers }))).status, 503);
    }
  } finally {
    console.error = error;
  }
  assert.equal(said.length, 3);
});
