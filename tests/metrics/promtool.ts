/** Prometheus' own judge of metrics and rules, where it is installed: Debian's package `prometheus` has it. */
import { spawn, spawnSync } from "node:child_process";

const { error } = spawnSync("promtool", ["--version"]);

/** Why it cannot be asked; false: it can. */
export const noPromtool: string | false = error === undefined
  ? false
  : "promtool is not installed; Debian's package prometheus has it";

/** What it says, and its exit code. */
export async function promtool(
  args: readonly string[],
  input: string = "",
): Promise<{ readonly code: number | null; readonly said: string }> {
  const process = spawn("promtool", args);
  let said = "";
  for (const stream of [process.stdout, process.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (text: string) => said += text);
  }
  process.stdin.end(input);
  const code = await new Promise<number | null>((resolve) => process.on("close", resolve));
  return { code, said };
}
