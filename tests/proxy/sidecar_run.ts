/**
 * A run of the sidecar under load: clients that ask with the tags they hold, edits in the database and through the
 * sidecar, and an application that is killed and started anew. What a response may be is read off the history of edits.
 */
import { embedded } from "../examples/database_support.ts";
import { application, fill, idOf, put, sidecar } from "./sidecar_support.ts";

/** How long, and who is told. */
export interface SidecarPlan {
  /** Milliseconds of load. */
  readonly ms: number;
  readonly onProgress?: (tally: SidecarTally) => void;
}

/** What came of it. */
export interface SidecarTally {
  requests: number;
  notModified: number;
  /** Answers 304 while the application was not running. */
  whileAway: number;
  edits: number;
  kills: number;
  /** Answers 502 to reads. */
  unavailable: number;
  /** Milliseconds from the end of an edit until the last 304 that confirmed the state before it was asked for. */
  delay: number;
  /** Requests that were not answered within ten seconds. */
  hung: number;
  readonly wrong: string[];
}

const POSTS = 20;
const CLIENTS = 16;
/** Milliseconds after an edit in the database within which it may not have been seen yet. */
const UNSEEN = 1_000;
/** Milliseconds until a request counts as hung. */
const HUNG = 10_000;
/** Milliseconds between edits, between two ends of the application, and of its absence. */
const [EDIT, ALIVE, AWAY] = [100, 6_000, 1_000];

/** One state of a post. */
interface Version {
  readonly title: string;
  /** When the write of it had been asked for, and when it had been answered. */
  readonly begun: number;
  ended: number;
  /** Whether it went through the sidecar. */
  readonly isThrough: boolean;
}

/** What a client holds of a page. */
interface Copy {
  readonly etag: string;
  /** The titles in it. */
  readonly titles: readonly string[];
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs it. */
export async function sidecarRun(
  command: readonly string[],
  { ms, onProgress }: SidecarPlan,
): Promise<SidecarTally> {
  const tally: SidecarTally = {
    ...{ requests: 0, notModified: 0, whileAway: 0, edits: 0, kills: 0, unavailable: 0, delay: 0, hung: 0 },
    wrong: [],
  };
  const database = await embedded.open();
  await fill(database, POSTS);
  const app = await application(command, database.url);
  await app.start();
  const running = await sidecar(app, database.url, ["--log", "faults"]);
  /** All states of each post, the newest last. */
  const history: Version[][] = Array.from(
    { length: POSTS },
    () => [{ title: "first", begun: 0, ended: 0, isThrough: false }],
  );
  const end = performance.now() + ms;
  const isOver = () => performance.now() >= end;
  let isAway = false;

  async function ask(
    path: string,
    init: RequestInit = {},
  ): Promise<{ status: number; etag: string; text: string } | undefined> {
    tally.requests++;
    try {
      const response = await fetch(running.url + path, { ...init, signal: AbortSignal.timeout(HUNG) });
      const text = await response.text();
      return { status: response.status, etag: response.headers.get("etag") ?? "", text };
    } catch (error) {
      if ((error as Error).name === "TimeoutError") {
        tally.hung++;
        tally.wrong.push(`${init.method ?? "GET"} ${path}: no answer in ${HUNG} ms`);
      }
      // The application was killed within its response.
      return undefined;
    }
  }

  /** Whether a title may be in a response to a request of that moment; notes how late it is. */
  function check(post: number, title: string, sent: number, how: string): void {
    const versions = history[post]!;
    const at = versions.findIndex((version) => version.title === title);
    const next = versions[at + 1];
    if (at < 0) return void tally.wrong.push(`${idOf(post)}: ${how} of ${title}, which was never written`);
    // Not replaced yet when the request was sent, as far as a client can tell.
    if (next === undefined || next.ended === 0 || next.ended >= sent) return;
    const late = sent - next.ended;
    if (!next.isThrough) tally.delay = Math.max(tally.delay, late);
    if (how === "304" && late <= (next.isThrough ? 0 : UNSEEN)) return;
    tally.wrong.push(`${idOf(post)}: ${how} of ${title}, replaced ${late.toFixed(0)} ms before the request`);
  }

  async function read(copies: Map<string, Copy>): Promise<void> {
    const post = Math.floor(Math.random() * (POSTS + 1));
    const path = post === POSTS ? "/" : `/posts/${idOf(post)}`;
    const copy = copies.get(path);
    const sent = performance.now();
    const wasAway = isAway;
    const answer = await ask(path, copy === undefined ? {} : { headers: { "if-none-match": copy.etag } });
    if (answer === undefined) return;
    const posts = post === POSTS ? Array.from({ length: POSTS }, (_, n) => n) : [post];
    if (answer.status === 304) {
      tally.notModified++;
      if (wasAway && isAway) tally.whileAway++;
      if (copy === undefined) return void tally.wrong.push(`${path}: 304 without a condition`);
      for (const [at, post] of posts.entries()) check(post, copy.titles[at]!, sent, "304");
    } else if (answer.status === 200) {
      const titles = Array.from(answer.text.matchAll(/<(?:li|h1)>([^<]*)</g), ([, title]) => title!);
      if (titles.length !== posts.length) return void tally.wrong.push(`${path}: ${titles.length} titles`);
      for (const [at, post] of posts.entries()) check(post, titles[at]!, sent, "200");
      copies.set(path, { etag: answer.etag, titles });
    } else if (answer.status === 502) tally.unavailable++;
    else tally.wrong.push(`${path}: ${answer.status}`);
  }

  async function client(): Promise<void> {
    const copies = new Map<string, Copy>();
    while (!isOver()) {
      await read(copies);
      onProgress?.(tally);
      await sleep(5);
    }
  }

  async function edit(serial: number): Promise<void> {
    const post = serial % POSTS;
    const isThrough = serial % 2 === 0;
    const version: Version = { title: `title ${serial}`, begun: performance.now(), ended: 0, isThrough };
    const versions = history[post]!;
    versions.push(version);
    if (isThrough) {
      const answer = await ask(`/posts/${idOf(post)}`, { method: "PUT", body: version.title });
      // Whether an application that was killed had written is not known. What it had sent arrives before long.
      if (answer?.status !== 204) {
        await sleep(50);
        const { title } = await (await database.ask(`/${idOf(post)}`)).json() as { title: string };
        if (title !== version.title) return void versions.splice(versions.indexOf(version), 1);
        // It reaches the pages as an edit in the database does.
        versions[versions.indexOf(version)] = { ...version, ended: performance.now(), isThrough: false };
        tally.edits++;
        return;
      }
    } else {
      const { _rev } = await (await database.ask(`/${idOf(post)}`)).json() as { _rev: string };
      await put(database, { _id: idOf(post), _rev, title: version.title });
    }
    version.ended = performance.now();
    tally.edits++;
  }

  async function editor(): Promise<void> {
    for (let serial = 0; !isOver(); serial++) {
      await edit(serial);
      await sleep(EDIT);
    }
  }

  async function killer(): Promise<void> {
    while (performance.now() + ALIVE + AWAY < end) {
      await sleep(ALIVE);
      isAway = true;
      await app.kill();
      tally.kills++;
      await sleep(AWAY);
      isAway = false;
      await app.start();
    }
  }

  try {
    await Promise.all([...Array.from({ length: CLIENTS }, client), editor(), killer()]);
  } finally {
    await running.stop();
    await app.kill();
    await database.close();
  }
  return tally;
}
