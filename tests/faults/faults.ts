/**
 * Every fault a follower must outlive, in terms that hold for long-polling followers too. The numbers name the traps
 * of docs/changes.md.
 */
import type { Exchange } from "./exchange.ts";
import type { Answer, Delivery, FaultyCouchdb } from "./faulty_couchdb.ts";

export interface Fault {
  readonly name: string;
  /** Where the follower starts; default 0. */
  readonly since?: "now";
  /** Done before the follower starts. */
  prepare?(database: FaultyCouchdb): void;
  /** Done while the follower waits for the next row; afterwards the database is as it should be. */
  strike?(database: FaultyCouchdb): void | Promise<void>;
  /** Written during the fault; all of it must arrive. */
  readonly written: readonly string[];
  /** To give up with an error is right. */
  readonly final?: boolean;
  /** The follower is told to wait that long, in milliseconds. */
  readonly wait?: number;
  /** The consumer throws at the first sight of this one. */
  readonly throwsAt?: string;
}

const DURING = ["during-1", "during-2"];

/** The next rows are delivered in some way. */
const spoiled = (name: string, delivery: Delivery, written: readonly string[] = DURING): Fault => ({
  name,
  written,
  strike: (database) => {
    database.spoil(delivery);
    database.put(...written);
  },
});

/** The live request ends, and the next ones are answered in some way. */
const refused = (name: string, times: number, answer: Answer, wait?: number): Fault => ({
  name,
  written: DURING,
  ...(wait === undefined ? {} : { wait }),
  strike: (database) => {
    database.replace("any", answer, times);
    database.endFeeds();
    database.put(...DURING);
  },
});

/** The first page, or the first answer to a long poll, is sent in some way. */
const firstPage = (name: string, answer: Answer): Fault => ({
  name,
  written: DURING,
  prepare: (database) => database.replace("changes", answer),
  strike: (database) => database.put(...DURING),
});

const BROKEN_PAGE =
  `{"results":[\n{"seq":"1-g1AAAAB5","id":"old-1","changes":[{"rev":"1-967a"}]},\r\n{"seq":"2-`;

const status = (code: number, error: string, fields: Record<string, string> = {}) => (exchange: Exchange) =>
  exchange.respond(code, `{"error":"${error}","reason":"Scripted."}`, fields);

const page = (code: number) => (exchange: Exchange) =>
  exchange.respond(code, "<!doctype html><title>Proxy</title>", { "content-type": "text/html" });

/** Sends bytes one by one. */
async function byteByByte(exchange: Exchange, text: string): Promise<void> {
  for (const byte of new TextEncoder().encode(text)) {
    exchange.write(Uint8Array.of(byte));
    await exchange.flushed();
  }
}

/** Milliseconds of a lock-out; CouchDB's five minutes would only make the report longer. */
const LOCK_OUT = 3_000;

export const faults: readonly Fault[] = [
  { name: "none", written: DURING, strike: (database) => database.put(...DURING) },
  firstPage("reset in the middle of the first page", (exchange) => {
    exchange.start();
    exchange.write(BROKEN_PAGE);
    void exchange.reset();
  }),
  firstPage("clean end in the middle of the first page", (exchange) => {
    exchange.start();
    exchange.write(BROKEN_PAGE);
    exchange.end();
  }),
  spoiled("reset in the middle of a row", async (exchange, rows) => {
    exchange.write(rows.slice(0, -30));
    await exchange.reset();
    return false;
  }),
  spoiled("connection closed in the middle of a row", async (exchange, rows) => {
    exchange.write(rows.slice(0, -30));
    await exchange.hangUp();
    return false;
  }),
  spoiled("clean end in the middle of a row", (exchange, rows) => {
    exchange.write(rows.slice(0, -30));
    exchange.end();
    return false;
  }),
  spoiled("clean end without the last line", (exchange, rows) => {
    exchange.write(rows);
    exchange.end();
    return false;
  }),
  spoiled("error in the body", (exchange) => {
    exchange.write(`\n{"code":500,"error":"timeout","reason":"Scripted."}\n`);
    exchange.end();
    return false;
  }),
  refused("503 three times", 3, status(503, "service unavailable")),
  refused("500 in answer to one request", 1, status(500, "timeout")),
  refused("429 with Retry-After: 2", 1, status(429, "too_many_requests", { "retry-after": "2" }), 2_000),
  refused("401 once", 1, status(401, "unauthorized")),
  {
    name: "403, locked out",
    written: DURING,
    wait: 60_000,
    strike: (database) => {
      const end = performance.now() + LOCK_OUT / database.pace;
      const refuse = status(403, "forbidden");
      database.replace("any", (exchange) => performance.now() < end && refuse(exchange), Infinity);
      database.endFeeds();
      database.put(...DURING);
    },
  },
  {
    name: "404 at the start",
    written: [],
    final: true,
    prepare: (database) => {
      database.exists = false;
    },
  },
  refused("404 later, out of sight for two requests", 2, status(404, "not_found")),
  refused("412 nodedown twice", 2, status(412, "nodedown")),
  refused("HTML under 200, twice", 2, page(200)),
  refused("HTML under 502, twice", 2, page(502)),
  refused("redirect within the origin", 1, (exchange) => {
    const { pathname, search } = exchange.url;
    exchange.respond(307, "", { location: `${pathname}${search}${search === "" ? "?" : "&"}moved=1` });
  }),
  refused("black hole before the headers", 1, () => {}),
  {
    name: "black hole after the headers",
    written: DURING,
    strike: async (database) => {
      let fell = (): void => {};
      const fallen = new Promise<void>((resolve) => fell = resolve);
      database.replace("live", (exchange) => {
        exchange.start();
        exchange.write(exchange.url.searchParams.get("feed") === "longpoll" ? `{"results":[\n` : "\n");
        fell();
      });
      database.endFeeds();
      await fallen;
      database.put(...DURING);
    },
  },
  {
    name: "black hole while waiting",
    written: DURING,
    strike: (database) => {
      database.silence();
      database.put(...DURING);
    },
  },
  {
    name: "write in the gap after `now`",
    since: "now",
    written: ["gap"],
    strike: (database) => {
      database.replace("any", status(503, "service unavailable"));
      database.hangUp();
      database.put("gap");
    },
  },
  spoiled("heartbeats glued to rows", (exchange, rows, end) => {
    exchange.write(`\n\n${rows.slice(0, 20)}`);
    exchange.write(`${rows.slice(20)}\n\n\n${end}`);
    return true;
  }),
  spoiled("every byte by itself, UTF-8", async (exchange, rows, end) => {
    await byteByByte(exchange, rows + end);
    return true;
  }, ["ü", "☃", "𝄞"]),
  {
    name: "null seqs, then a clean end",
    written: [...DURING, "during-3"],
    strike: async (database) => {
      database.nullSeqs = true;
      database.put("during-1");
      await database.followed();
      database.put("during-2");
      await database.followed();
      database.endFeeds();
      database.put("during-3");
    },
  },
  {
    name: "clean ends, three of them",
    written: [...DURING, "during-3"],
    strike: async (database) => {
      for (const id of [...DURING, "during-3"]) {
        database.endFeeds();
        database.put(id);
        await database.followed();
      }
    },
  },
  {
    name: "rewind: everything again, lower seqs",
    written: DURING,
    strike: async (database) => {
      database.rewind();
      await database.followed();
      database.put(...DURING);
    },
  },
  {
    name: "deleted, recreated after two requests",
    written: ["new-1", "new-2", "new-3", "new-4", "new-5"],
    strike: async (database) => {
      database.delete();
      const asked = database.requests.length;
      await database.until(() => database.requests.length >= asked + 2);
      database.recreate();
      database.put("new-1", "new-2", "new-3", "new-4", "new-5");
    },
  },
  {
    name: "deleted and recreated at once",
    written: ["new-1", "new-2", "new-3", "new-4", "new-5"],
    strike: (database) => {
      database.delete();
      database.recreate();
      database.put("new-1", "new-2", "new-3", "new-4", "new-5");
    },
  },
  {
    name: "the consumer throws",
    written: ["during-1", "during-2", "during-3"],
    throwsAt: "during-2",
    strike: (database) => database.put("during-1", "during-2", "during-3"),
  },
];
