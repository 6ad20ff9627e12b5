/** What a tracked read costs beside the read: `deno run bench/reads.ts`, `bun bench/reads.ts`, `node bench/reads.ts`. */
import { Reads, tracked } from "../src/reads/reads.ts";

const handle = { get: (id: string) => Promise.resolve({ _id: id, _rev: "1-a" }) };
const blog = tracked(handle);
const READS = 20;
const RUNS = 2_000;

/** µs a read, in runs of 20 reads, as a page makes them. */
async function cost(read: (id: string) => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let run = 0; run < RUNS; run++) {
    const reads = new Reads();
    await reads.run(async () => {
      for (let i = 0; i < READS; i++) await read(`post-${i}`);
    });
  }
  return (performance.now() - start) * 1_000 / (RUNS * READS);
}

const plain: number[] = [];
const both: number[] = [];
for (let round = 0; round < 9; round++) {
  plain.push(await cost((id) => handle.get(id)));
  both.push(await cost((id) => blog.get(id)));
}
const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[4]!;
const [without, tracking] = [median(plain), median(both)];
console.log(
  `a read ${without.toFixed(2)} µs, tracked ${tracking.toFixed(2)} µs: ${
    (tracking - without).toFixed(2)
  } µs more`,
);
