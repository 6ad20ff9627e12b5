/** One follower, one fault, in a process of its own: what crashes it, crashes nothing else. Prints the verdict. */
import process from "node:process";
import { faults } from "../../tests/faults/faults.ts";
import { faultRun, type Follower } from "../../tests/faults/fault_run.ts";

const [name = "", number = ""] = process.argv.slice(2);
const fault = faults[Number(number)];
if (fault === undefined) throw new RangeError(`There is no fault ${number}`);

const say = (verdict: object): never => {
  console.log(`\n${JSON.stringify(verdict)}`);
  process.exit(0);
};
const crash = (error: unknown): never =>
  say({ outcome: "crashed", missing: [], recovery: 0, error: String(error) });
process.on("uncaughtException", crash);
process.on("unhandledRejection", crash);

async function find(): Promise<Follower | undefined> {
  const followers = name === "stillfresh"
    ? (await import("../../tests/faults/ours.ts")).ours(1)
    : (await import("./peers.ts")).peers;
  return name === "stillfresh" ? followers[0] : followers.find((follower) => follower.name === name);
}

const follower = await find();
if (follower === undefined) throw new RangeError(`There is no follower ${name}`);
const limit = (fault.wait ?? 0) + (fault.name.startsWith("black hole") ? 100_000 : 30_000);
const verdict = await faultRun(follower, fault, { pace: 1, limit, grace: 10_000 });
say({ ...verdict, error: verdict.error === undefined ? undefined : String(verdict.error) });
