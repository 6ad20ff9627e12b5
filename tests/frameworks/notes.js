/** What the recipes serve: notes in memory, and the registry of their tags. Each change passes through here. */
import { EtagRegistry } from "@stillfresh/etag";

export const registry = new EtagRegistry({ manual: true });

const notes = new Map([["milk", { _id: "milk", _rev: "1-a", text: "Remember the milk." }]]);

/** @param {string} id */
export function readNote(id) {
  const note = notes.get(id);
  if (note === undefined) throw new Error(`There is no note ${id}`);
  return note;
}

/** @param {string} id @param {string} text */
export function writeNote(id, text) {
  const note = { _id: id, _rev: `${parseInt(readNote(id)._rev) + 1}-a`, text };
  notes.set(id, note);
  return note;
}
