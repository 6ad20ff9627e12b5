/**
 * Reading a snapshot as it comes, in pieces of any size. What is read goes to the registry at once; whether it was whole
 * and unchanged is known at its end.
 *
 * @module
 */
import { base64url, Sha256 } from "../http/sha256.ts";
import {
  FORMAT,
  type SavedEnd,
  type SavedEntry,
  type SavedRemovals,
  type SavedSubscription,
} from "./snapshot.ts";

/**
 * Why a snapshot was refused.
 *
 * - `another-format`: it is of another release, or no snapshot at all.
 * - `another-build`: it has another `version` than the registry.
 * - `cut-short`: its end is missing.
 * - `altered`: its bytes are not those that were written.
 * - `unreadable`: its source has failed.
 * - `aborted`: the signal says so.
 */
export type SnapshotRefusal =
  | "another-format"
  | "another-build"
  | "cut-short"
  | "altered"
  | "unreadable"
  | "aborted";

/** What a snapshot is restored into. Nothing of it may be answered before the snapshot has been accepted. */
export interface SnapshotTarget {
  /** Keeps an entry. */
  restore(entry: SavedEntry): void;
  /** Takes out of the entries so far what had been taken out while the snapshot was written. */
  remove(removals: SavedRemovals): void;
  /** The snapshot was whole, and these are the positions of its feeds. */
  accept(subscriptions: readonly SavedSubscription[]): void;
  /** The snapshot is refused: what has come of it is void. */
  refuse(): void;
}

const LINE_FEED = 10;
/** The first byte of the line of the digest, and of no other. */
const QUOTE = 34;
/** Bytes of one line. No entry that a registry keeps by default is larger. */
const MOST_LINE = 67_108_864;

/** Reads one snapshot. */
export class SnapshotReader {
  readonly #version: string;
  readonly #target: SnapshotTarget;
  readonly #begin: Uint8Array = new TextEncoder().encode(`{"format":"${FORMAT}",`);
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  readonly #digest = new Sha256();
  /** The pieces of a line whose end has not come. */
  #parts: Uint8Array[] = [];
  #held = 0;
  #begun = 0;
  #hasHeader = false;
  #subscriptions: readonly SavedSubscription[] | undefined;
  #isWhole = false;
  #refusal: SnapshotRefusal | undefined;

  constructor(version: string, target: SnapshotTarget) {
    this.#version = version;
    this.#target = target;
  }

  /** Reads the next bytes, which may be overwritten afterwards; returns why the snapshot is refused, if it is. */
  push(bytes: Uint8Array): SnapshotRefusal | undefined {
    if (this.#refusal !== undefined || bytes.length === 0) return this.#refusal;
    // Says of any large file at once that it is something else.
    for (let i = 0; this.#begun < this.#begin.length && i < bytes.length; i++) {
      if (bytes[i] !== this.#begin[this.#begun++]) return this.refuse("another-format");
    }
    const end = bytes.lastIndexOf(LINE_FEED) + 1;
    if (end > 0) {
      const lines = this.#joined(bytes.subarray(0, end));
      try {
        const refusal = this.#readLines(lines);
        if (refusal !== undefined) return this.refuse(refusal);
      } catch {
        // No JSON, or not of this shape.
        return this.refuse("altered");
      }
    }
    if (end < bytes.length) {
      this.#parts.push(bytes.slice(end));
      this.#held += bytes.length - end;
    }
    return this.#held > MOST_LINE ? this.refuse("altered") : undefined;
  }

  /** There are no more bytes: lets the registry have what was read, or returns why not. */
  end(): SnapshotRefusal | undefined {
    if (this.#refusal !== undefined) return this.#refusal;
    if (!this.#isWhole) return this.refuse("cut-short");
    if (this.#held > 0 || this.#subscriptions === undefined) return this.refuse("altered");
    this.#target.accept(this.#subscriptions);
    return undefined;
  }

  /** Refuses the snapshot, and returns the reason. */
  refuse(reason: SnapshotRefusal): SnapshotRefusal {
    this.#refusal = reason;
    this.#parts = [];
    this.#target.refuse();
    return reason;
  }

  #joined(bytes: Uint8Array): Uint8Array {
    if (this.#parts.length === 0) return bytes;
    const joined = new Uint8Array(this.#held + bytes.length);
    let at = 0;
    for (const part of [...this.#parts, bytes]) {
      joined.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    this.#held = 0;
    return joined;
  }

  #readLines(lines: Uint8Array): SnapshotRefusal | undefined {
    // Nothing follows the digest.
    if (this.#isWhole) return "altered";
    const last = lines.lastIndexOf(LINE_FEED, lines.length - 2) + 1;
    const hasDigest = lines[last] === QUOTE;
    const content = hasDigest ? lines.subarray(0, last) : lines;
    this.#digest.update(content);
    for (const line of this.#decoder.decode(content).split("\n").slice(0, -1)) {
      const refusal = this.#readLine(JSON.parse(line));
      if (refusal !== undefined) return refusal;
    }
    if (!hasDigest) return undefined;
    this.#isWhole = true;
    const digest: unknown = JSON.parse(this.#decoder.decode(lines.subarray(last)));
    return digest === base64url(this.#digest.digest()) ? undefined : "altered";
  }

  #readLine(
    line: SavedEntry | SavedRemovals | SavedEnd | { readonly version?: unknown },
  ): SnapshotRefusal | undefined {
    if (!this.#hasHeader) {
      this.#hasHeader = true;
      const { version } = line as { readonly version?: unknown };
      return version === this.#version ? undefined : "another-build";
    }
    if (Array.isArray(line)) this.#target.restore(line as unknown as SavedEntry);
    else if ("subscriptions" in line) this.#subscriptions = line.subscriptions;
    else this.#target.remove(line as SavedRemovals);
    return undefined;
  }
}
