/**
 * Bytes of a continuous feed to rows, wherever the network cut them. A row as CouchDB writes it is taken apart where it
 * lies; anything else is left to `JSON.parse`, which is asked for the same and takes three times as long.
 *
 * @module
 */
import type { CouchChange } from "../../changes/change.ts";
import type { Rows } from "./rows.ts";

const LINE_FEED = 10;
const QUOTE = '"';

// The fixed parts of a row are compared four bytes at a time: byte by byte, or by `startsWith`, takes as long as all
// the rest. Where four does not divide their length, the last two words overlap.
const SEQ = '{"seq":"';
const [SEQ_0, SEQ_4] = [/* @__PURE__ */ word(SEQ, 0), /* @__PURE__ */ word(SEQ, 4)];
const ID = '","id":"';
const [ID_0, ID_4] = [/* @__PURE__ */ word(ID, 0), /* @__PURE__ */ word(ID, 4)];
const REV = '","changes":[{"rev":"';
const [REV_0, REV_4, REV_8] = [
  /* @__PURE__ */ word(REV, 0),
  /* @__PURE__ */ word(REV, 4),
  /* @__PURE__ */ word(REV, 8),
];
const [REV_12, REV_16, REV_17] = [
  /* @__PURE__ */ word(REV, 12),
  /* @__PURE__ */ word(REV, 16),
  /* @__PURE__ */ word(REV, 17),
];
const END = '"}]}';
const END_0 = /* @__PURE__ */ word(END, 0);
const DELETED = '"}],"deleted":true}';
/** Of a row with empty strings. */
const SHORTEST = /* @__PURE__ */ (() => SEQ.length + ID.length + REV.length + END.length)();

/** Four characters of ASCII as a number. Little-endian, as processors are: each turning round would cost. */
function word(text: string, at: number): number {
  return new DataView(new TextEncoder().encode(text).buffer).getInt32(at, true);
}

/** Bytes decoded at once. A string cut out of a text keeps the whole text alive, so the text must not be long. */
const PIECE = 16_384;

/** Reads one response. */
export class RowScanner {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The line that has begun. */
  #begun: Uint8Array[] = [];

  /** Adds what `bytes` complete to `rows`, up to the end of the feed or the first fault; keeps none of `bytes`. */
  push(bytes: Uint8Array, rows: Rows): void {
    const last = bytes.lastIndexOf(LINE_FEED) + 1;
    // A short chunk is read with the line that has begun, as one piece; a long one is not copied.
    const first = bytes.length > PIECE ? bytes.indexOf(LINE_FEED) + 1 : last;
    this.#begun.push(last === 0 ? bytes.slice() : bytes.subarray(0, first));
    if (last === 0) return;
    this.#scan(joined(this.#begun), rows, PIECE);
    this.#scan(bytes.subarray(first, last), rows, PIECE);
    this.#begun = [bytes.slice(last)];
  }

  /** Reads whole lines, as many at once as fit into `size` bytes, and at least one. */
  #scan(bytes: Uint8Array, rows: Rows, size: number): void {
    for (let start = 0; start < bytes.length && rows.open;) {
      let end = start + size < bytes.length
        ? bytes.lastIndexOf(LINE_FEED, start + size - 1) + 1
        : bytes.length;
      if (end <= start) end = bytes.indexOf(LINE_FEED, start) + 1;
      const piece = bytes.subarray(start, end);
      const text = this.#decoder.decode(piece);
      if (isLiteral(piece, text)) readLines(piece, text, rows);
      else if (size > 1) this.#scan(piece, rows, 1);
      else rows.addLines([text.slice(0, -1)]);
      start = end;
    }
  }
}

/** Whether each byte is the character at its place, and each character of a string stands for itself. */
function isLiteral(bytes: Uint8Array, text: string): boolean {
  return text.length === bytes.length && !text.includes("\\");
}

/** A change whose strings stand for themselves in the text. */
type LiteralChange = CouchChange & { readonly seq: string };

/** Reads literal lines. */
function readLines(bytes: Uint8Array, text: string, rows: Rows): void {
  const { buffer, byteOffset, length } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  const offset = byteOffset % 4;
  const words = new Int32Array(buffer, byteOffset - offset, (offset + length) >> 2);
  const { changes } = rows;
  let last: LiteralChange | undefined;
  for (let start = 0; start < length && rows.open;) {
    const change = readRow(view, text, start);
    let end = change === undefined ? -1 : start + lengthOf(change);
    if (
      change !== undefined && bytes[end] === LINE_FEED &&
      !hasControlCharacter(words, offset + start + SEQ.length, offset + end - END.length)
    ) {
      // Not `push`, a call; nor is the position noted for every row.
      changes[changes.length] = change;
      last = change;
    } else {
      rows.since = last?.seq ?? rows.since;
      last = undefined;
      rows.addLines([text.slice(start, end = text.indexOf("\n", start))]);
    }
    start = end + 1;
  }
  rows.since = last?.seq ?? rows.since;
}

/** The change that begins there, if it is a row as CouchDB writes it: these members in this order, and no more. */
function readRow(view: DataView, text: string, start: number): LiteralChange | undefined {
  const end = text.length;
  if (start + SHORTEST > end || !isSeq(view, start)) return undefined;
  const seq = start + SEQ.length;
  const seqEnd = text.indexOf(QUOTE, seq);
  if (seqEnd < 0 || seqEnd + ID.length + REV.length > end || !isId(view, seqEnd)) return undefined;
  const id = seqEnd + ID.length;
  const idEnd = text.indexOf(QUOTE, id);
  if (idEnd < 0 || idEnd + REV.length + END.length > end || !isRev(view, idEnd)) return undefined;
  const rev = idEnd + REV.length;
  const revEnd = text.indexOf(QUOTE, rev);
  if (revEnd < 0 || revEnd + END.length > end) return undefined;
  const deleted = view.getInt32(revEnd, true) !== END_0;
  if (deleted && !text.startsWith(DELETED, revEnd)) return undefined;
  return {
    id: text.substring(id, idEnd),
    rev: text.substring(rev, revEnd),
    deleted,
    seq: text.substring(seq, seqEnd),
  };
}

/** Of the row that says so, without its line end. */
function lengthOf({ seq, id, rev, deleted }: LiteralChange): number {
  return SHORTEST + seq.length + id.length + rev.length + (deleted ? DELETED.length - END.length : 0);
}

function isSeq(view: DataView, at: number): boolean {
  return view.getInt32(at, true) === SEQ_0 && view.getInt32(at + 4, true) === SEQ_4;
}

function isId(view: DataView, at: number): boolean {
  return view.getInt32(at, true) === ID_0 && view.getInt32(at + 4, true) === ID_4;
}

function isRev(view: DataView, at: number): boolean {
  return view.getInt32(at, true) === REV_0 && view.getInt32(at + 4, true) === REV_4 &&
    view.getInt32(at + 8, true) === REV_8 &&
    view.getInt32(at + 12, true) === REV_12 && view.getInt32(at + 16, true) === REV_16 &&
    view.getInt32(at + 17, true) === REV_17;
}

/** Carries each byte of ASCII from 32 on into bit 7. */
const RAISE = 0x60606060;

/** Whether there is what JSON allows in no string: of ASCII, what adding 96 does not carry into bit 7. */
function hasControlCharacter(words: Int32Array, start: number, end: number): boolean {
  let all = -1;
  // Whole words: what they hold beyond the ends belongs to the fixed parts.
  let at = start >> 2;
  const last = (end + 3) >> 2;
  // Eight at a time: turning the loop costs as much as a word.
  for (; at + 8 <= last; at += 8) {
    all &= (words[at]! + RAISE) & (words[at + 1]! + RAISE) & (words[at + 2]! + RAISE) &
      (words[at + 3]! + RAISE) &
      (words[at + 4]! + RAISE) & (words[at + 5]! + RAISE) & (words[at + 6]! + RAISE) &
      (words[at + 7]! + RAISE);
  }
  for (; at < last; at++) all &= words[at]! + RAISE;
  return (all | 0x7f7f7f7f) !== -1;
}

/** One array of many. */
function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
