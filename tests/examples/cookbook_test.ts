/** The cookbook, with each source declared by hand and with tracked reads, on the embedded database. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import nano, { type DocumentScope } from "nano";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { WithEtagOptions } from "../../mod.ts";
import * as declared from "../../examples/cookbook/declared.ts";
import { type Document, hashed } from "../../examples/cookbook/documents.ts";
import { type Cookbook, openCookbook } from "../../examples/cookbook/reads.ts";
import { startDatabase } from "../../examples/blog/database.ts";

type Open = (database: DocumentScope<Document>, options?: WithEtagOptions) => Cookbook;

const ada = { kind: "cook", name: "Ada", salt: "s", hash: hashed("lovelace", "s") } as const;
const bram = { kind: "cook", name: "Bram", salt: "t", hash: hashed("stoker", "t") } as const;
const soup = { kind: "recipe", title: "Soup", text: "Boil.", cook: "cook-ada" } as const;

let server: Awaited<ReturnType<typeof startDatabase>>;
let opened = 0;
before(async () => void (server = await startDatabase()));
after(() => server.close());

/** A cookbook in a database of its own, with two cooks and a recipe. */
async function cookbook(open: Open, options: WithEtagOptions = {}) {
  const couch = nano(server.url);
  const name = `cookbook-${++opened}`;
  await couch.db.create(name);
  const database = couch.use<Document>(name);
  for (const [_id, document] of Object.entries({ "cook-ada": ada, "cook-bram": bram, "recipe-soup": soup })) {
    await database.insert({ _id, ...document });
  }
  const site = open(database, options);
  await site.follower.ready;
  /** Waits until the feed has told all that is in the database. */
  const told = async () => {
    const { update_seq } = await database.info();
    while (String(site.follower.since) !== String(update_seq)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const client = (jar = { cookie: "" }) => {
    const ask = async (path: string, headers: Record<string, string> = {}, form?: Record<string, string>) => {
      const response = await site.fetch(
        new Request(`http://localhost${path}`, {
          headers: { cookie: jar.cookie, ...headers },
          ...form === undefined ? {} : { method: "POST", body: new URLSearchParams(form) },
        }),
      );
      const [cookie] = response.headers.getSetCookie();
      if (cookie !== undefined) jar.cookie = cookie.split(";")[0]!;
      const { status } = response;
      const text = await response.text();
      const [etag, why, location] = ["etag", "cache-status", "location"].map((name) =>
        response.headers.get(name) ?? ""
      );
      return { status, text, etag: etag!, why: why!, location: location! };
    };
    const logIn = (name: string, password: string) => ask("/login", {}, { name, password });
    return { ask, logIn, jar };
  };
  return { ...site, database, told, client };
}

async function changed(database: DocumentScope<Document>, _id: string, fields: object) {
  await database.insert({ ...await database.get(_id), ...fields } as Document);
}

for (const [name, open] of [["declared by hand", declared.openCookbook], ["reads", openCookbook]] as const) {
  test(`cookbook, ${name}: log in, read, edit, delete, log out`, async () => {
    const { client, told, follower } = await cookbook(open as Open);
    const { ask, logIn } = client();
    assert.equal((await ask("/")).location, "/login");
    assert.equal((await logIn("ada", "wrong")).status, 403);
    assert.equal((await logIn("ada", "lovelace")).location, "/");
    await told();
    const list = await ask("/");
    assert.match(list.text, /Soup/);
    assert.match(list.why, /stored/);
    assert.match((await ask("/", { "if-none-match": list.etag })).why, /; hit$/);
    const recipe = await ask("/recipes/recipe-soup");
    assert.match(recipe.text, /Boil\.[^]*By Ada/);
    const form = await ask("/recipes/recipe-soup/edit");
    const rev = /name="rev" value="([^"]+)"/.exec(form.text)![1]!;
    const edited = await ask("/recipes/recipe-soup", {}, { rev, title: "Stew", text: "Simmer." });
    assert.deepEqual([edited.status, edited.location], [303, "/recipes/recipe-soup"]);
    assert.match((await ask("/recipes/recipe-soup", { "if-none-match": recipe.etag })).text, /Simmer/);
    assert.match((await ask("/", { "if-none-match": list.etag })).text, /Stew/);
    assert.equal((await ask("/recipes/recipe-soup", {}, { rev, title: "Lost", text: "Update" })).status, 409);
    const again = /name="rev" value="([^"]+)"/.exec((await ask("/recipes/recipe-soup/edit")).text)![1]!;
    assert.equal((await ask("/recipes/recipe-soup", {}, { rev: again, delete: "1" })).location, "/");
    assert.doesNotMatch((await ask("/")).text, /Stew/);
    assert.equal((await ask("/recipes/recipe-soup")).status, 404);
    assert.equal((await ask("/logout", {}, {})).location, "/login");
    assert.equal((await ask("/")).location, "/login");
    await follower.close();
  });

  test(`cookbook, ${name}: nothing crosses from one session to another, or outlives it`, async () => {
    const { client, database, told, follower } = await cookbook(open as Open);
    const [first, second] = [client(), client()];
    await first.logIn("ada", "lovelace");
    await second.logIn("bram", "stoker");
    await told();
    const { etag } = await first.ask("/recipes/recipe-soup");
    assert.match((await first.ask("/recipes/recipe-soup", { "if-none-match": etag })).why, /; hit$/);
    assert.doesNotMatch((await second.ask("/recipes/recipe-soup", { "if-none-match": etag })).why, /; hit$/);
    assert.equal((await second.ask("/recipes/recipe-soup/edit")).status, 403);
    const id = first.jar.cookie.replace("session=", "");
    await database.destroy(id, (await database.get(id))._rev); // by an administrator
    await told();
    assert.equal((await first.ask("/recipes/recipe-soup", { "if-none-match": etag })).location, "/login");
    await follower.close();
  });

  test(`cookbook, ${name}: what is changed past the site shows`, async () => {
    const { client, database, told, follower } = await cookbook(open as Open);
    const { ask, logIn } = client();
    await logIn("ada", "lovelace");
    await told();
    const [list, recipe] = [await ask("/"), await ask("/recipes/recipe-soup")];
    await changed(database, "cook-ada", { name: "Augusta Ada" });
    await told();
    assert.match((await ask("/", { "if-none-match": list.etag })).why, /; hit$/, "the list shows no cook");
    assert.match((await ask("/recipes/recipe-soup", { "if-none-match": recipe.etag })).text, /Augusta Ada/);
    await database.insert({ _id: "recipe-pie", ...soup, title: "Pie" });
    await told();
    assert.match((await ask("/", { "if-none-match": list.etag })).text, /Pie/);
    await follower.close();
  });
}

/** What a hurried developer may leave out, and the change that then does not show. */
const leftOut: readonly (readonly [
  what: string,
  from: string,
  to: string,
  path: string,
  change: "recipe" | "cook" | "session",
])[] = [
  [
    "the recipes of the list",
    "dependsOn(recipes, ...all, guard(session))",
    "dependsOn(guard(session))",
    "/",
    "recipe",
  ],
  [
    "the session of the list",
    "dependsOn(recipes, ...all, guard(session))",
    "dependsOn(recipes, ...all)",
    "/",
    "session",
  ],
  [
    "the recipe",
    "dependsOn(recipe, cook ?? recipe.cook, guard(session))",
    "dependsOn(cook ?? recipe.cook, guard(session))",
    "/recipes/recipe-soup",
    "recipe",
  ],
  [
    "its cook",
    "dependsOn(recipe, cook ?? recipe.cook, guard(session))",
    "dependsOn(recipe, guard(session))",
    "/recipes/recipe-soup",
    "cook",
  ],
  [
    "its session",
    "dependsOn(recipe, cook ?? recipe.cook, guard(session))",
    "dependsOn(recipe, cook ?? recipe.cook)",
    "/recipes/recipe-soup",
    "session",
  ],
  [
    "the recipe of the form",
    'dependsOn(recipe ?? params["id"]!, guard(session))',
    "dependsOn(guard(session))",
    "/recipes/recipe-soup/edit",
    "recipe",
  ],
  [
    "the session of the form",
    'dependsOn(recipe ?? params["id"]!, guard(session))',
    'dependsOn(recipe ?? params["id"]!)',
    "/recipes/recipe-soup/edit",
    "session",
  ],
];

const source = new URL("../../examples/cookbook/declared.ts", import.meta.url);

/** The declared cookbook with a source left out. */
async function without(from: string, to: string): Promise<Open> {
  const text = readFileSync(source, "utf8");
  assert.equal(text.split(from).length, 2, `declared.ts has ${from} once`);
  const folder = mkdtempSync(fileURLToPath(new URL("run-", import.meta.url)));
  const file = `${folder}/declared.ts`;
  const absolute = text.replace(from, to).replaceAll(
    /from "(\.[^"]+)"/g,
    (_, path) => `from "${new URL(path, source)}"`,
  );
  writeFileSync(file, absolute);
  try {
    return (await import(pathToFileURL(file).href)).openCookbook;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Asks for a page, changes one of its sources, asks again, and says what the audit found, and how often the page was confirmed. */
async function audited(open: Open, path: string, change: "recipe" | "cook" | "session") {
  const mismatches: unknown[] = [];
  const { client, database, told, follower } = await cookbook(open, {
    auditRate: 1,
    onAudit: (one) => mismatches.push(one),
  });
  const { ask, logIn, jar } = client();
  await logIn("ada", "lovelace");
  await told();
  const { etag } = await ask(path);
  if (change === "recipe") await changed(database, "recipe-soup", { title: "Stew" });
  if (change === "cook") await changed(database, "cook-ada", { name: "Augusta Ada" });
  if (change === "session") {
    const id = jar.cookie.replace("session=", "");
    await database.destroy(id, (await database.get(id))._rev);
  }
  await told();
  const { why } = await ask(path, { "if-none-match": etag });
  await follower.close();
  return { mismatches: mismatches.length, why };
}

for (const [what, from, to, path, change] of leftOut) {
  test(`cookbook, declared by hand: it is found that ${what} is left out`, async () => {
    const whole = await audited(declared.openCookbook as Open, path, change);
    assert.deepEqual([whole.mismatches, /group-changed/.test(whole.why)], [0, true], whole.why);
    const part = await audited(await without(from, to), path, change);
    // Where nothing but the session is left, the page is not registered in the first place.
    if (to === "dependsOn(guard(session))") assert.match(part.why, /undeclared/);
    else assert.equal(part.mismatches, 1, part.why);
  });

  test(`cookbook, reads: ${what} cannot be left out`, async () => {
    const { mismatches, why } = await audited(openCookbook as Open, path, change);
    assert.deepEqual([mismatches, /group-changed/.test(why)], [0, true], why);
  });
}
