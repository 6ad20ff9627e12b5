/** What happened, in words: a page and the terminal tell the same. */
import { causes } from "../../../src/why/why.ts";
import type { BroughtChange, Exchange, Run } from "./story.ts";

/** What became of a request. */
export interface Answer {
  /** `304` */
  readonly status: string;
  /** `in 6 µs. The handler did not run.` */
  readonly how: string;
  /** Why; empty where nothing is to be said. */
  readonly why: string;
}

/** Why the handler had to run, in fewer words than `causes` has for the reasons of `Cache-Status`. */
const whyItRan: Readonly<Record<string, string>> = {
  "unconditional": "The request named no copy",
  "miss": "Nothing was registered for this address",
  "group-changed": "What the copy was built from had changed",
  "suspended": "Contact with the database is lost, so no copy is confirmed",
};

/** A reason of `Cache-Status` in words. */
function meaningOf(reason: string): string {
  return (causes as Readonly<Record<string, { readonly meaning: string }>>)[reason]?.meaning ?? reason;
}

/** What became of a request, and why. `/story/why` says more. */
export function answerOf(exchange: Exchange): Answer {
  const { run, builtBy, cacheStatus, deed } = exchange;
  const status = String(exchange.status);
  const time = `in ${inMicroseconds(exchange.micros)}`;
  if (deed !== undefined) return { status, how: `${time}. ${deed}`, why: "" };
  if (run === undefined) {
    const how = `${time}. The handler did not run.`;
    if (status !== "304") return { status, how, why: "The condition of the request is false." };
    const run = builtBy === undefined ? "" : ` The last run took ${inMicroseconds(builtBy.micros)}.`;
    return { status, how, why: `The copy is still good.${run}` };
  }
  const [, stored = "", reason = "", refusal = ""] = /(; stored)?; detail="?([\w-]+)(?:, ([\w-]+))?/.exec(
    cacheStatus ?? "",
  ) ?? [];
  const why = reason === "" ? "" : `${whyItRan[reason] ?? `It ran: ${meaningOf(reason)}`}.`;
  const kept = stored !== ""
    ? "Now it is registered."
    : refusal === ""
    ? ""
    : `Not registered: ${meaningOf(refusal)}.`;
  return {
    status,
    how: `${time}, by run № ${run.number} of the handler.`,
    why: [why, kept].filter((sentence) => sentence !== "").join(" "),
  };
}

/** A change in three lines: the document, `now 2-8de7a93e`, `07:12:04 UTC`. */
export function changeInWords(
  change: BroughtChange | undefined,
): { what: string; state: string; time: string } {
  if (change === undefined) return { what: "none since the start", state: "", time: "" };
  const { id, rev, deleted } = change;
  const state = deleted === true ? "deleted" : rev === undefined ? "changed" : `now ${shortRevision(rev)}`;
  return { what: printable(id), state, time: `${clockTime(change.time)} UTC` };
}

/** `Run № 7, 07:12:04 UTC` */
export function runInWords({ number, time }: Run): string {
  return `Run № ${number}, ${clockTime(time)} UTC`;
}

/** A revision without most of its digest: `2-8de7a93e`. */
export function shortRevision(rev: string): string {
  return printable(rev).slice(0, (/^\d+-/.exec(rev)?.[0].length ?? 0) + 8);
}

/** `07:12:04` */
export function clockTime(time: Date): string {
  return time.toISOString().slice(11, 19);
}

/** `3,212 µs` */
export function inMicroseconds(micros: number): string {
  return `${Math.max(1, Math.round(micros)).toLocaleString("en-GB")} µs`;
}

/** An id may hold anything, and a terminal obeys some of it. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, "?");
}
