/**
 * The load, from a process of its own: wrk, and where that is not installed, autocannon.
 *
 * @module
 */
import { root, run } from "../../scripts/run.ts";
import type { Runner } from "../runners.ts";

/** Sends the requests of a file for some seconds; how many were answered, and in how many seconds. */
export type Load = (
  url: string,
  file: string,
  seconds: number,
) => Promise<{ requests: number; seconds: number }>;

/** A program that sends the requests of a file for some seconds. */
export interface LoadCommand {
  readonly command: string;
  readonly args: (url: string, file: string, seconds: number) => readonly string[];
}

/** wrk or autocannon, which is said aloud. */
export async function loadCommand(node: Runner): Promise<LoadCommand> {
  const version = await run("wrk", ["-v"]).then(({ output }) => output, () => undefined);
  if (version !== undefined) {
    console.log(`\nLoad from ${version.split(" [")[0]}: one thread, 32 connections`);
    const script = `${root}bench/http/requests.lua`;
    return {
      command: "wrk",
      args: (url, file, seconds) => ["-t1", "-c32", `-d${seconds}s`, "-s", script, url, "--", file],
    };
  }
  console.log(
    "\nWRK IS NOT INSTALLED (apt-get install wrk): the load is autocannon's, which takes more from servers",
  );
  const program = `${root}bench/http/autocannon.ts`;
  return {
    command: node.path,
    args: (url, file, seconds) => [...node.flags, program, url, `${seconds}`, file],
  };
}

/** The same as a function. */
export async function chooseLoad(node: Runner): Promise<Load> {
  const { command, args } = await loadCommand(node);
  return (url, file, seconds) => answered(command, args(url, file, seconds));
}

async function answered(command: string, args: readonly string[]): ReturnType<Load> {
  const { code, output } = await run(command, args, { limit: 60 });
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? [];
  if (code !== 0 || requests === undefined || /Non-2xx|Socket errors/.test(output)) throw new Error(output);
  return { requests: Number(requests), seconds: Number(seconds) };
}
