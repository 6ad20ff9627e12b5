/**
 * What is asserted of every 304 that the registry answers, i.e. while the handler does not run.
 *
 * Let the client's copy have been built from the documents d₁…dₙ, of which the handler read the versions i₁…iₙ
 * (positions in the document's history, which only the model knows). Let C(d) be the *contact* of the feed that reports
 * d: the moment, in true time, at which the `_changes` request was sent whose probe was the last one applied to the
 * registry, as that probe claims it. Let V(d, t) be the version that the followed node had at time t. Then
 *
 * 1. for each d: some version j ≥ V(d, C(d)) has the state of i(d). In words: no change of a document that was visible
 *    on the followed node before the contact has led away from the copy's state for good. (A copy may be newer than the
 *    contact: then j = i. A document that went away and came back to the same revision is the same. What does not
 *    exist has one state, whatever its tombstone.)
 * 2. every feed is live, its last applied word was not a loss, and by neither clock has more than `maxLag` passed since
 *    its contact: the boundary belongs to the answer, a tick later does not.
 * 3. the copy is one of the requested representation: of that resource, build, caller and variant.
 * 4. no write that this process has answered before leads to a state other than the copy's (read your writes).
 *
 * 5. a check of `audit` has not refuted the copy's tag since a handler last gave it, and whoever is drawn for a check
 *    is not answered without one.
 *
 * 6. Where everything is audited, a handler that gave another body under the tag of the copy than any before is not
 *    replaced by a 304, and neither is any later one under that tag. An audit that says "another body" of a page which
 *    declares all it shows has met a change that the feed has not reported yet.
 *
 * A 304 in place of what the handler answered confirms a copy that shows what the handler read, or one that fulfils
 * rules 1 to 3.
 *
 * Rules 1 and 4 do not hold for a database whose files were rolled back where the same revisions were made again after
 * that: a limit that docs/consistency.md names. What is not checked for this reason is counted.
 *
 * Where a page is built from what is *not* there (a list, a missing document), the absent documents count among d₁…dₙ.
 *
 * @module
 */
import { possiblyElapsed } from "../../src/changes/clock.ts";
import type { Database } from "./database.ts";
import { type Copy, type Reading, stateRead, type Visit } from "./visit.ts";
import { type Document, stateOf } from "./document.ts";
import type { Process } from "./process.ts";

/** A wrong answer, or a broken promise of another kind. */
export class Violation extends Error {
  override readonly name: string = "Violation";
}

/** @throws {Violation} If the registry should not have answered 304 with this tag. */
export function checkNotModified(
  process: Process,
  visit: Visit,
  sent: readonly Copy[],
  tag: string | null,
): void {
  checkContact(process);
  const meant = sent.filter((copy) => copy.tag === tag);
  if (meant.length === 0) throw new Violation(`304 for ${visit.path} names ${tag}, which was not sent`);
  for (const copy of meant) {
    checkRepresentation(process, visit, copy);
    for (const reading of copy.readings) {
      checkReading(process, visit, reading);
      checkWritten(process, visit, reading);
    }
  }
}

/**
 * Of a 304 in place of what the handler answered: the copy shows what the handler would have shown, or else it is as
 * good as one that the registry confirms.
 *
 * @throws {Violation} If it is neither.
 */
export function checkEvaluated(process: Process, visit: Visit, sent: readonly Copy[], tag: string): void {
  const meant = sent.filter((copy) => copy.tag === tag);
  if (meant.length === 0) throw new Violation(`304 for ${visit.path} names ${tag}, which was not sent`);
  for (const copy of meant) {
    checkRepresentation(process, visit, copy);
    if (shows(copy.readings) === shows(visit.readings)) continue;
    checkContact(process);
    for (const reading of copy.readings) checkReading(process, visit, reading);
  }
}

/** @throws {Violation} If an audit has let a tag pass for another body than it stood for, or has forgotten that. */
export function checkBody(process: Process, visit: Visit, tag: string): void {
  const name = `${visit.path} ${tag}`;
  const { config, scheduler, shown } = process.world;
  if (config.auditRate < 1 || visit.readings.some(({ database }) => isExcused(process, database))) return;
  const bodies = shown.get(name);
  if (visit.audited && bodies?.size === 1 && !bodies.has(visit.body)) {
    throw new Violation(
      `304 for ${visit.path} confirms ${tag}: it stood for ${[...bodies]}, and now for ${visit.body}`,
    );
  }
  if ((process.denied.get(name) ?? Infinity) < scheduler.steps) {
    throw new Violation(`304 for ${visit.path} confirms ${tag}, under which two bodies were seen`);
  }
}

/** @throws {Violation} If an audit accuses a handler that has declared all it showed, and read nothing new. */
export function checkAccusation(process: Process, { path, readings, forgotten }: Visit): void {
  if (readings.some(({ database }) => isExcused(process, database))) return;
  // A replica that lags behind may show what the feed has already reported as changed.
  if (forgotten.length > 0 || process.world.config.replicas > 1) return;
  const { clocks, time } = process.world.scheduler;
  // What it read, or what a faster handler read and registered meanwhile, may be from after the contact.
  const hasNews = ({ database, document }: Reading) => {
    const { contact } = process.registry.subscriptions.get(database.name)!;
    const moment = contact === undefined ? undefined : clocks.trueTime(contact);
    return moment === undefined || document.visible(time) > document.visible(moment);
  };
  if (!readings.some(hasNews)) {
    throw new Violation(`an audit of ${path} says that a body differs without a reason`);
  }
}

/** Read twice alike is read once. */
function shows(readings: readonly Reading[]): string {
  const states = readings.map((reading) => `${reading.document.id} ${stateRead(reading)}`);
  return [...new Set(states)].join();
}

/** Rule 2. */
export function checkContact(process: Process): void {
  const now = process.instant();
  for (const [name, { live, contact, maxLag }] of process.registry.subscriptions) {
    if (!live || contact === undefined) throw new Violation(`answered while ${name} is suspended`);
    const lag = possiblyElapsed(contact, now);
    if (lag > maxLag) throw new Violation(`answered ${lag} ms after the last contact with ${name}`);
  }
}

function checkRepresentation(process: Process, visit: Visit, copy: Copy): void {
  const wanted: Readonly<Record<string, string>> = {
    ...visit.fields,
    path: visit.path,
    build: process.build,
  };
  for (const [name, value] of Object.entries(copy.representation)) {
    if (wanted[name] === value) continue;
    throw new Violation(
      `304 for ${visit.path}: the copy is that of ${name} ${value}, asked for is ${wanted[name]}`,
    );
  }
}

function describe(document: Document, version: number): string {
  return `${document.id} version ${version} (${stateOf(document.versions[version]!)})`;
}

/** Whether a document has ever had the state that was read from another version on. */
function isAgain(reading: Reading, from: number): boolean {
  const state = stateRead(reading);
  const { document, withConflicts } = reading;
  return document.versions.slice(from).some((later) => stateOf(later, withConflicts) === state);
}

/** The known limit: after a roll-back, a history repeated itself, and the follower has not begun anew since. */
function isExcused({ world }: Process, { repeatsHistory }: Database): boolean {
  if (repeatsHistory) world.count("not checked");
  return repeatsHistory;
}

/** Rule 1. */
function checkReading(process: Process, visit: Visit, reading: Reading): void {
  const { database, document, version } = reading;
  if (isExcused(process, database)) return;
  const { contact } = process.registry.subscriptions.get(database.name)!;
  const { scheduler: { clocks }, snapshots } = process.world;
  const moment = snapshots?.table === database ? clocks.notAfter(contact!) : clocks.trueTime(contact!);
  if (moment === undefined) throw new Violation(`the contact of ${database.name} is a moment that never was`);
  const current = document.visible(moment);
  if (current <= version || isAgain(reading, current)) return;
  throw new Violation(
    `304 for ${visit.path}: the copy has ${describe(document, version)}, ` +
      `but at the last contact it was ${describe(document, current)}`,
  );
}

/** Rule 4. */
function checkWritten(process: Process, visit: Visit, reading: Reading): void {
  const { database, document, version } = reading;
  if (isExcused(process, database)) return;
  const written = process.written.get(document);
  if (written === undefined || version >= written) return;
  if (isAgain(reading, written)) return;
  throw new Violation(
    `304 for ${visit.path}: the copy has ${describe(document, version)}, ` +
      `but this process has written ${describe(document, written)}`,
  );
}
