/**
 * Many followers of one database, in a process of their own: `followers.ts URL COUNT`. A line of input, a name, is the
 * group of one edit; the answer is when each follower was told of it, in milliseconds since the epoch.
 *
 * @module
 */
import { createInterface } from "node:readline";
import process from "node:process";
import { changes } from "../../src/couchdb/changes.ts";

const [url = "", count = "1"] = process.argv.slice(2);
const followers = Number(count);
const times = new Map<string, number[]>();
const asked = new Map<string, () => void>();
let ready = 0;

/** Notes when a follower was told of a document. */
function note(id: string): void {
  const all = times.get(id) ?? [];
  times.set(id, all);
  all.push(performance.timeOrigin + performance.now());
  if (all.length === followers) asked.get(id)?.();
}

async function read(): Promise<void> {
  let live = false;
  for await (const batch of changes(url, { since: "now" }).batches()) {
    if (batch.state === "live" && !live) {
      live = true;
      if (++ready === followers) console.log("ready");
    }
    for (const { id } of batch.changes) note(id);
  }
}

for (let n = 0; n < followers; n++) {
  read().catch((error) => {
    console.error(error);
    process.exit(1);
  });
}
for await (const id of createInterface({ input: process.stdin })) {
  const told = new Promise<void>((resolve) => asked.set(id, resolve));
  if ((times.get(id)?.length ?? 0) < followers) await told;
  console.log(JSON.stringify(times.get(id)));
}
process.exit(0);
