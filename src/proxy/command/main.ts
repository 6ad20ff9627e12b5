#!/usr/bin/env node
/**
 * The command: `deno run -A main.ts --upstream http://127.0.0.1:3000 --couchdb http://127.0.0.1:5984/blog`, or with
 * `bun` or `node` in the place of `deno run -A`. `--help` lists the options.
 *
 * @module
 */
import process from "node:process";
import { HELP, parseArguments, UsageError } from "./arguments.ts";
import { start } from "./command.ts";
import { Log } from "./log.ts";

async function main(words: readonly string[]): Promise<void> {
  if (words.includes("--help")) return console.log(HELP);
  const options = parseArguments(words, process.env);
  const log = new Log((text) => void process.stdout.write(text));
  const running = await start(options, log).catch((error) => {
    const { code } = error as { code?: string };
    throw code === undefined
      ? error
      : new UsageError(`--listen: cannot listen on ${options.hostname}:${options.port} (${code})`);
  });
  const stop = () => void running.stop().then(() => process.exit(0));
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  process.on("SIGHUP", () => running.reload());
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error instanceof UsageError ? `stillfresh-proxy: ${error.message}` : error);
  process.exit(error instanceof UsageError ? 2 : 1);
});
