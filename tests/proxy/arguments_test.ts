import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments, UsageError } from "../../src/proxy/command/arguments.ts";
import { callerOf } from "../../src/proxy/command/command.ts";
import { Log } from "../../src/proxy/command/log.ts";

const LEAST = ["--upstream", "http://127.0.0.1:3000", "--couchdb", "http://127.0.0.1:5984/blog"];

test("parseArguments: defaults, and each option", () => {
  const least = parseArguments(LEAST, {});
  assert.deepEqual([least.hostname, least.port, least.maxLag, least.log], [
    "127.0.0.1",
    8080,
    25_000,
    "requests",
  ]);
  const all = parseArguments([
    ...[...LEAST, "--listen=:8081", "--group", "posts=post-", "--group", "all=", "--pass", "/static/"],
    ...["--caller-cookie", "sid", "--trust-forwarded", "--connect-timeout", "500ms", "--idle-timeout", "2m"],
    ...[
      "--first-byte-timeout",
      "7s",
      "--max-lag",
      "10s",
      "--drain",
      "1ms",
      "--grace",
      "3s",
      "--log",
      "faults",
    ],
  ], { COUCHDB_USER: "reader", COUCHDB_PASSWORD: "p%40:s" });
  assert.deepEqual([all.hostname, all.port], ["0.0.0.0", 8081]);
  const { metrics } = parseArguments([...LEAST, "--metrics", "127.0.0.1:9464"], {});
  assert.deepEqual([least.metrics, metrics], [undefined, { hostname: "127.0.0.1", port: 9464 }]);
  assert.deepEqual(all.groups, [{ name: "posts", prefix: "post-" }, { name: "all", prefix: "" }]);
  assert.deepEqual([all.connectTimeout, all.idleTimeout, all.firstByteTimeout], [500, 120_000, 7_000]);
  assert.equal(decodeURIComponent(all.couchdb.password), "p%40:s");
  assert.deepEqual(
    parseArguments(LEAST.slice(0, 2), { COUCHDB_URL: "http://u:p@h/db" }).couchdb.username,
    "u",
  );
});

const wrong: readonly (readonly [words: string[], message: RegExp, environment?: Record<string, string>])[] =
  [
    [[], /^--upstream is missing/],
    [LEAST.slice(0, 2), /^--couchdb is missing/],
    [["--upstream", "ftp://a", ...LEAST.slice(2)], /^--upstream: upstream is an http: or https: URL/],
    [
      ["--upstream", "http://u:SECRET@a", ...LEAST.slice(2)],
      /^--upstream: upstream is a URL without credentials$/,
    ],
    [[...LEAST.slice(0, 2), "--couchdb", "http://u:SECRET@h/db"], /^--couchdb holds credentials/],
    [[...LEAST.slice(0, 2), "--couchdb", "http://u:SECRET/x@h/db"], /^--couchdb: Expected/],
    [[...LEAST.slice(0, 2), "--couchdb", "http://h"], /^--couchdb: The URL names no database/],
    [LEAST.slice(0, 2), /^COUCHDB_URL: Expected/, { COUCHDB_URL: "u:SECRET@h" }],
    [LEAST, /^COUCHDB_USER and COUCHDB_PASSWORD belong together/, { COUCHDB_PASSWORD: "SECRET" }],
    [[...LEAST, "--password=SECRET"], /^--password is no option/],
    [[...LEAST, "http://u:SECRET@h/db"], /^argument 5 is no option/],
    [[...LEAST, "--listen", "8080"], /^--listen is HOST:PORT/],
    [[...LEAST, "--listen", ":99999"], /^--listen is HOST:PORT/],
    [[...LEAST, "--metrics", "9464"], /^--metrics is HOST:PORT/],
    [[...LEAST, "--listen"], /^--listen lacks its value/],
    [[...LEAST, "--listen", "--log"], /^--listen lacks its value/],
    [[...LEAST, "--upstream", "http://b"], /^--upstream is given twice/],
    [[...LEAST, "--trust-forwarded=yes"], /^--trust-forwarded takes no value/],
    [[...LEAST, "--grace", "5"], /^--grace is a time above 0/],
    [[...LEAST, "--grace", "0s"], /^--grace is a time above 0/],
    [[...LEAST, "--pass", "static"], /^--pass is a path/],
    [[...LEAST, "--group", "=post-"], /^--group is NAME=PREFIX/],
    [[...LEAST, "--caller-cookie", "a b"], /^--caller-cookie is the name of a cookie/],
    [[...LEAST, "--log", "all"], /^--log is requests or faults/],
    [[...LEAST, "--name", "1"], /^--name is letters/],
  ];

for (const [words, message, environment = {}] of wrong) {
  test(`parseArguments: ${JSON.stringify(words)} ${JSON.stringify(environment)} is refused in one line`, () => {
    assert.throws(() => parseArguments(words, environment), (error: Error) => {
      assert.ok(error instanceof UsageError);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /SECRET|\n/);
      return true;
    });
  });
}

test("callerOf: the session of one cookie, and of nothing else that says who asks", () => {
  const caller = callerOf("sid");
  const of = (headers: Record<string, string>) => caller(new Request("http://a/", { headers }));
  assert.equal(of({ cookie: "theme=dark; sid=7" }), "7");
  assert.equal(of({ cookie: "theme=dark" }), undefined);
  assert.equal(of({ cookie: "sid=" }), undefined);
  assert.equal(of({ cookie: "sid=7; sid=8" }), undefined);
  assert.equal(of({ cookie: "sid=7", authorization: "Bearer x" }), undefined);
  assert.equal(of({}), undefined);
});

test("Log: lines are written together, each a JSON object with its time", () => {
  const written: string[] = [];
  const log = new Log((text) => written.push(text));
  log.add({ event: "a" });
  log.add({ event: "b", fault: undefined });
  assert.equal(written.length, 0);
  log.flush();
  const lines = written.join("").trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ event }) => event), ["a", "b"]);
  assert.ok(lines.every(({ time }) => !Number.isNaN(Date.parse(time))));
});
