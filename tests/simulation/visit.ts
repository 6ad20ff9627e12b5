/** One request on its way through the site, and what a client keeps of the answer. */
import type { Database } from "./database.ts";
import type { Document } from "./document.ts";
import type { Random } from "./random.ts";

/** Which version of a document a handler was given. */
export interface Reading {
  readonly database: Database;
  readonly document: Document;
  readonly version: number;
}

/** What a client holds, and what only the model knows of it. */
export interface Copy {
  readonly tag: string;
  /** What selects it: path, build, and those request fields that made a difference. */
  readonly representation: Readonly<Record<string, string>>;
  readonly readings: readonly Reading[];
  /** What the page shows, what it forgot to declare included. */
  readonly body: string;
}

/** Passed to the handler beside the request. */
export interface Visit {
  readonly path: string;
  /** What the request says of itself: who, lang, plan. */
  readonly fields: Readonly<Record<string, string>>;
  readonly build: string;
  readonly random: Random;
  /** Milliseconds that the handler dawdles beside its reads. */
  readonly slow: number;
  readonly throws: boolean;
  readonly twice: boolean;
  /** Called between what the handler reads and what it answers. */
  readonly meanwhile: (() => void) | undefined;
  /** Whether the handler was called. */
  ran: boolean;
  /** Whether it was drawn for a check; then how much had been upset by that time. */
  audited: boolean;
  upsets: number;
  readonly readings: Reading[];
  /** What was read and is not declared. */
  readonly forgotten: Reading[];
  /** What the page shows. */
  body: string;
  /** Names of the fields that made a difference. */
  readonly selected: Set<string>;
}
