/**
 * What became of one request, for observers that tell a developer or an operator why.
 *
 * @module
 */
import type { LookupRefusal, Outcome, RegistrationRefusal } from "./reason.ts";

/** What became of one request. */
export interface Decision {
  /** As the wrapped handler was given it. */
  readonly request: Request;
  /** What the client got: one of {@linkcode requestEnds}. */
  readonly end: Outcome;
  /** How it was answered without the handler, else why the handler had to run. */
  readonly reason: Outcome | LookupRefusal;
  /** The status that the handler answered with; undefined: it did not run, threw, or was not looked at. */
  readonly handlerStatus: number | undefined;
  /** Whether the handler's response was registered. */
  readonly stored: boolean;
  /** Why it was not; undefined: it was, or it could not have been, as that to a HEAD or a write. */
  readonly refusal: RegistrationRefusal | undefined;
}

/** Is told of each decision, at once: what it does takes time of the request. */
export type Observer = (decision: Decision) => void;

/** The observers of one registry. */
export class Observers {
  readonly #all: Set<Observer> = new Set();
  /** Tells all of them; undefined while there are none, so that a hit pays nothing for it. */
  tell: Observer | undefined;

  /**
   * Adds an observer. What it throws is ignored: it must not change how a request is answered.
   *
   * @returns Takes it out.
   */
  add(observer: Observer): () => void {
    // One function may be added twice.
    const own: Observer = (decision) => observer(decision);
    this.#all.add(own);
    this.tell = (decision) => this.#tellAll(decision);
    return () => {
      this.#all.delete(own);
      if (this.#all.size === 0) this.tell = undefined;
    };
  }

  #tellAll(decision: Decision): void {
    for (const observer of this.#all) {
      try {
        observer(decision);
      } catch {
        // The next one is told all the same.
      }
    }
  }
}
