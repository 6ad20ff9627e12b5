/** A write is judged by the state that its tag tells, whatever tells it: every kind of tag, of dependencies, of `current`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Current,
  type Dependency,
  dependsOn,
  EtagRegistry,
  group,
  guard,
  revisionOf,
  withEtag,
  type WithEtagOptions,
} from "../../mod.ts";
import { coreOf } from "../../src/registry/core.ts";
import { CurrentDocuments, judgeTag } from "../../src/handler/current_state.ts";
import { TagKey } from "../../src/handler/tag_key.ts";
import fc from "../support/fast_check.ts";

const URL = "http://localhost/posts/1";

/** A dependency of a page: a document by its revision or by name, a group by name, or what decides on access. */
interface Part {
  readonly kind: "document" | "named" | "group" | "guard";
  readonly id: string;
}

/** A store of documents, and a page that is made of some of them. */
class Site {
  readonly revisions: Map<string, number> = new Map();
  readonly registry: EtagRegistry;
  readonly #parts: readonly Part[];
  readonly #plain: boolean;

  constructor(parts: readonly Part[], plain: boolean, registry: EtagRegistry) {
    this.#parts = parts;
    this.#plain = plain;
    this.registry = registry;
    for (const { id } of parts) this.revisions.set(id, 1);
  }

  document(id: string): { readonly _id: string; readonly _rev: string } {
    const generation = this.revisions.get(id);
    return { _id: id, _rev: this.#plain ? `${generation}-abc` : `${generation}.a+b` };
  }

  dependencies(): Dependency[] {
    return this.#parts.map(({ kind, id }) => {
      if (kind === "document") return this.document(id);
      return kind === "guard" ? guard(this.document(id)) : id;
    });
  }

  /** Something that the page is built from changes, and the feed says so. */
  change(id: string): void {
    this.revisions.set(id, this.revisions.get(id)! + 1);
    this.registry.invalidate(id);
  }

  body(): string {
    return this.#parts.map(({ kind, id }) => kind === "guard" ? "" : this.revisions.get(id)).join();
  }
}

const FORMS = ["document", "list", "declaration", "headers", "response"] as const;

/** What `current` gives, in one of its forms. */
function currentOf(site: Site, form: typeof FORMS[number], written: string, parts: readonly Part[]): Current {
  // What the page shows of a document by name is known to who asks the database.
  const all = parts.map((part) => part.kind === "named" ? site.document(part.id) : part.id);
  const listed = site.dependencies().map((dependency, at) =>
    parts[at]!.kind === "named" ? all[at]! : dependency
  );
  switch (form) {
    case "document":
      return site.document(written);
    case "list":
      return listed;
    case "declaration":
      return dependsOn(...listed);
    case "headers":
      return new Headers(dependsOn(...listed));
    case "response":
      return new Response("page", { headers: dependsOn(...listed) });
  }
}

interface Wrapper {
  readonly options: WithEtagOptions;
  readonly site: Site;
}

/** Answers GET with the page and anything else with 204; says what revision a write was meant for. */
function wrapperOf({ options, site }: Wrapper) {
  const meant: (string | undefined)[] = [];
  const handler = withEtag((request: Request) => {
    if (request.method === "GET" || request.method === "HEAD") {
      const headers = {
        "content-type": "text/plain",
        "cache-control": "public",
        ...dependsOn(...site.dependencies()),
      };
      return new Response(site.body(), { headers });
    }
    meant.push(revisionOf(request));
    // A write that is not done: only the condition is of interest.
    return new Response(null, { status: 404 });
  }, options);
  return { handler, meant };
}

const partsWith = (kinds: readonly Part["kind"][], most: number) =>
  fc.uniqueArray(fc.record({ kind: fc.constantFrom(...kinds), id: fc.nat(60).map((n) => `part-${n}`) }), {
    minLength: 0,
    maxLength: most,
    selector: ({ id }) => id,
  });

/** The document that the page is about comes first. */
const page = fc.record({
  first: fc.constantFrom<Part["kind"]>("document", "named"),
  others: fc.oneof(
    partsWith(["document", "named", "group", "guard"], 4),
    partsWith(["document", "guard"], 40),
  ),
  plain: fc.boolean(),
}).map(({ first, others, plain }) => ({
  plain,
  parts: [
    { kind: first, id: "post" },
    // Only the document that is written may be named without its revision where the list has to tell it.
    ...others.map((part): Part => part.kind === "named" ? { ...part, kind: "group" } : part),
  ],
}));

const wiring = fc.record({
  hashBody: fc.boolean(),
  caller: fc.boolean(),
  form: fc.constantFrom(...FORMS),
  followed: fc.constantFrom("manual", "unfollowed"),
  otherBuild: fc.boolean(),
  method: fc.constantFrom("PUT", "PATCH", "DELETE", "POST"),
});

test("withEtag current: a tag holds while nothing in it has changed, and not when anything has", async () => {
  await fc.assert(
    fc.asyncProperty(page, wiring, fc.nat(), async ({ parts, plain }, wired, which) => {
      const registry = new EtagRegistry({ manual: wired.followed === "manual" });
      const site = new Site(parts, plain, registry);
      const options = (version: string): WithEtagOptions => ({
        registry,
        version,
        hashBody: wired.hashBody,
        ...wired.caller ? { caller: () => "ann" } : {},
        current: () => currentOf(site, wired.form, "post", parts),
        requirePrecondition: true,
      });
      const reader = wrapperOf({ site, options: options("build 1") });
      const writer = wired.otherBuild ? wrapperOf({ site, options: options("build 2") }) : reader;
      const get = async () => (await reader.handler(new Request(URL))).headers.get("etag")!;
      const write = async (etag: string) => {
        const request = new Request(URL, { method: wired.method, headers: { "if-match": etag } });
        return (await writer.handler(request)).status;
      };

      const etag = await get();
      assert.ok(etag, "every page has a tag");
      assert.equal(await write(etag), 404, "nothing has changed");
      const { _rev } = site.document("post");
      assert.equal(writer.meant.at(-1), _rev, "the database is told the revision");

      const shown = parts.filter(({ kind }) => kind !== "guard");
      const changed = shown[which % shown.length]!;
      site.change(changed.id);
      assert.equal(await write(etag), 412, `${changed.id} has changed`);
      const next = await get();
      assert.equal(await write(next), 404, "the next tag is the present one");
      // Without a feed nothing says which of two registrations is the present one, and the document itself is unchanged.
      const cannotTell = changed.kind === "group" && wired.followed === "unfollowed";
      if (!cannotTell) {
        assert.equal(await write(etag), 412, "the former is not, also when the next is registered");
      }
    }),
    { numRuns: 300 },
  );
});

const POST = { _id: "post", _rev: "3-x" };
const AUTHOR = { _id: "author", _rev: "1-y" };
const PUBLIC = { "cache-control": "public, no-cache" };

interface Given {
  readonly sources: readonly Dependency[];
  readonly current: () => Current | Promise<Current>;
  readonly options?: WithEtagOptions;
  readonly fields?: Record<string, string>;
}

/** A page, and what becomes of a write with its tag. */
function pageOf({ sources, current, options, fields = PUBLIC }: Given) {
  const meant: (string | undefined)[] = [];
  const handler = withEtag((request: Request) => {
    if (request.method === "GET" || request.method === "HEAD") {
      return new Response("page", { headers: { ...fields, ...dependsOn(...sources) } });
    }
    meant.push(revisionOf(request));
    return new Response(null, { status: 204 });
  }, { manual: options?.registry === undefined, ...options, current, requirePrecondition: true });
  const get = async (method = "GET") => (await handler(new Request(URL, { method }))).headers.get("etag")!;
  const write = async (etag: string, method = "PUT") => {
    const response = await handler(new Request(URL, { method, headers: { "if-match": etag } }));
    return [response.status, response.status === 412 ? (await response.json()).detail : meant.at(-1)];
  };
  return { get, write, handler };
}

test("withEtag current: HEAD then PUT, and DELETE", async () => {
  for (const sources of [[POST], [POST, AUTHOR]]) {
    const { get, write } = pageOf({ sources, current: () => POST });
    const etag = await get("HEAD");
    assert.deepEqual(await write(etag), [204, "3-x"]);
    assert.deepEqual(await write(etag, "DELETE"), [204, "3-x"]);
  }
});

test("withEtag current: a page in several media types, each with its tag, and one state", async () => {
  let type = "text/html";
  const handler = withEtag(
    () =>
      new Response("page", {
        headers: { ...PUBLIC, "content-type": type, vary: "accept", ...dependsOn(POST, AUTHOR) },
      }),
    { manual: true, current: () => [AUTHOR, POST] },
  );
  const tagOf = async (media: string) => {
    type = media;
    return (await handler(new Request(URL, { headers: { accept: media } }))).headers.get("etag")!;
  };
  const [html, json] = [await tagOf("text/html"), await tagOf("application/json")];
  assert.notEqual(html, json);
  for (const field of [html, json, `"x", ${json}`]) {
    const put = new Request(URL, { method: "PUT", headers: { "if-match": field } });
    assert.equal((await handler(put)).status, 200, field);
  }
});

test("withEtag current: a page that names its document after others tells no revision, and the registry vouches", async () => {
  const given = { sources: [AUTHOR, "post"], current: () => POST };
  const vouched = pageOf(given);
  assert.deepEqual(
    await vouched.write(await vouched.get()),
    [204, undefined],
    "the database has to refuse or know",
  );
  const unvouched = pageOf({ ...given, options: { manual: false } });
  const [status, detail] = await unvouched.write(await unvouched.get());
  assert.equal(status, 412);
  assert.match(detail, /nothing here confirms.*declare its documents with their revisions/);
});

test("withEtag current: only names are vouched for by a registry that is live", async () => {
  for (const current of [() => ["post", "posts"], () => dependsOn("post")]) {
    const live = pageOf({ sources: ["posts", "post"], current });
    const etag = await live.get();
    assert.deepEqual(await live.write(etag), [204, undefined]);
    live.handler.registry.invalidate("posts");
    assert.equal((await live.write(etag))[0], 412);
    const unfollowed = pageOf({ sources: ["posts", "post"], current, options: { manual: false } });
    assert.equal((await unfollowed.write(await unfollowed.get()))[0], 412);
  }
});

test("withEtag current: what it gives for a GET is older than the page, so the tag is refused and not the update lost", async () => {
  let [now, answered] = ["4-new", "3-old"];
  const page = pageOf({ sources: ["post"], current: () => ({ _id: "post", _rev: answered }) });
  const etag = await page.get();
  answered = now;
  assert.equal((await page.write(etag))[0], 412);
  [now] = ["4-new"];
  page.handler.registry.invalidate("post");
  assert.deepEqual(await page.write(await page.get()), [204, "4-new"]);
});

test("withEtag current: a page that may be older than what it gives does not tell a revision", async () => {
  const registry = new EtagRegistry();
  const subscription = coreOf(registry).subscribe("database", 60_000, 5_000);
  subscription.apply({
    changes: [{ id: "post", rev: "3-x" }],
    position: { since: 1, source: "database" },
    state: "live",
    contact: { wall: Date.now(), monotonic: performance.now() },
  }, () => []);
  const page = pageOf({ sources: ["post"], current: () => POST, options: { registry } });
  const etag = await page.get();
  assert.match(etag, /^"[\w-]{22}\.[\w-]{11}"$/, "a replica may still answer with the older document");
  assert.equal((await page.write(etag))[0], 412);
});

test("withEtag current: what it does for a GET is no matter to the page", async () => {
  const currents: (() => Current | Promise<Current>)[] = [
    () => assert.fail("not for this address"),
    () => Promise.reject(new Error("no database")),
    () => undefined,
    () => null,
    () => ({ etag: '"x"' }),
    () => "post" as unknown as Current,
    () => ({ _id: "post" }),
    () => ({ _id: "another", _rev: "1-a" }),
  ];
  for (const current of currents) {
    const { handler } = pageOf({ sources: ["post"], current });
    const response = await handler(new Request(URL));
    assert.deepEqual([response.status, await response.text()], [200, "page"]);
    assert.ok(response.headers.has("etag"));
  }
});

test("withEtag current: is asked for a GET only where the response names its document first", async () => {
  const posts = group("posts", () => true);
  const rows: readonly [number, readonly Dependency[], WithEtagOptions?][] = [
    [0, [POST]],
    [0, [POST, "posts"]],
    [0, [guard("session"), POST, "posts"]],
    [0, [posts, POST, "post"]],
    [0, [posts]],
    [1, [posts, "post"]],
    [0, [POST], { hashBody: true }],
    [1, ["post"]],
    [1, ["post", AUTHOR]],
    [1, [guard(AUTHOR), "post"]],
    [1, ["post"], { hashBody: true }],
  ];
  for (const [asked, sources, options = {}] of rows) {
    let times = 0;
    const { get } = pageOf({ sources, options, current: () => (times++, POST) });
    await get("HEAD");
    // The tag of a body is found by asking for that.
    assert.equal(times, options.hashBody ? asked : 0, JSON.stringify(sources));
    times = 0;
    await get();
    assert.equal(times, asked, JSON.stringify(sources));
  }
});

test("withEtag current: a change of another document counts where the registry has been told of it", async () => {
  const page = pageOf({ sources: [POST, AUTHOR], current: () => POST });
  const etag = await page.get();
  page.handler.registry.invalidate("author");
  assert.equal((await page.write(etag))[0], 412, "something was told of the author");
  assert.equal(await page.get(), etag, "and the author is at the same revision still");
  assert.equal((await page.write(etag))[0], 204);
});

test("withEtag current: a guard that changes, or a write that changes nothing, leaves every tag the present one", async () => {
  const session = guard({ _id: "session", _rev: "1-a" });
  const pages: readonly (readonly Dependency[])[] = [
    [POST, session],
    [POST, AUTHOR, session],
    [POST, AUTHOR, "posts", session],
    ["post", "posts", session],
  ];
  for (const sources of pages) {
    for (const hashBody of [false, true]) {
      for (const current of [() => POST, () => [POST, AUTHOR].slice(0, sources.includes(AUTHOR) ? 2 : 1)]) {
        const page = pageOf({ sources, current, options: { hashBody, caller: () => "ann" } });
        const etag = await page.get();
        assert.deepEqual(await page.write(etag), [204, "3-x"]);
        page.handler.registry.invalidate("session");
        assert.deepEqual(await page.write(etag), [204, "3-x"], `${JSON.stringify(sources)} ${hashBody}`);
        assert.deepEqual(await page.write(etag), [204, "3-x"]);
        if (!sources.includes("posts")) continue;
        await page.get();
        page.handler.registry.invalidate("posts");
        assert.equal((await page.write(await page.get()))[0], 204);
      }
    }
  }
});

test("withEtag current: a wrapper of writes without a registry asks the one that is followed", async () => {
  const registry = new EtagRegistry();
  const subscription = coreOf(registry).subscribe("database", 60_000, 0);
  const tell = (...changes: { id: string; rev: string }[]) =>
    subscription.apply({
      changes,
      position: { since: 1, source: "database" },
      state: "live",
      contact: { wall: Date.now(), monotonic: performance.now() },
    }, () => []);
  tell();
  const reader = pageOf({
    sources: [POST, AUTHOR],
    current: () => POST,
    options: { registry, version: "1" },
  });
  const writer = pageOf({ sources: [], current: () => POST, options: { manual: false, version: "1" } });
  const etag = await reader.get();
  assert.equal((await writer.write(etag))[0], 204);
  await reader.get();
  tell({ id: "author", rev: "2-z" });
  assert.equal((await writer.write(etag))[0], 412);
});

test("withEtag current: a response, as the handler gives it for a GET", async () => {
  const rows: readonly [string, Response, number][] = [
    ["declared", new Response("x", { headers: dependsOn(POST, AUTHOR) }), 204],
    [
      "declared at another revision",
      new Response("x", { headers: dependsOn(POST, { ...AUTHOR, _rev: "2-z" }) }),
      412,
    ],
    ["404: nothing is there", new Response("x", { status: 404, headers: dependsOn(POST, AUTHOR) }), 412],
    ["410", new Response("x", { status: 410 }), 412],
    ["500: cannot tell, so the handler decides", new Response("x", { status: 500 }), 204],
  ];
  for (const [why, response, status] of rows) {
    const { get, write } = pageOf({ sources: [POST, AUTHOR], current: () => response });
    assert.equal((await write(await get()))[0], status, why);
  }
  const tagged = withEtag(() => new Response(), {
    current: () =>
      new Response(null, { headers: { etag: '"own"', "last-modified": "Sun, 06 Nov 1994 08:49:37 GMT" } }),
  });
  for (
    const [headers, status] of [
      [{ "if-match": '"own"' }, 200],
      [{ "if-match": '"other"' }, 412],
      [{ "if-unmodified-since": "Sun, 06 Nov 1994 08:49:36 GMT" }, 412],
    ] as const
  ) {
    assert.equal((await tagged(new Request(URL, { method: "PUT", headers }))).status, status);
  }
});

test("withEtag current: a list that lacks some of the page's documents needs the registry", async () => {
  const many = Array.from({ length: 30 }, (_, n) => ({ _id: `doc-${n}`, _rev: "1-a" }));
  for (const sources of [[POST, AUTHOR], [POST, ...many.slice(0, 12)], [POST, ...many]]) {
    const vouched = pageOf({ sources, current: () => [POST] });
    const etag = await vouched.get();
    // Of very many documents only all together are told.
    if (sources.length < 25) assert.deepEqual(await vouched.write(etag), [204, "3-x"]);
    vouched.handler.registry.invalidate(sources[1]!._id);
    assert.equal((await vouched.write(etag))[0], 412);
    const unvouched = pageOf({ sources, current: () => [POST], options: { manual: false } });
    const [status, detail] = await unvouched.write(await unvouched.get());
    assert.equal(status, 412);
    assert.match(detail, /If that is refused as well, the site/);
    const more = pageOf({ sources, current: () => [...sources, { _id: "new", _rev: "1-a" }] });
    assert.equal((await more.write(await more.get()))[0], 412, "a document that the page does not show yet");
  }
});

test("withEtag current: another document than the page's is no advice that loops", async () => {
  const page = pageOf({ sources: [POST], current: () => AUTHOR });
  const [status, detail] = await page.write(await page.get());
  assert.equal(status, 412);
  assert.match(detail, /If that is refused as well, the site/);
});

test("withEtag current: what it must not give", async () => {
  const rows: readonly [unknown, RegExp][] = [
    ["post", /current\(\) gives a document, .* not "post"/],
    [7, /not 7/],
    [[POST, undefined], /current\(\) takes group names and documents/],
    [{ _id: "post" }, /without a _rev/],
    [{ _id: 1, _rev: "1-a" }, /current\(\) takes/],
  ];
  for (const [current, message] of rows) {
    const { write } = pageOf({ sources: [POST], current: () => current as Current });
    await assert.rejects(write('"x"'), message);
  }
});

test("withEtag current: a thousand tags against a list of five hundred documents cost no more than a few", async () => {
  const documents = Array.from({ length: 500 }, (_, n) => ({ _id: `doc-${n}`, _rev: "1-a" }));
  const page = pageOf({ sources: documents, current: () => documents });
  const etag = await page.get();
  const forged = [
    ...Array.from(
      { length: 400 },
      (_, n) => `":${String(n).padStart(11, "0")}+${"a".repeat(43)}.aaaaaaaaaaa"`,
    ),
    ...Array.from({ length: 400 }, (_, n) => `"1-a.${String(n).padStart(11, "0")}.aaaaaaaaaaa"`),
  ];
  assert.equal((await page.write(forged.join(", ")))[0], 412);
  const documentsRead = new CurrentDocuments(documents, true, new TagKey());
  const timeOf = (tags: readonly string[]) => {
    const began = performance.now();
    for (const tag of tags) judgeTag(tag, documentsRead);
    return performance.now() - began;
  };
  timeOf(forged);
  // Each costs about as much whatever the number of documents; hashing them for each tag would cost a hundred times that.
  assert.ok(timeOf(forged) < 200);
  assert.equal((await page.write(`${forged.join(", ")}, ${etag}`))[0], 204);
});

test("withEtag current: the tag of a HEAD, of a part and of a private answer is that of the state as well", async () => {
  const pages: readonly [string, readonly Dependency[], Record<string, string>, WithEtagOptions][] = [
    ["a document", [POST], PUBLIC, {}],
    ["two documents", [POST, AUTHOR], PUBLIC, {}],
    ["a document and a group", [POST, "posts"], PUBLIC, {}],
    ["a name", ["post"], PUBLIC, {}],
    ["a body", ["post"], PUBLIC, { hashBody: true }],
    ["a body of a document and a group", [POST, "posts"], PUBLIC, { hashBody: true }],
    ["a body that declares nothing", [], PUBLIC, { hashBody: true }],
    ["private, for a caller", [POST], { "cache-control": "private" }, { caller: () => "ann" }],
    ["private, by its body", [POST], { "cache-control": "private" }, { hashBody: true }],
    ["private, by its body, a name", ["post"], { "cache-control": "private" }, { hashBody: true }],
  ];
  for (const [why, sources, fields, options] of pages) {
    let post = POST;
    const asDeclared = () => sources.map((source) => source === POST ? post : source);
    const handler = withEtag((request: Request) => {
      const headers = { ...fields, "content-type": "text/plain", ...dependsOn(...asDeclared()) };
      if (request.method === "PUT") return new Response(revisionOf(request) ?? "none");
      const body = `page of ${post._rev}`;
      if (!request.headers.has("range")) {
        return new Response(request.method === "HEAD" ? null : body, { headers });
      }
      return new Response(body.slice(0, 2), {
        status: 206,
        headers: { ...headers, "content-range": `bytes 0-1/${body.length}` },
      });
    }, { manual: true, ...options, current: () => post, requirePrecondition: true });
    const tagOf = async (init: RequestInit = {}) =>
      (await handler(new Request(URL, init))).headers.get("etag");
    const write = async (etag: string) => {
      const response = await handler(new Request(URL, { method: "PUT", headers: { "if-match": etag } }));
      return [response.status, response.status === 200 ? await response.text() : ""];
    };
    const tags = async () =>
      [await tagOf(), await tagOf({ method: "HEAD" }), await tagOf({ headers: { range: "bytes=0-1" } })]
        .filter(
          (etag) => etag !== null,
        );
    const first = await tags();
    assert.ok(first.length > 0, why);
    for (const etag of first) assert.deepEqual(await write(etag), [200, "3-x"], `${why}: ${etag}`);
    post = { _id: "post", _rev: "4-y" };
    for (const etag of first) assert.equal((await write(etag))[0], 412, why);
    handler.registry.invalidate("post");
    for (const etag of await tags()) assert.deepEqual(await write(etag), [200, "4-y"], `${why}: ${etag}`);
  }
});
