/** No secret in what this package shows: errors, events, the console, and whatever `inspect` finds in its objects. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { EtagRegistry, follow } from "../../mod.ts";
import { changes, cookieSession, currentRevision, databaseUpdates } from "../../src/couchdb/changes.ts";
import { parseDatabaseUrl, parseServerUrl } from "../../src/couchdb/wire/database_url.ts";
import { changes as nanoChanges } from "../../src/nano.ts";
import { changes as pouchChanges } from "../../src/pouchdb.ts";
import fc from "../support/fast_check.ts";

const SECRET = "tPassw0rd";

/** Right ones. */
const RIGHT = [
  "http://admin:tPassw0rd@localhost:5984/blog",
  "https://admin:tPassw0rd@couch.example.org/blog",
  "http://admin:tPassw0rd@[::1]:5984/blog",
  "http://admin:tPassw0rd@localhost:5984/prefix/blog",
  "http://admin:a%3FtPassw0rd%23@localhost:5984/blog",
  "http://admin:a%2FtPassw0rd@localhost:5984/blog",
  "http://:tPassw0rd@localhost:5984/blog",
  "http://tPassw0rd@localhost:5984/blog",
  "http://admin:a@tPassw0rd@localhost:5984/blog",
  "HTTP:\\\\admin:tPassw0rd@localhost:5984\\blog",
  "http:admin:tPassw0rd@localhost:5984/blog",
  "  http://admin:tPassw0rd@localhost:5984/blog",
];

/** Mistyped: a character that is not encoded, a part that is missing, two that were exchanged. */
const MISTYPED = [
  ..."#?/\\".split("").flatMap((character) => [
    `http://admin:s3cr${character}tPassw0rd@localhost:5984/blog`,
    `http://admin:2024${character}tPassw0rd@localhost:5984/blog`,
    `http://admin:${character}tPassw0rd@localhost:5984/blog`,
    `http://admin${character}tPassw0rd@localhost:5984/blog`,
  ]),
  "http://admin:2024/tPassw0rd%40localhost:5984/blog",
  "http://admin:2024/x/tPassw0rd%40localhost:5984/blog",
  "http://admin:%zztPassw0rd@localhost:5984/blog",
  "http://tPassw0rd%zz:admin@localhost:5984/blog",
  "ftp://admin:tPassw0rd@localhost/blog",
  "couchdb://admin:tPassw0rd@localhost/blog",
  "admin:tPassw0rd@localhost:5984/blog",
  "tPassw0rd:admin@localhost:5984/blog",
  "//admin:tPassw0rd@localhost:5984/blog",
  "/admin:tPassw0rd@localhost:5984/blog",
  "http//admin:tPassw0rd@localhost/blog",
  "admin:tPassw0rd",
  "tPassw0rd",
  "http://admin:tPassw0rd@local host/blog",
  "http://admin:tPassw0rd@localhost:99999/blog",
  "http://admin:tPassw0rd@:5984/blog",
  "http://admin:tPassw0rd@/blog",
  "http://admin:tPassw0rd/blog",
  "http://admin:tPassw0rd:localhost:5984/blog",
  "http://admin:tPassw0rd%40localhost:5984/blog",
  "http://admin@tPassw0rd:localhost:5984/blog",
  "http://admin:tPassw0rd@localhost:5984/blog?x",
  "http://admin:tPassw0rd@localhost:5984/blog#x",
  "http://localhost:5984/blog?password=tPassw0rd",
  "http://localhost:5984/blog#tPassw0rd",
  "http://localhost:5984/admin:tPassw0rd@blog",
];

/** Everything that can be read of a value, as a program would log it. */
function shown(value: unknown): string {
  const text = [inspect(value, { depth: 8, showHidden: true, getters: true }), String(value)];
  if (value instanceof Error) {
    text.push(value.message, value.stack ?? "", shown((value as { cause?: unknown }).cause));
  }
  return text.join("\n");
}

function leaks(text: string): boolean {
  const found = [SECRET, btoa(`admin:${SECRET}`), `:${SECRET}`].some((secret) => text.includes(secret));
  // In Base64 the text stands at one of three offsets.
  return found || ["dFBhc3N3MHJk", "UGFzc3cwcm", "Bhc3N3MHJk"].some((piece) => text.includes(piece)) ||
    text.toLowerCase().includes(SECRET.toLowerCase());
}

/** What a door gives, or throws. */
async function outcome(open: () => unknown): Promise<unknown> {
  try {
    return await open();
  } catch (error) {
    return error;
  }
}

const refused = () => Promise.reject(new TypeError("fetch failed"));
const server = (url: string) => url.replace(/\/blog/, "");
const pouch = (name: string) => ({
  name,
  id: () => Promise.resolve("id"),
  info: () => Promise.reject(new Error("no")),
  changes: () => Promise.reject(new Error("no")) as never,
});

const DOORS: Record<string, (url: string) => unknown> = {
  "changes()": (url) => [changes(url, { fetch: refused })],
  "changes(new URL())": (url) => [changes(new URL(url), { fetch: refused })],
  "databaseUpdates()": (url) => [databaseUpdates(server(url), { fetch: refused })],
  "cookieSession()": (
    url,
  ) => [cookieSession(server(url), { name: "admin", password: SECRET, fetch: refused })],
  "cookieSession()()": (url) =>
    cookieSession("http://localhost:5984", { name: "admin", password: SECRET, fetch: refused })(url),
  "currentRevision()": (url) => currentRevision(url, "x", { fetch: refused }),
  "currentRevision(id)": (url) => currentRevision("http://localhost/blog", "_" + url, { fetch: refused }),
  "nano": (url) => [nanoChanges({ config: { url: server(url), db: "blog" } }, { fetch: refused })],
  "nano, db": (
    url,
  ) => [nanoChanges({ config: { url: "http://localhost", db: `${url}:` } }, { fetch: refused })],
  "pouchdb": (url) => [pouchChanges(pouch(url))],
};

for (const [door, open] of Object.entries(DOORS)) {
  // The platform's own parser shows the text, and PouchDB's name of what is no URL is the name of a file.
  const given = door === "changes(new URL())" || door === "pouchdb" ? RIGHT : [...RIGHT, ...MISTYPED];
  test(`${door}: shows no secret of ${given.length} URLs`, async () => {
    for (const url of given) {
      const result = await outcome(() => open(url));
      assert.equal(leaks(shown(result)), false, `${url}: ${shown(result)}`);
    }
  });
}

test("parseDatabaseUrl: what is mistyped is refused, and what is right is not", () => {
  for (const url of RIGHT) {
    const { href, authorization } = parseDatabaseUrl(url);
    assert.equal(leaks(href), false, href);
    assert.equal(leaks(atob(authorization!.slice(6))), true);
  }
  for (const url of MISTYPED) assert.throws(() => parseDatabaseUrl(url), TypeError, url);
});

test("parseDatabaseUrl: names the part that is wrong", () => {
  const rows: readonly [string, RegExp][] = [
    ["ftp://localhost/blog", /scheme/],
    ["localhost:5984/blog", /scheme/],
    ["http://localhost/blog?x", /query/],
    ["http://localhost/blog#x", /fragment/],
    ["http://localhost/x@y/blog", /path/],
    ["http://localhost/", /names no database/],
    ["http://localhost:99999/blog", /port/],
    ["http://a:%zz@localhost/blog", /percent-encoded/],
  ];
  for (const [url, message] of rows) assert.throws(() => parseDatabaseUrl(url), message);
});

test("parseServerUrl: a text with a secret anywhere is refused without it, or has it in the credentials", () => {
  const piece = fc.constantFrom(
    "http:",
    "https:",
    "//",
    "/",
    "admin",
    ":",
    "@",
    "#",
    "?",
    "%",
    "%40",
    "2024",
    "localhost",
    " ",
    "\\",
    "[",
    "\n",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), fc.array(piece, { maxLength: 8 }), (before, after) => {
      let shownText: string;
      try {
        shownText = parseServerUrl([...before, SECRET, ...after].join("")).href;
      } catch (error) {
        assert.ok(error instanceof TypeError);
        assert.equal(leaks(shown(error)), false);
        return;
      }
      // Only what stands behind no @ at all can be a host or a path.
      if (leaks(shownText)) {
        assert.equal(after.some((text) => text === "@" || text === "%40"), false, shownText);
      }
    }),
    { numRuns: 2_000 },
  );
});

for (const fault of ["unreachable", "denied", "redirected", "broken"] as const) {
  test(`a feed that is ${fault}: no secret in its events, its errors, the console and its objects`, async () => {
    const said: unknown[] = [];
    const error = console.error;
    console.error = (...args: unknown[]) => void said.push(args);
    try {
      for (const url of RIGHT) {
        const fetch = (asked: string) => {
          said.push(asked);
          if (fault === "unreachable") return Promise.reject(new TypeError("connect ECONNREFUSED"));
          if (fault === "denied") {
            return Promise.resolve(Response.json({ error: "unauthorized" }, { status: 401 }));
          }
          if (fault === "broken") return Promise.resolve(new Response("<html>", { status: 200 }));
          const location = asked.replace("//", `//admin:${SECRET}@`).replace(/localhost|couch/, "elsewhere");
          return Promise.resolve(new Response(null, { status: 302, headers: { location } }));
        };
        const controller = new AbortController();
        let attempts = 0;
        const sleep = () =>
          new Promise<void>((resolve) => {
            if (++attempts > 3) controller.abort();
            setTimeout(resolve);
          });
        const feed = changes(url, {
          fetch,
          sleep,
          signal: controller.signal,
          onEvent: (event) => void said.push(event),
        });
        const registry = new EtagRegistry();
        const follower = follow(registry, feed);
        await follower.ready.catch((cause) => said.push(cause));
        said.push(
          feed,
          changes(url, { fetch }).batches(),
          changes(url, { fetch })[Symbol.asyncIterator](),
          follower,
          registry,
          follower.error,
          registry.stats,
        );
        await follower.close();
      }
    } finally {
      console.error = error;
    }
    for (const what of said) assert.equal(leaks(shown(what)), false, shown(what));
  });
}

test("currentRevision: refuses what is no document id, without asking", async () => {
  let asked = 0;
  const fetch = () => {
    asked++;
    return Promise.resolve(new Response(null, { headers: { etag: '"1-x"' } }));
  };
  const revision = (id: unknown) => currentRevision("http://localhost:5984/blog", id as string, { fetch });
  const none = [
    "",
    ".",
    "..",
    "_all_docs",
    "_changes",
    "_design",
    "_design/",
    "_local/",
    "_security",
    "_",
    "_designs/x",
    "\ud800",
    "x\udc00",
    undefined,
    null,
    7,
    {},
  ];
  for (const id of none) await assert.rejects(revision(id), TypeError, String(id));
  assert.equal(asked, 0);
  const ids = ["x", "_design/x", "_local/x", "...", "a/b", "%2e", "é", "😀", "-_", " "];
  for (const id of ids) assert.deepEqual(await revision(id), { _id: id, _rev: "1-x" });
  assert.equal(asked, ids.length);
});
