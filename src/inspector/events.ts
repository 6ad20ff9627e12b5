/**
 * Server-sent events for the pages that are open (HTML Standard, "Server-sent events").
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import { explained } from "../why/explain.ts";
import { type DecisionLog, type NotedDecision, SPAN } from "./decisions.ts";
import type { Showing } from "./hidden.ts";
import { sections } from "./sections.ts";
import { type RegistryState, type Sample, sampleOf, stateOf } from "./state.ts";

/** Pages that may be open at once. */
const MOST_PAGES = 20;

/** Samples that are kept: five minutes. */
const MOST_SAMPLES = 600;

/** Decisions of one event. */
const MOST_AT_ONCE = 50;

/** Decisions that a new page is told. */
const MOST_AT_FIRST = 300;

/** Events of one stream: five minutes. The page comes again, and `authorize` is asked again. */
const MOST_EVENTS = 600;

/** A decision as the page shows it. */
export interface ShownDecision {
  readonly number: number;
  readonly time: number;
  readonly method: string;
  readonly path: string;
  /** What the client got. */
  readonly end: string;
  readonly reason: string;
  readonly refusal: string | undefined;
  readonly status: number | undefined;
  readonly stored: boolean;
  readonly text: string;
  readonly sections: readonly string[];
}

/** What one event tells. */
export interface Told {
  /** Tells a server from the one before: its decisions are counted anew. */
  readonly log: string;
  readonly state: RegistryState;
  /** New ones; the first event has all. */
  readonly samples: readonly Sample[];
  /** New ones, oldest first. The event after the first may have some of them again. */
  readonly decisions: readonly ShownDecision[];
  /** How many decisions were too many to be noted. */
  readonly untold: number;
}

/** The streams of the open pages of one inspector. While there is none, it has no timer and listens to nothing. */
export class Events {
  readonly #core: RegistryCore;
  readonly #log: DecisionLog;
  readonly #showing: Showing;
  readonly #encoder = new TextEncoder();
  readonly #open: Set<OpenPage> = new Set();
  readonly #samples: Sample[] = [];
  #timer: ReturnType<typeof setInterval> | undefined;
  #closed = false;
  /** The number of the last decision that all were told. */
  #told = 0;

  constructor(core: RegistryCore, log: DecisionLog, showing: Showing) {
    this.#core = core;
    this.#log = log;
    this.#showing = showing;
  }

  /** A stream that begins with what is known now, unless all are closed or too many are open. */
  stream(): ReadableStream<Uint8Array> | "closed" | "full" {
    if (this.#closed) return "closed";
    if (this.#open.size >= MOST_PAGES) return "full";
    let page: OpenPage;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        page = { controller, stop: this.#log.watch(), left: MOST_EVENTS };
        this.#open.add(page);
        this.#timer ??= setInterval(() => this.#tellOrEnd(), SPAN);
        if (this.#samples.length === 0) this.#samples.push(sampleOf(this.#core));
        controller.enqueue(this.#event(this.#samples, this.#log.after(0, MOST_AT_FIRST)));
      },
      cancel: () => this.#forget(page),
    });
  }

  /** How many pages are open. */
  get size(): number {
    return this.#open.size;
  }

  /** Ends all streams, and begins none from now on. */
  close(): void {
    this.#closed = true;
    this.#endAll();
  }

  #endAll(): void {
    for (const page of [...this.#open]) this.#end(page);
  }

  /** Ends a stream: its page, if it is still there, connects again. */
  #end(page: OpenPage): void {
    this.#forget(page);
    page.controller.close();
  }

  #forget(page: OpenPage): void {
    this.#open.delete(page);
    page.stop();
    if (this.#open.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** What a timer throws ends the process, and a page that shows how a site is must never do that. */
  #tellOrEnd(): void {
    try {
      this.tell();
    } catch {
      this.#endAll();
    }
  }

  /** Tells all pages what is new, as the timer does twice a second. They are told the same, so it is put into words once. */
  tell(): void {
    const sample = sampleOf(this.#core);
    this.#samples.push(sample);
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    const event = this.#event([sample], this.#log.after(this.#told, MOST_AT_ONCE));
    this.#told = this.#log.number;
    this.#log.beginSpan();
    for (const page of [...this.#open]) {
      // A page that does not read, such as one of a computer that sleeps, must not fill the memory, nor keep out others.
      if (page.left-- > 0 && (page.controller.desiredSize ?? 0) >= -MOST_WAITING) {
        page.controller.enqueue(event);
      } else this.#end(page);
    }
  }

  #event(samples: readonly Sample[], noted: readonly NotedDecision[]): Uint8Array {
    const told: Told = {
      log: this.#log.id,
      state: stateOf(this.#core),
      samples,
      decisions: noted.map((decision) => this.#shown(decision)),
      untold: this.#log.skipped,
    };
    return this.#encoder.encode(`data: ${JSON.stringify(told)}\n\n`);
  }

  #shown({ number, time, method, url, ...made }: NotedDecision): ShownDecision {
    const { end, reason, refusal, handlerStatus, stored } = made;
    const path = this.#showing.resource(pathOf(url));
    const { text } = explained(`${method} ${path}`, made, undefined);
    const found = [end, reason, refusal].flatMap((one) => one === undefined ? [] : sections[one] ?? []);
    return {
      ...{ number, time, method, path, end, reason, refusal, status: handlerStatus, stored, text },
      sections: [...new Set(found)],
    };
  }
}

/** Events that wait for a page to read them; a stream counts them as chunks. */
const MOST_WAITING = 20;

/** A page that is open. */
interface OpenPage {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
  /** Ends its part in the watch. */
  readonly stop: () => void;
  /** Events that it is still told. */
  left: number;
}

/** Path and query of an absolute URL. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  return start < 0 ? "/" : url.slice(start);
}
