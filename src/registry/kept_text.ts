/**
 * Texts that are kept: in memory of their own, and counted.
 *
 * @module
 */
import { TEXT_BYTES } from "./memory_cost.ts";

/** Characters that the engines keep in two bytes, and with them every other one of the same text. */
const WIDE = /[^\0-\xff]/;

/** A text in memory of its own: a string cut out of a larger one, or concatenated, keeps that one alive. */
export function copied(text: string): string {
  return [text.slice(0, 1), text.slice(1)].join("");
}

/** Estimated bytes of a text that is kept. */
export function textBytes(text: string): number {
  return TEXT_BYTES + (WIDE.test(text) ? 2 : 1) * text.length;
}
