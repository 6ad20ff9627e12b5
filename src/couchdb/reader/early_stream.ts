/**
 * A live stream that begins one row early, as a probe does, so that its first rows show whether it is one of the same
 * files. Between the probe's page and the opening of the stream they can have been exchanged, for example by a proxy
 * that switches to a restored stand-by.
 *
 * @module
 */
import type { CouchChange, Since } from "../../changes/change.ts";
import type { Stream, WITHHELD } from "../connection/stream.ts";
import type { Rows } from "../wire/rows.ts";
import type { Anchor } from "./anchor.ts";
import { type SessionContext, verifyHistory } from "./probe.ts";
import { Recognition } from "./recognition.ts";

/** What the rows of a stream bring. */
export interface StreamNews {
  /** Rows that have not been yielded. */
  readonly news: readonly CouchChange[];
  /** Known rows that came again, though not at their known position. */
  readonly repeated: readonly CouchChange[];
  /** The position to resume at after them. */
  readonly since: Since;
}

const NONE: readonly CouchChange[] = [];

/** The rows of a stream that is verified: none of them is known. */
export function asNews({ changes, since }: Rows): StreamNews {
  return { news: changes, repeated: NONE, since };
}

/** Opens a stream at the cursor's anchor. */
export class EarlyStream {
  readonly #context: SessionContext;
  readonly #anchor: Anchor;
  readonly #recognition: Recognition;
  readonly #stream: Stream;
  #isVerified: boolean;

  /**
   * @param session Ends the stream when it is aborted.
   * @param buffered Whether something on the way holds back an answer that is not complete.
   * @throws The reason of the abort, if it has been aborted already.
   */
  constructor(context: SessionContext, session: AbortController, buffered: boolean) {
    // A feed may be closed in the turn in which it becomes live: nothing would abort a request that is sent after that.
    session.signal.throwIfAborted();
    const { database, cursor, settings: { selection } } = context;
    this.#context = context;
    this.#anchor = cursor.anchor;
    // A filter may hide the anchor. Its rows stay those that the next probe asks for.
    this.#isVerified = selection.filtered || cursor.anchor.rows.size === 0;
    this.#recognition = new Recognition(cursor.anchor);
    const since = this.#isVerified ? cursor.since : cursor.anchor.since;
    this.#stream = database.openStream(since, session, buffered);
  }

  /** Whether the anchor has come again; also where none is known. */
  get isVerified(): boolean {
    return this.#isVerified;
  }

  /** The rows that arrive next, as {@linkcode Stream.read} gives them. */
  read(ms: number): Promise<Rows | undefined | typeof WITHHELD> {
    return this.#stream.read(ms);
  }

  /** Closes the stream; the session goes on. */
  close(): void {
    this.#stream.close();
  }

  /**
   * Looks for the anchor in rows of a stream that is not verified.
   *
   * @throws {FeedGap} If its document comes with another revision, in whose history the known one is not.
   */
  async verify(rows: Rows): Promise<StreamNews> {
    const { cursor, settings: { monitor } } = this.#context;
    const { news, repeated, unmoved } = this.#recognition.sort(rows.start, rows.changes);
    monitor.counters.replays += repeated.length + unmoved.length;
    this.#isVerified = this.#recognition.isExact ||
      (this.#recognition.came && await verifyHistory(this.#context, this.#anchor));
    // Known rows lead no further than the cursor is, and rows without a `seq` not beyond the start of the stream.
    const staysPut = (rows.changes.length > 0 && news.length === 0) || rows.since === this.#anchor.since;
    return { news, repeated, since: staysPut ? cursor.since : rows.since };
  }
}
