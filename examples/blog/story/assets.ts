/** What each page brings besides its text: the stylesheet in it, and the script of the story. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { style } from "../style.ts";

const script = readFileSync(new URL("./script.js", import.meta.url), "utf8");

/** The address of the script: another one for another script, so that a browser asks for it once. */
export const scriptPath: string = `/story/script.js?${digest(script, "hex").slice(0, 8)}`;

/** Nothing but this style and this script, nothing from elsewhere, no form to elsewhere, in no frame. */
export const contentSecurityPolicy: string = [
  "default-src 'none'",
  `style-src 'sha256-${digest(style.toString(), "base64")}'`,
  "script-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Sends the script. */
export function sendScript(): Response {
  return new Response(script, {
    headers: {
      "content-type": "text/javascript; charset=utf-8",
      "cache-control": "public, max-age=31536000, immutable",
      "x-content-type-options": "nosniff",
    },
  });
}

function digest(text: string, encoding: "hex" | "base64"): string {
  return createHash("sha256").update(text).digest(encoding);
}
