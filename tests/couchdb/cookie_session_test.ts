/** Cookie authentication: one login, renewed cookies, one more login after a 401, never a hammer. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import { changes, cookieSession } from "../../src/couchdb/changes.ts";
import { live, until, withDatabase } from "../support/feed_harness.ts";
import { type Fault, json } from "../support/scripted_couchdb.ts";

interface Server {
  readonly url: string;
  readonly logins: string[];
  readonly cookies: (string | undefined)[];
  /** The cookie that is good. */
  good: string;
  /** What the next answer sets. */
  renewed: string | undefined;
  /** The status of a login. */
  login: number;
}

async function withServer(test: (server: Server) => Promise<void>): Promise<void> {
  const state: Server = { url: "", logins: [], cookies: [], good: "one", renewed: undefined, login: 200 };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    let body = "";
    for await (const piece of request) body += piece;
    if (request.url === "/_session") {
      state.logins.push(body);
      const headers = { "set-cookie": `AuthSession=${state.good}; Version=1; Path=/; HttpOnly` };
      return json(response, state.login, "{}", state.login === 200 ? headers : {});
    }
    state.cookies.push(request.headers.cookie);
    const good = request.headers.cookie === `AuthSession=${state.good}`;
    if (state.renewed !== undefined) state.good = state.renewed;
    json(
      response,
      good ? 200 : 401,
      "{}",
      good && state.renewed ? { "set-cookie": `AuthSession=${state.good}` } : {},
    );
    state.renewed = undefined;
  };
  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  try {
    await test(state);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

const credentials = { name: "jörg", password: "secret" };
const status = async (response: Promise<Response>) => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};

test("cookieSession: logs in once, before the first request, however many there are", () =>
  withServer(async (server) => {
    const ask = cookieSession(server.url, credentials);
    const asked = await Promise.all([1, 2, 3].map(() => status(ask(`${server.url}/db`))));
    assert.deepEqual([asked, server.logins], [[200, 200, 200], [JSON.stringify(credentials)]]);
  }));

test("cookieSession: takes over a cookie that the server renews", () =>
  withServer(async (server) => {
    const ask = cookieSession(server.url, credentials);
    server.renewed = "two";
    assert.equal(await status(ask(`${server.url}/db`)), 200);
    assert.equal(await status(ask(`${server.url}/db`)), 200);
    assert.deepEqual([server.cookies, server.logins.length], [["AuthSession=one", "AuthSession=two"], 1]);
  }));

test("cookieSession: logs in again before a cookie expires", () =>
  withServer(async (server) => {
    let now = 0;
    const ask = cookieSession(server.url, { ...credentials, timeout: 600_000, monotonic: () => now });
    for (const time of [0, 470_000, 490_000]) {
      now = time;
      assert.equal(await status(ask(`${server.url}/db`)), 200);
    }
    assert.equal(server.logins.length, 2);
  }));

test("cookieSession: logs in once more after a 401, and no more", () =>
  withServer(async (server) => {
    const ask = cookieSession(server.url, credentials);
    await status(ask(`${server.url}/db`));
    server.good = "rotated";
    assert.equal(await status(ask(`${server.url}/db`)), 200);
    assert.equal(server.logins.length, 2);
    server.login = 403;
    server.good = "locked";
    assert.equal(await status(ask(`${server.url}/db`)), 403);
    assert.equal(server.logins.length, 3);
  }));

test("cookieSession: a refused login is the answer, and not repeated", () =>
  withServer(async (server) => {
    server.login = 401;
    const ask = cookieSession(server.url, credentials);
    assert.equal(await status(ask(`${server.url}/db`)), 401);
    await assert.rejects(changes(`${server.url}/db`, { fetch: ask }).batches().next(), {
      code: "unauthorized",
    });
    assert.equal(server.logins.length, 2);
    server.login = 403;
    await assert.rejects(changes(`${server.url}/db`, { fetch: ask }).batches().next(), { code: "forbidden" });
  }));

test("cookieSession: neither cookie nor password goes to another origin, or is shown", () =>
  withServer(async (server) => {
    await withServer(async (other) => {
      const ask = cookieSession(server.url, credentials);
      await status(ask(`${server.url}/db`));
      await status(ask(`${other.url}/db`));
      assert.deepEqual([other.cookies, other.logins], [[undefined], []]);
      const shown = inspect([ask, changes(server.url + "/db", { fetch: ask })], {
        depth: 9,
        showHidden: true,
      });
      assert.ok(!shown.includes("secret"), shown);
    });
    for (const url of ["http://u:secret@host", "secret", "ftp://host"]) {
      assert.throws(
        () => cookieSession(url, credentials),
        (error: Error) => error instanceof TypeError && !inspect(error).includes("secret"),
      );
    }
  }));

test("cookieSession: a feed whose cookie grew stale on a long connection goes on", () =>
  withDatabase(async ({ database, open }) => {
    let good = 0;
    const guard: Fault = ({ url, headers }, response) => {
      if (url.pathname.endsWith("_session")) {
        return json(response, 200, "{}", { "set-cookie": `AuthSession=${++good}; HttpOnly` });
      }
      if (headers.cookie === `AuthSession=${good}`) return false;
      json(response, 401, `{"error":"unauthorized","reason":"Stale."}`);
      return undefined;
    };
    database.fail("any", guard, Infinity);
    const batches = open({ fetch: cookieSession(new URL(database.url).origin, credentials) }).batches();
    await until(batches, live);
    const next = batches.next();
    await database.asked("continuous", 0);
    good++;
    await database.cut();
    assert.equal((await next).value.state, "lost");
    await until(batches, live);
  }));

/** Answers `/_session` with this, and anything else with an empty object. */
function loginWith(answer: () => Response) {
  const asked: string[] = [];
  const fetch = cookieSession("http://db.invalid", {
    name: "reader",
    password: "secret",
    fetch: (url) => {
      asked.push(new URL(url).pathname);
      return Promise.resolve(url.endsWith("/_session") ? answer() : Response.json({}));
    },
  });
  return { asked, fetch };
}

/** Sends this again and again, as fast as it is read. */
function endless(status: number, init: ResponseInit = {}): { response: Response; sent: () => number } {
  let sent = 0;
  const body = new ReadableStream({
    pull: (controller) => {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536).fill(32));
    },
  }, { highWaterMark: 0 });
  return { response: new Response(body, { status, ...init }), sent: () => sent };
}

test("cookieSession: of a login that is answered without end, little is read", async () => {
  const refused = endless(500);
  const { asked, fetch } = loginWith(() => refused.response);
  assert.equal((await fetch("http://db.invalid/blog")).status, 500);
  assert.ok(refused.sent() <= 262_144, `${refused.sent()}`);
  assert.deepEqual(asked, ["/_session"]);
  const accepted = endless(200, { headers: { "set-cookie": "AuthSession=one; Path=/" } });
  const good = loginWith(() => accepted.response);
  assert.equal((await good.fetch("http://db.invalid/blog")).status, 200);
  assert.ok(accepted.sent() <= 262_144, `${accepted.sent()}`);
  assert.deepEqual(good.asked, ["/_session", "/blog"]);
});

for (const cookie of [undefined, "Other=1", `AuthSession=${"x".repeat(5_000)}`]) {
  test(`cookieSession: a login without a cookie that can be kept is one request, and a fault: ${cookie?.slice(0, 14)}`, async () => {
    const headers: Record<string, string> = cookie === undefined ? {} : { "set-cookie": cookie };
    const { asked, fetch } = loginWith(() => Response.json({ ok: true }, { headers }));
    const response = await fetch("http://db.invalid/blog");
    assert.equal(response.status, 502);
    assert.equal((await response.json()).error, "no_cookie");
    assert.deepEqual(asked, ["/_session"]);
  });
}
