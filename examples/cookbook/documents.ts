/** The documents of the cookbook. */
import { Buffer } from "node:buffer";
import { scryptSync, timingSafeEqual } from "node:crypto";

/** What nano gives with each. */
interface Stored {
  readonly _id: string;
  readonly _rev?: string;
}

/** A recipe, and whose it is. */
export interface Recipe extends Stored {
  readonly kind: "recipe";
  readonly title: string;
  readonly text: string;
  readonly cook: string;
}

/** Who may log in. */
export interface Cook extends Stored {
  readonly kind: "cook";
  readonly name: string;
  readonly salt: string;
  readonly hash: string;
}

/** Who is logged in. */
export interface Session extends Stored {
  readonly kind: "session";
  readonly cook: string;
}

/** Any of them. */
export type Document = Recipe | Cook | Session;

/** Hashes a password for a {@linkcode Cook}. */
export function hashed(password: string, salt: string): string {
  return scryptSync(password, salt, 32).toString("base64url");
}

/** Whether this is the password of a cook. */
export function passwordFits({ salt, hash }: Cook, password: string): boolean {
  return timingSafeEqual(Buffer.from(hashed(password, salt)), Buffer.from(hash));
}
