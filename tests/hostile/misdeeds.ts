/**
 * What a server that is broken or hostile answers, and what one answers that behaves; as descriptions, so that a test
 * makes responses of them, and a task sends them over sockets.
 */
import type { Random } from "../simulation/random.ts";

/** How an answer goes on after its body. */
export type Ending = "whole" | "cut" | "hang" | "drip" | "endless";

/** An answer. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly ending: Ending;
  /** Milliseconds before the head. */
  readonly delay?: number;
  /** Over a socket, these bytes take the place of the whole answer. */
  readonly raw?: string;
}

const json = (body: string, ending: Ending = "whole", status = 200): Answer => ({
  status,
  headers: { "content-type": "application/json" },
  body,
  ending,
});

const evil = (n: number, seq: unknown = `${n}-evil`) => ({ seq, id: `evil-${n}`, changes: [{ rev: "1-e" }] });

const page = (rows: unknown[], last: unknown, pending: unknown): string =>
  JSON.stringify({ results: rows, last_seq: last, pending });

const maintenance = "<!doctype html><title>Back soon</title><h1>We are working on it</h1>";

/** Each way to misbehave, by its name. `n` counts requests. */
export const misdeeds: Readonly<Record<string, (random: Random, n: number) => Answer>> = {
  "a page that does not advance": () => json(page([evil(5)], "5-evil", 4)),
  "an empty page, with more pending": (_, n) => json(page([], `${n}-evil`, 4)),
  "pages in a circle": (random, n) => json(page([evil(n % random.integer(1, 7))], `${n % 5}-evil`, 4)),
  "one row a page, with more pending": (_, n) => json(page([evil(n)], `${n}-evil`, 1e9)),
  "too many rows": () => json(page(Array.from({ length: 3_000 }, (_, n) => evil(n)), "3000-evil", 0)),
  "a wrong position": (random, n) =>
    json(page([evil(n, random.pick<unknown>([{}, true, "", -1, 1e308, []]))], 7, 0)),
  "a position far ahead": () => json(page([evil(999_999)], "999999-evil", 0)),
  "wrong types": (random, n) =>
    json(random.pick([
      "null",
      "[]",
      "7",
      `"x"`,
      `{"results":{},"last_seq":1}`,
      `{"results":[${n},null,[]],"last_seq":"1-x"}`,
      `{"results":[{"seq":"1-x","id":${n},"changes":"x"}],"last_seq":"1-x"}`,
      `{"results":[],"last_seq":null}`,
      `{"update_seq":{},"purge_seq":{"a":1},"instance_start_time":[],"cluster":7}`,
      `{"update_seq":"1-x","cluster":{"q":1e308,"n":-3}}`,
    ])),
  "huge numbers": () =>
    json(`{"results":[],"last_seq":"${"9".repeat(10_000)}","pending":${"9".repeat(5_000)}}`),
  "deep nesting": () => json("[".repeat(100_000) + "]".repeat(100_000)),
  "an error under 200": () => json(`{"error":"timeout","reason":"${"late ".repeat(100)}"}\n`),
  "half a page": () => json(`{"results":[\n{"seq":"1-evil","id":"ev`),
  "half a page, cut": () => json(`{"results":[\n{"seq":"1-evil","id":"ev`, "cut"),
  "a line without end": () => json("x".repeat(60_000), "endless"),
  "white space without end": () => json("\n".repeat(60_000), "endless"),
  "a drip": () => json(`{"results":[`, "drip"),
  "silence after the head": () => json("", "hang"),
  "a slow head": (random) => ({ ...json("{}"), delay: random.integer(100, 3_000) }),
  "a head that never comes": () => ({ ...json("{}"), delay: 1e9 }),
  "a web page": () => ({
    status: 200,
    headers: { "content-type": "text/html" },
    body: maintenance,
    ending: "whole",
  }),
  "a web page that says JSON": () => json(maintenance),
  "a wrong content type": () => ({ ...json("\u0000\u0001\u0002"), headers: { "content-type": "image/png" } }),
  "an empty answer": () => json(""),
  "another 2xx": (random) => json("{}", "whole", random.pick([201, 202, 203, 206])),
  "a redirect in a circle": (random) => ({
    ...json("", "whole", random.pick([301, 302, 303, 307, 308])),
    headers: { location: "?again" },
  }),
  "a redirect to nowhere": () => ({ ...json("", "whole", 302), headers: { location: "http://[" } }),
  "a redirect elsewhere": () => ({ ...json("", "whole", 302), headers: { location: "http://127.0.0.2:1/" } }),
  "a 4xx of a proxy": (random) => ({
    ...json(maintenance, "whole", random.pick([400, 404, 405, 408, 413, 414, 418, 431])),
    headers: { "content-type": "text/html" },
  }),
  "a 4xx": (random) =>
    json(`{"error":"bad_request","reason":"no"}`, "whole", random.pick([400, 405, 406, 409, 412, 413, 415])),
  "a 404": () => json(`{"error":"not_found","reason":"Database does not exist."}`, "whole", 404),
  "a 5xx": (random) =>
    json("{}", random.pick<Ending>(["whole", "cut"]), random.pick([500, 501, 502, 503, 504])),
  "an error without end": () => json("x".repeat(60_000), "endless", 500),
  "a feed that ends at once": (_, n) =>
    json(`${JSON.stringify(evil(n))}\n{"last_seq":"${n}-evil","pending":0}\n`),
  "a feed that breaks at once": (_, n) => json(`\n${JSON.stringify(evil(n))}\n`, "cut"),
  "another database": (random) =>
    json(`{"update_seq":"1-x","purge_seq":"0-x","instance_start_time":"${random.integer(1, 1e9)}"}`),
  "another number of purges": (random) =>
    json(`{"update_seq":"1-x","purge_seq":"${random.integer(1, 9)}-x","instance_start_time":"1"}`),
  "a reset connection": () => ({ ...json("", "cut"), raw: "" }),
  "no HTTP": () => ({ ...json("", "cut"), raw: "220 smtp.invalid ready\r\n\r\n" }),
  "an early hint and nothing more": () => ({
    ...json("", "cut"),
    raw: "HTTP/1.1 103 Early Hints\r\nlink: </>\r\n\r\n",
  }),
  "a switch of protocols": () => ({
    ...json("", "cut"),
    raw: "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
  }),
  "a length that is wrong": () => ({
    ...json("", "cut"),
    raw: "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99999\r\n\r\n{}",
  }),
  "a chunk that is wrong": () => ({
    ...json("", "cut"),
    raw: "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n",
  }),
  "a status that is none": () => ({ ...json("", "cut"), raw: "HTTP/1.1 999999 Nope\r\n\r\n" }),
};

/** A database that behaves: a document for each of its changes. */
export class GoodDatabase {
  /** How many changes it has. */
  changes = 3;

  /** The answer to a request. The rows of a feed end with a hang. */
  answer(url: URL): Answer {
    if (url.pathname.endsWith("/_revs_diff")) return json("{}");
    if (!url.pathname.endsWith("/_changes")) {
      return json(JSON.stringify({
        update_seq: `${this.changes}-x`,
        purge_seq: "0-x",
        instance_start_time: "1",
        cluster: { q: 2, n: 1 },
      }));
    }
    const { searchParams } = url;
    const since = Math.min(Number.parseInt(searchParams.get("since") ?? "0") || 0, this.changes);
    const rows = Array.from({ length: this.changes - since }, (_, n) => this.row(since + n + 1));
    const feed = searchParams.get("feed");
    if (feed === "continuous") {
      return json(`\n${rows.map((row) => `${JSON.stringify(row)}\n`).join("")}`, "hang");
    }
    if (searchParams.get("descending") === "true") {
      return json(page(rows.toReversed().slice(0, 16), `${Math.max(0, this.changes - 16)}-x`, 0));
    }
    const limit = Number(searchParams.get("limit") ?? Infinity);
    const sent = rows.slice(0, limit);
    const last = sent.length === rows.length ? `${this.changes}-x` : sent.at(-1)?.seq ?? `${since}-x`;
    return json(
      page(sent, last, rows.length - sent.length),
      feed === "longpoll" && rows.length === 0 ? "hang" : "whole",
    );
  }

  /** The row of one of its changes. */
  row(
    n: number,
  ): { readonly seq: string; readonly id: string; readonly changes: readonly { readonly rev: string }[] } {
    return { seq: `${n}-x`, id: `doc-${n}`, changes: [{ rev: "1-a" }] };
  }
}
