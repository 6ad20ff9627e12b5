/**
 * Bytes of a continuous feed to rows, wherever the network has cut them.
 *
 * CouchDB writes a row as one line of ASCII, with these members in this order. Below it, the fixed parts, named as the
 * constants in this file:
 *
 *     {"seq":"7-g1AAAA","id":"post","changes":[{"rev":"1-ab"}]}
 *     SEQSEQSE        IDIDIDID    REVREVREVREVREVREVREV    END·
 *
 * Such a row is not parsed but taken apart where it lies. The fixed parts are compared with the bytes; between them,
 * `indexOf` finds the quote that ends each string, and the string is cut out of the decoded text. Here: SEQ at 0, so
 * the position begins at 8; the next quote is at 16, where ID must follow, so the id begins at 24; quote at 28, REV,
 * revision from 49; quote at 53, where END must follow, and then a line feed. A tombstone has `"}],"deleted":true}` in
 * place of END. This takes a third of the time of `JSON.parse`, which builds an array and two objects that are not
 * needed.
 *
 * It is right only if index `n` of the text is byte `n`, and if each string stands for itself. Any other line is left
 * to `JSON.parse` (by {@linkcode Rows.addLines}), and both readings agree on every line that both can read:
 *
 * - a line with a character beyond ASCII, or with a backslash, hence with an escape;
 * - a line with a control character, which JSON forbids in a string: both must refuse it;
 * - a row with other members (`doc`, a second revision), in another order, with spaces, or whose `seq` is no string;
 * - what is no row: a heartbeat (an empty line), a checkpoint, `last_seq`, an error, a web page;
 * - a line that ends in CR LF.
 *
 * @module
 */
import type { CouchChange } from "../../changes/change.ts";
import type { Rows } from "./rows.ts";
import { tooLarge } from "./sizes.ts";

const LINE_FEED = 10;
const QUOTE = '"';

// The fixed parts are compared with the bytes four at a time, as numbers of 32 bits: one comparison of a number costs
// what one of a byte does, and byte by byte, or by `startsWith`, these comparisons would take as long as all the rest.
// `{"se`, the first word of SEQ, is the bytes 7b 22 73 65 and the number 0x6573227b. REV is 21 bytes long, so its last
// two words, at 16 and at 17, overlap in three of them.
const SEQ = '{"seq":"';
const [SEQ_0, SEQ_4] = [
  /* @__PURE__ */ /* @__PURE__ */ word(SEQ, 0),
  /* @__PURE__ */ /* @__PURE__ */ word(SEQ, 4),
];
const ID = '","id":"';
const [ID_0, ID_4] = [
  /* @__PURE__ */ /* @__PURE__ */ word(ID, 0),
  /* @__PURE__ */ /* @__PURE__ */ word(ID, 4),
];
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
const END_0 = /* @__PURE__ */ /* @__PURE__ */ word(END, 0);
/** In place of END. It is compared as text: tombstones are rare. */
const DELETED = '"}],"deleted":true}';
/** Bytes of a row whose strings are empty. */
const SHORTEST = /* @__PURE__ */ (() => SEQ.length + ID.length + REV.length + END.length)();

/** Four characters of ASCII as a number; little-endian, so that a processor of today need not reverse the bytes. */
function word(text: string, at: number): number {
  return new DataView(new TextEncoder().encode(text).buffer).getInt32(at, true);
}

/**
 * Bytes decoded at once, in whole lines. A string that is cut out of a text keeps the whole text in memory, so one
 * document id that is kept holds no more than this.
 */
const PIECE = 16_384;

/** What a copy of a few bytes takes beside them. */
const PIECE_OVERHEAD = 128;

/** Reads the body of one response. */
export class RowScanner {
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  readonly #most: number;
  /** Copies of the bytes after the last line feed: the beginning of a line. */
  #unfinished: Uint8Array[] = [];
  #unfinishedSize = 0;

  /** @param most The most bytes of a line; default: no limit. */
  constructor(most: number = Infinity) {
    this.#most = most;
  }

  /**
   * Adds the rows that `bytes` complete to `rows`, up to the end of the feed or the first fault; keeps none of `bytes`.
   */
  push(bytes: Uint8Array, rows: Rows): void {
    const last = bytes.lastIndexOf(LINE_FEED) + 1;
    // The unfinished line is put together with what completes it: a long chunk gives its first line only, so that the
    // rest of it is not copied; a short one is cheaper to read in one piece.
    const first = bytes.length > PIECE ? bytes.indexOf(LINE_FEED) + 1 : last;
    this.#unfinished.push(last === 0 ? bytes.slice() : bytes.subarray(0, first));
    if (last === 0) return this.#limit(bytes, rows);
    this.#read(concatenate(this.#unfinished), rows, PIECE);
    this.#read(bytes.subarray(first, last), rows, PIECE);
    this.#unfinished = [bytes.slice(last)];
    this.#unfinishedSize = 0;
  }

  /** A line that does not end is given up: a server may send nothing else for ever. */
  #limit(bytes: Uint8Array, rows: Rows): void {
    this.#unfinishedSize += bytes.length + PIECE_OVERHEAD;
    if (this.#unfinishedSize <= this.#most) return;
    this.#unfinished = [];
    rows.fault = tooLarge("A line of the feed", this.#most);
  }

  /**
   * Reads whole lines in pieces of at most `size` bytes, and of one line at least. A piece with a line that has to be
   * parsed is read again line by line, so that only this line is.
   */
  #read(bytes: Uint8Array, rows: Rows, size: number): void {
    for (let start = 0; start < bytes.length && rows.open;) {
      let end = start + size < bytes.length
        ? bytes.lastIndexOf(LINE_FEED, start + size - 1) + 1
        : bytes.length;
      if (end <= start) end = bytes.indexOf(LINE_FEED, start) + 1;
      const piece = bytes.subarray(start, end);
      const text = this.#decoder.decode(piece);
      if (isLiteral(piece, text)) readLiteralLines(piece, text, rows);
      else if (size > 1) this.#read(piece, rows, 1);
      else rows.addLines([text.slice(0, -1)]);
      start = end;
    }
  }
}

/**
 * Whether character `n` of the text is byte `n`, and each character of a string stands for itself. Characters beyond
 * ASCII have more bytes than UTF-16 has units for them, so equal lengths leave at most bytes that are no UTF-8, each
 * of which both readings take for U+FFFD.
 */
function isLiteral(bytes: Uint8Array, text: string): boolean {
  return text.length === bytes.length && !text.includes("\\");
}

/** A change whose strings were cut out of the text. */
type LiteralChange = CouchChange & { readonly seq: string };

/** Reads lines of which {@linkcode isLiteral} holds. */
function readLiteralLines(bytes: Uint8Array, text: string, rows: Rows): void {
  const { buffer, byteOffset, length } = bytes;
  const view = new DataView(buffer, byteOffset, length);
  // An Int32Array begins at a multiple of four: up to three bytes before the first of `bytes`.
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
      // Measured: `push` is a call, and `rows.since` a write to an object, for each row.
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

/** The change that begins at `start`, if it is written as above; whether a line feed follows is not looked at. */
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

/** Bytes of the row that {@linkcode readRow} has read, without its line feed. */
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

/** 0x60 for each byte of a word. */
const RAISE = 0x60606060;

/**
 * Whether a control character (below 0x20) lies between two bytes.
 *
 * Adding 0x60 sets bit 7 of every byte from 0x20 to 0x9f (0x20 becomes 0x80, `A` = 0x41 becomes 0xa1), and of no other:
 * a line feed, 0x0a, becomes 0x6a. So all bytes are good if bit 7 is set in each byte of the conjunction of all sums.
 * Only bytes from 0xa0 on carry into their neighbour; they lose their own bit 7, and the line is parsed.
 */
function hasControlCharacter(words: Int32Array, start: number, end: number): boolean {
  let all = -1;
  // Whole words, that is up to three bytes more at either end: these belong to fixed parts, which hold none.
  let at = start >> 2;
  const last = (end + 3) >> 2;
  // Eight at a time: one more turn of the loop costs as much as one more word.
  for (; at + 8 <= last; at += 8) {
    all &= (words[at]! + RAISE) & (words[at + 1]! + RAISE) & (words[at + 2]! + RAISE) &
      (words[at + 3]! + RAISE) &
      (words[at + 4]! + RAISE) & (words[at + 5]! + RAISE) & (words[at + 6]! + RAISE) &
      (words[at + 7]! + RAISE);
  }
  for (; at < last; at++) all &= words[at]! + RAISE;
  return (all | 0x7f7f7f7f) !== -1;
}

function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
