/** The story of one page as server-sent events, for the script in it (HTML Standard, "Server-sent events"). */
import type { Follower } from "../../../mod.ts";
import { answerOf, changeInWords, clockTime } from "./sentences.ts";
import type { Exchange, Story } from "./story.ts";

/** The texts that go into the places of the panel by name, and two words that colour it. */
export interface Told {
  readonly title: string;
  readonly status: string;
  readonly how: string;
  readonly why: string;
  /** Whether the page's copy is still good; absent where that is not known. */
  readonly copy?: string;
  readonly contact: string;
  readonly change: string;
  readonly state: string;
  readonly brought: string;
  /** Colours the status. */
  readonly answer: "hit" | "run" | "none";
  /** Colours what is said of the copy. */
  readonly goodness: "good" | "void" | "unknown";
}

/** ms after which what happened is told: a page under load is told ten times a second. */
const delay = 100;
/** ms after which it is told again: Bun ends a connection that is silent for ten seconds. */
const interval = 5_000;
const mostStreams = 100;

/** What a page shows is asked for by its address, and by when its copy was built. */
export interface Shown {
  readonly path: string;
  /** ms since 1970. */
  readonly built: number;
}

/** What there is to tell about a page now. */
export function tell(story: Story, follower: Follower, { path, built }: Shown): Told {
  const { exchange, builtBy } = story.page(path) ?? {};
  const run = builtBy?.run;
  const answer = exchange === undefined
    ? { status: "–", how: "This page has not been asked for since the start.", why: "" }
    : answerOf(exchange);
  const { what, state, time } = changeInWords(story.lastChange);
  return {
    title: "The last request for this page",
    ...answer,
    answer: exchange === undefined ? "none" : exchange.run === undefined ? "hit" : "run",
    ...copyNow(),
    contact: `Last contact: ${clockTime(new Date(Date.now() - follower.lag))}`,
    ...{ change: what, state, brought: time },
  };

  function copyNow(): Pick<Told, "copy" | "goodness"> {
    if (!follower.live) return { copy: "Not confirmed now: contact is lost.", goodness: "unknown" };
    if (run === undefined || run.sources.length === 0) return { goodness: "unknown" };
    if (built < Number(story.startedAt)) {
      return { copy: "The site has started anew: ask again.", goodness: "unknown" };
    }
    const change = story.changeSince(built, run.sources);
    if (change === undefined) return { copy: "Good since then.", goodness: "good" };
    return { copy: `Void since ${clockTime(change.time)}: ask again.`, goodness: "void" };
  }
}

/** The streams that are open. */
export class StoryEvents {
  readonly #story: Story;
  readonly #follower: Follower;
  readonly #open: Set<() => void> = new Set();
  #closed = false;

  constructor(story: Story, follower: Follower) {
    this.#story = story;
    this.#follower = follower;
  }

  /** A stream that begins with what there is to tell now. */
  stream(shown: Shown): Response {
    // A 204 tells a browser not to connect again.
    if (this.#closed) return new Response(null, { status: 204 });
    if (this.#open.size >= mostStreams) return new Response("too many pages are open\n", { status: 503 });
    const encoder = new TextEncoder();
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const send = () => {
          const data = JSON.stringify(tell(this.#story, this.#follower, shown));
          controller.enqueue(encoder.encode(`data: ${data}\n\n`));
        };
        const stop = this.#repeat(send, shown.path);
        const close = () => {
          end();
          controller.close();
        };
        end = () => {
          stop();
          this.#open.delete(close);
        };
        this.#open.add(close);
        send();
      },
      cancel: () => end(),
    });
    return new Response(body, {
      headers: { "content-type": "text/event-stream", "cache-control": "no-store" },
    });
  }

  /** How many streams are open. */
  get open(): number {
    return this.#open.size;
  }

  /** Ends every stream, and begins none from now on. */
  close(): void {
    this.#closed = true;
    for (const close of [...this.#open]) close();
  }

  /** Sends after something has happened, and now and then; until the returned function is called. */
  #repeat(send: () => void, path: string): () => void {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const sendSoon = () => {
      timer ??= setTimeout(() => {
        timer = undefined;
        send();
      }, delay);
    };
    const stopListening = this.#story.listen({
      onChange: sendSoon,
      onExchange: (exchange: Exchange) => {
        if (exchange.path === path) sendSoon();
      },
    });
    const repeating = setInterval(send, interval);
    return () => {
      stopListening();
      clearInterval(repeating);
      clearTimeout(timer);
    };
  }
}
