/** Snapshots, and what a process that begins with one may not yet say. */
import { type Mutant, mutant } from "./mutant.ts";

const REGISTRY = "registry/core.ts";
const SNAPSHOT = "registry/snapshot.ts";

const anotherBuild: Mutant = {
  name: "a snapshot of another build is believed",
  edits: [
    {
      file: SNAPSHOT,
      search: "format !== FORMAT || written !== version ||",
      replace: "format !== FORMAT ||",
    },
    {
      file: SNAPSHOT,
      search: "const content = { format, version, subscriptions, entries } as const;",
      replace: "const content = { format, version: written as string, subscriptions, entries } as const;",
    },
  ],
};

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
    "    this.#changeLog.invalidateAll();\n    for (const entry of snapshot.entries)",
    "    for (const entry of snapshot.entries)",
  ),
  liveAtOnce,
  anotherBuild,
  mutant(
    "a snapshot keeps what is void",
    "registry/entry_store.ts",
    "return this.valid().map((entry) => saveEntry(",
    "return [...this.values()].map((entry) => saveEntry(",
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
];
