/** One run of the ledger on this runtime, as a line of JSON: seconds, seed, and the weakening's name. @module */
import process, { argv } from "node:process";
import { ledgerRun } from "../ledger_run.ts";
import { weakenings } from "../weakened.ts";

const [, , seconds, seed, name] = argv;
const weakening = name === undefined ? undefined : weakenings[name];
if (name !== undefined && weakening === undefined) {
  throw new Error(`There is no weakening ${JSON.stringify(name)}`);
}
console.log(JSON.stringify(await ledgerRun({ seconds: Number(seconds), seed: Number(seed), weakening })));
process.exit(0);
