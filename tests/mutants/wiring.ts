/** Feeds of a site's own, and `Headers` that are not ours. */
import { type Mutant, mutant } from "./mutant.ts";

const QUEUE = "changes/batch_queue.ts";
const READER = "changes/source_reader.ts";

export const wiringMutants: readonly Mutant[] = [
  mutant(
    "a token that another connection brings is contact",
    READER,
    "if (!Object.is(this.#identity.connection, connection)) {",
    "if (connection === undefined) {",
  ),
  mutant(
    "a token is contact as of its return",
    READER,
    "this.#prove(awaited.sent);",
    "this.#prove(instant(this.#settings.clock));",
  ),
  mutant(
    "what was registered before a source was connected counts",
    READER,
    'this.#queue.prove(contact, this.#proved ? undefined : "connected");',
    "this.#queue.prove(contact);",
  ),
  mutant("an overflow of what was pushed is forgotten", QUEUE, '      this.#reset ??= "overflow";\n', ""),
  mutant(
    "Headers that a class keeps are written to",
    "handler/responses.ts",
    "if (hasBody(response) && copiesHeaders(response)) {",
    "if (hasBody(response)) {",
  ),
];
