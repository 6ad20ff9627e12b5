/** Snapshots, and what a process that begins with one may not yet say. */
import { type Mutant, mutant } from "./mutant.ts";

const REGISTRY = "registry/core.ts";
const SNAPSHOT = "registry/snapshot.ts";

const liveAtOnce: Mutant = {
  name: "a resumed feed is live before it has caught up",
  edits: [{
    file: "registry/subscription.ts",
    search: "    this.#started = previous?.position !== undefined;\n",
    replace: `    this.#started = previous?.position !== undefined;
    this.#live = this.#started;
    this.#contact = this.#started ? instant(clock) : undefined;
`,
  }],
};

export const restartMutants: readonly Mutant[] = [
  mutant(
    "a snapshot is restored without a floor",
    REGISTRY,
    "        this.#changeLog.replicaLag = this.#subscriptions.replicaLag;\n        this.#changeLog.invalidateAll();\n",
    "        this.#changeLog.replicaLag = this.#subscriptions.replicaLag;\n",
  ),
  liveAtOnce,
  mutant(
    "a snapshot of another build is believed",
    "registry/snapshot_reader.ts",
    'return version === this.#version ? undefined : "another-build";',
    "return undefined;",
  ),
  mutant(
    "a snapshot keeps what is void",
    "registry/entry_store.ts",
    '        if (!this.isValid(entry)) return "void";\n',
    "",
  ),
  mutant(
    "a resumed feed begins where it would have begun",
    "registry/follow.ts",
    "feed.batches(this.#subscription.position, { maxLag, anew })",
    "feed.batches(undefined, { maxLag, anew })",
  ),
  mutant(
    "a snapshot forgets how long changes settle",
    "registry/subscriptions.ts",
    "subscriptions.push({ name, replicaLag, position });",
    "subscriptions.push({ name, replicaLag: 0, position });",
  ),
  mutant(
    "a snapshot has the positions of its end",
    SNAPSHOT,
    "this.#positions ??= this.#source.positions();",
    "this.#positions = this.#source.positions();",
  ),
  mutant(
    "what is invalidated while a snapshot is written stays in it",
    REGISTRY,
    "    for (const writer of this.#writers) writer.noteGroup(group);\n",
    "",
  ),
  mutant(
    "what is deleted while a snapshot is written stays in it",
    REGISTRY,
    "    this.#noteResource(key);\n    const isFound",
    "    const isFound",
  ),
  mutant(
    "what is void while a snapshot is written stays in it",
    REGISTRY,
    "    this.count(reason);\n    for (const writer of this.#writers) writer.noteAll();\n",
    "    this.count(reason);\n",
  ),
];
