/** Answers the statements of the feed as a server does, from what a test says that it holds. The real one is asked by `deno task mysql`. */
import type { Query } from "../../src/mysql/changes.ts";

type Row = Record<string, string | null>;

/** A change table, and what surrounds it. */
export class StandIn {
  /** Numbers and ids that are visible. */
  readonly rows: Map<number, string> = new Map();
  floor = 0;
  hasState = true;
  life: string | null = "life";
  server: string[] = [""];
  version = "1";
  replica = "0";
  /** What the migration says of the table posts, beyond its three triggers. */
  posts: string[] = ["engine InnoDB/1", "trigger 1", "trigger 2", "trigger 3"];
  about: string | undefined = '{"table":"posts","groups":["author_id"],"cascades":[],"triggers":3}';
  /** Ids of transactions that run. */
  running: string[] = [];
  /** Ids of those whose connection is gone. */
  detached: string[] = [];
  /** Whether the list is one of now. */
  isListFresh = true;
  /** Statements besides looks. */
  readonly asked: string[] = [];
  /** Whether a new life is kept. */
  keepsLife = true;

  readonly query: Query = (text) => Promise.resolve(this.answer(text));

  answer(text: string): Row[] {
    const list = /'(stillfresh [^']+)' as token/.exec(text);
    if (list !== null) return this.#list(list[1]!);
    if (text.includes("'floor'")) return this.#look(text);
    this.asked.push(text);
    if (text.includes("stillfresh_lives") && this.keepsLife) this.life = `life ${this.asked.length}`;
    return [];
  }

  #list(token: string): Row[] {
    const row = { token, identity: this.life, started: "1", query: null };
    const own = { ...row, id: "0", thread: "99", query: this.isListFresh ? `select '${token}'` : null };
    const listed = (ids: string[], threadOf: (id: string) => string) =>
      ids.map((id) => ({ ...row, id, thread: threadOf(id) }));
    return [...listed(this.running, (id) => id), ...listed(this.detached, () => "0"), own];
  }

  #look(text: string): Row[] {
    const row = (kind: string, a: string | null, b = ""): Row => ({ kind, a, b });
    const shape = !text.includes("stillfresh_shape") ? [] : [
      row("shape", "", `version ${this.version}`),
      row("shape", "", `replica ${this.replica}`),
      ...(this.about === undefined ? [] : [row("shape", "posts", `about ${this.about}`)]),
      ...this.posts.map((about) => row("shape", "posts", about)),
    ];
    const state = [
      ...(this.hasState ? [row("floor", `${this.floor}`)] : []),
      row("asked", /'asked', convert\('([^']+)'/.exec(text)![1]!),
      row("identity", this.life),
      ...this.server.map((s) => row("server", s)),
    ];
    return [...this.#rows(text, row), ...state, ...shape];
  }

  #rows(text: string, row: (kind: string, a: string, b?: string) => Row): Row[] {
    const numbers = [...this.rows.keys()].toSorted((a, b) => a - b);
    const top = /n > (\d+)/.exec(text)?.[1];
    const highest = row("top", `${Math.max(this.floor, ...numbers)}`);
    if (top === undefined) {
      const gaps = numbers.map((n, index) => [(numbers[index - 1] ?? this.floor) + 1, n - 1] as const);
      return [
        highest,
        ...gaps.filter(([from, to]) => from <= to).map(([from, to]) => row("gap", `${from}`, `${to}`)),
      ];
    }
    const gaps = [...text.matchAll(/n between (\d+) and (\d+)|n = (\d+)/g)].map(([, from, to, only]) =>
      [Number(from ?? only), Number(to ?? only)] as const
    );
    const found = numbers.filter((n) => n > Number(top) || gaps.some(([from, to]) => n >= from && n <= to));
    return [highest, ...found.map((n) => row("change", `${n}`, this.rows.get(n)))];
  }
}
