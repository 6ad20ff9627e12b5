/** Imported first: PouchDB's dependencies use `punycode`, and each runtime says so at length. */
import process from "node:process";

(process as { noDeprecation?: boolean }).noDeprecation = true;
