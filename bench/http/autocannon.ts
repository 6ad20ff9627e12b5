/**
 * The load where wrk is not installed: `autocannon.ts URL SECONDS FILE` prints how many requests were answered.
 *
 * @module
 */
import autocannon from "autocannon";
import { readFileSync } from "node:fs";
import process from "node:process";

const [url = "", seconds = "1", file = ""] = process.argv.slice(2);
const requests = readFileSync(file, "utf8").trimEnd().split("\n").map((line) => {
  const [path = "", ...tag] = line.split(" ");
  return { path, headers: { "if-none-match": tag.join(" ") } };
});
const result = await autocannon({ url, connections: 32, duration: Number(seconds), requests });
if (result.errors > 0 || result["4xx"] + result["5xx"] > 0) throw new Error("there were errors");
console.log(`${result.requests.total} requests in ${result.duration}s`);
