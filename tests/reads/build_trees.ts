/** Builds as many random pages as it is told, on the runtime that it runs on. */
import process from "node:process";
import { openLibrary } from "./library.ts";
import { Press } from "./trees.ts";

const pages = Number(process.argv[2]);
const library = await openLibrary();
const press = new Press(library);
let documents = 0;
for (let first = 1; first <= pages; first += 50) {
  const seeds = Array.from({ length: Math.min(50, pages - first + 1) }, (_, i) => first + i);
  // One batch in twenty reads through sockets as well.
  documents += await press.print(seeds, first % 1_000 === 1);
}
console.log(`${pages} pages, ${documents} documents declared, each as it was given`);
await library.close();
