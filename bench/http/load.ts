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

/** wrk or autocannon, which is said aloud. */
export async function chooseLoad(node: Runner): Promise<Load> {
  const version = await run("wrk", ["-v"]).then(({ output }) => output, () => undefined);
  if (version !== undefined) {
    console.log(`\nLoad from ${version.split(" [")[0]}: one thread, 32 connections`);
    return (url, file, seconds) =>
      answered("wrk", [
        ...["-t1", "-c32", `-d${seconds}s`, "-s", `${root}bench/http/requests.lua`],
        ...[url, "--", file],
      ]);
  }
  console.log(
    "\nWRK IS NOT INSTALLED (apt-get install wrk): the load is autocannon's, which takes more from servers",
  );
  return (url, file, seconds) =>
    answered(node.path, [...node.flags, `${root}bench/http/autocannon.ts`, url, `${seconds}`, file]);
}

async function answered(command: string, args: readonly string[]): ReturnType<Load> {
  const { code, output } = await run(command, args, { limit: 60 });
  const [, requests, seconds] = /(\d+) requests in ([\d.]+)s/.exec(output) ?? [];
  if (code !== 0 || requests === undefined || /Non-2xx|Socket errors/.test(output)) throw new Error(output);
  return { requests: Number(requests), seconds: Number(seconds) };
}
