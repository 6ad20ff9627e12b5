/** The notes as a program: the commands that it prints are run, with curl. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../support/server_program.ts";

const hasCurl = spawnSync("curl", ["--version"]).status === 0;
const skip = hasCurl ? false : "no curl; apt-get install curl";

/** Runs the program, and hands over what it printed. */
async function withMain(body: (printed: string) => void): Promise<void> {
  const main = fileURLToPath(new URL("../../examples/notes/main.ts", import.meta.url));
  const flags = "Deno" in globalThis ? ["run", "--quiet", "--allow-all"] : [];
  const { COUCHDB_URL: _, ...inherited } = process.env;
  const env = { ...inherited, PORT: String(await freePort()) };
  const child = spawn(process.execPath, [...flags, main], { env });
  let said = "";
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", () => reject(new Error(`it ended: ${said}`)));
      for (const output of [child.stdout, child.stderr]) {
        output.on("data", (chunk) => {
          said += chunk;
          if (/-X PUT .*\n/.test(said)) resolve();
        });
      }
    });
    body(said);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
}

test(
  "notes, main: its commands log in, write with the tag, and are refused with the old one",
  { skip },
  () =>
    withMain((printed) => {
      const commands = printed.split("\n").filter((line) => /^ {2}\S/.test(line)).map((line) => line.trim());
      assert.equal(commands.length, 3);
      const { stdout, stderr } = spawnSync("sh", ["-e", "-c", [...commands, commands[2]].join("\n")], {
        encoding: "utf8",
      });
      assert.deepEqual(stdout.match(/^HTTP\/1\.1 \d+/gm), ["HTTP/1.1 204", "HTTP/1.1 412"], stderr);
      assert.match(stdout, /"detail":".*GET/);
    }),
);
