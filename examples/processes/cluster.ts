/**
 * Node, on all cores, by its own `cluster`: the first process hands the connections round.
 *
 *     node examples/processes/cluster.ts
 *
 * Environment: `PORT` (8000), `PROCESSES` (one for each core).
 */
import cluster from "node:cluster";
import { availableParallelism } from "node:os";
import process from "node:process";

if (cluster.isPrimary) {
  for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => process.exit());
  const processes = Number(process.env["PROCESSES"] ?? availableParallelism());
  for (let n = 0; n < processes; n++) cluster.fork();
  // A new process begins with an empty registry and follows by itself: no other process has to know.
  cluster.on("exit", () => setTimeout(() => cluster.fork(), 1000));
} else {
  await import("./node.ts");
}
