/** Feeds that look at a database through snapshots. */
import { type Mutant, mutant } from "./mutant.ts";

const FEED = "postgres/changes.ts";
const LOOK = "postgres/look.ts";
const READER = "changes/polled_reader.ts";

export const snapshotMutants: readonly Mutant[] = [
  mutant(
    "transactions that were running are not looked at again",
    LOOK,
    "from pg_snapshot_xip(${since}) x",
    "from (select null::xid8 where false) x",
  ),
  mutant(
    "the next transaction of a snapshot counts as seen",
    LOOK,
    "xid >= pg_snapshot_xmax(",
    "xid > pg_snapshot_xmax(",
  ),
  mutant("a look is contact as of its answer", READER, "[before(sent,", "[before(instant(clock),"),
  mutant("a quick look is contact", READER, "if (isWhole) [contact,", "[contact,"),
  mutant(
    "the age of a transaction does not count",
    FEED,
    "age: Math.max(0, age)",
    "age: Math.min(0, age)",
  ),
  mutant(
    "a server's life is not part of its identity",
    "postgres/migration.ts",
    "concat_ws('/', known,",
    "concat_ws('/',",
  ),
  mutant(
    "another identity is no reset",
    FEED,
    "JSON.stringify([identity, shape!,",
    'JSON.stringify(["", shape!,',
  ),
  mutant(
    "another shape is no reset",
    FEED,
    "JSON.stringify([identity, shape!,",
    'JSON.stringify([identity, "",',
  ),
  mutant(
    "what was pruned counts as looked at",
    FEED,
    "if (pruned) return",
    "if (pruned && this.#most < 0) return",
  ),
  mutant(
    "what a look had to leave out is forgotten",
    FEED,
    '> this.#most ? "overflow" : undefined',
    "> Infinity + this.#most ? undefined : undefined",
  ),
  mutant(
    "a disabled trigger is as good as an enabled one",
    LOOK,
    "if (about && enabled === TRIGGERS &&",
    "if (about && enabled !== TRIGGERS + 1 &&",
  ),
];
