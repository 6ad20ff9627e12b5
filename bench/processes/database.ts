/** The embedded database in a process of its own: prints its address, and ends with its input. */
import process from "node:process";
import { startDatabase } from "../../examples/blog/database.ts";

console.log((await startDatabase()).url);
for await (const _ of process.stdin);
process.exit(0);
