/**
 * A simulated CouchDB database, as the followed node has it: shards with sequences of their own, opaque positions,
 * and what administrators do to it.
 *
 * @module
 */
import { Document, holdsPath, type SavedDocument } from "./document.ts";
import { MS } from "./clocks.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** A row of the feed, and what it was when it was read. */
export interface Row {
  readonly document: Document;
  readonly seq: number;
  readonly json: {
    readonly id: string;
    readonly changes: readonly { rev: string }[];
    readonly deleted?: true;
  };
}

/** Files as they were. */
export interface Backup {
  readonly seqs: readonly number[];
  readonly purges: number;
  readonly documents: ReadonlyMap<string, SavedDocument>;
}

export interface DatabaseOptions {
  readonly name: string;
  /** Shards: CouchDB's `cluster.q`. */
  readonly shards: number;
  /** CouchDB's `cluster.n`: above 1, reads and the followed node may lag. */
  readonly replicas: number;
  /** Whether the same position is always spelled alike. */
  readonly spellsAlike?: boolean;
}

/** How many are kept. */
const BACKUPS = 4;

/** Less than the settling time of a cluster. */
const LONGEST_LAG = 4_990 * MS;

export class Database {
  readonly name: string;
  readonly shards: number;
  readonly replicas: number;
  readonly documents: Map<string, Document> = new Map();
  /** The last sequence of each shard. */
  seqs: number[];
  /** `instance_start_time`. */
  life = 1_767_225_600;
  purges = 0;
  exists = true;
  /** While files are being restored nobody writes. */
  readOnly = false;
  /** Whether files were restored, and the follower has not begun anew since. */
  isRestored = false;
  /** Called when the row of a document has become visible. */
  onRow: (document: Document) => void = () => {};
  /** Called when a version replaces another unseen. */
  onCoalesced: () => void = () => {};
  /**
   * Whether a document is at a revision once more that was lost when files were restored, and the follower has not begun
   * anew since. No follower can see such a roll-back: a known limit (docs/consistency.md).
   */
  repeatsHistory = false;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  readonly #spellsAlike: boolean;
  /** Newest first. */
  backups: Backup[] = [];

  constructor(options: DatabaseOptions, scheduler: Scheduler, random: Random) {
    this.name = options.name;
    this.shards = options.shards;
    this.replicas = options.replicas;
    this.seqs = Array.from({ length: this.shards }, () => 0);
    this.#scheduler = scheduler;
    this.#random = random;
    this.#spellsAlike = options.spellsAlike ?? false;
  }

  document(id: string): Document {
    let document = this.documents.get(id);
    if (document === undefined) {
      document = new Document(id, this.documents.size % this.shards);
      this.documents.set(id, document);
    }
    return document;
  }

  /** Commits what was done to a document; the followed node learns of it at once, or a little later. */
  commit(document: Document): number {
    const { time } = this.#scheduler;
    const version = document.commit(time);
    if (document.repeatsItself) this.repeatsHistory = true;
    const late = this.replicas > 1 && this.#random.chance(0.3);
    if (late) {
      this.#scheduler.after(this.#random.integer(1, LONGEST_LAG), () => this.#reveal(document, version));
    } else this.#reveal(document, version);
    return version;
  }

  #reveal(document: Document, version: number): void {
    const seen = document.visible(this.#scheduler.time);
    if (!document.reveal(version, this.#scheduler.time)) return;
    if (version > seen + 1) this.onCoalesced();
    if (!this.exists) return;
    document.seq = ++this.seqs[document.shard]!;
    this.onRow(document);
  }

  /** A version that some node may serve now: that of the followed node, or of one behind or ahead. */
  read(id: string, lag: number): number {
    const document = this.document(id);
    const { time } = this.#scheduler;
    return this.replicas > 1 && lag > 0 ? document.committed(time - lag) : document.visible(time);
  }

  /** How far behind a replica may be, in ticks; 0 for the followed node itself. */
  lag(random: Random): number {
    if (this.replicas === 1 || random.chance(0.5)) return 0;
    return random.chance(0.3) ? 1 : random.integer(1, LONGEST_LAG);
  }

  /** Rows after a position, those of each shard in their order. */
  rows(after: readonly number[]): Row[][] {
    const rows: Row[][] = after.map(() => []);
    for (const document of this.documents.values()) {
      const { seq, shard } = document;
      if (seq > after[shard]!) rows[shard]!.push(rowOf(document, this.#scheduler.time));
    }
    for (const list of rows) list.sort((a, b) => a.seq - b.seq);
    return rows;
  }

  /** `GET /{db}`. */
  information(): unknown {
    return {
      db_name: this.name,
      update_seq: this.spell(this.seqs),
      purge_seq: `${this.purges}-${this.#random.seed().toString(36)}`,
      instance_start_time: String(this.life),
      cluster: { q: this.shards, n: this.replicas },
    };
  }

  /** The same position is spelled differently each time, or always alike. */
  spell(position: readonly number[]): string {
    const sum = position.reduce((a, b) => a + b, 0);
    const more = this.#random.seed().toString(36);
    return `${sum}-${position.join(".")}.${this.#spellsAlike ? "0" : more}`;
  }

  /** `POST /{db}/_revs_diff`. */
  missing(asked: Readonly<Record<string, readonly string[]>>): unknown {
    const answers = Object.entries(asked).map(([id, revs]) =>
      [id, { missing: revs.filter((rev) => !this.document(id).holds(rev)) }] as const
    );
    return Object.fromEntries(answers.filter(([, { missing }]) => missing.length > 0));
  }

  /** Undefined for what is no position. */
  parse(since: string): number[] | undefined {
    if (since === "0") return this.seqs.map(() => 0);
    const match = /^\d+-([\d.]+)\.[0-9a-z]+$/.exec(since);
    const position = match?.[1]?.split(".").map(Number);
    return position?.length === this.shards ? position : undefined;
  }

  drop(): void {
    this.exists = false;
    this.#forgetAll();
    this.backups = [];
  }

  /** Another database of the same name. */
  create(): void {
    this.exists = true;
    this.repeatsHistory = false;
    this.life++;
    this.purges = 0;
    this.seqs = this.seqs.map(() => 0);
  }

  #forgetAll(): void {
    const { time } = this.#scheduler;
    for (const document of this.documents.values()) {
      document.forget();
      document.reveal(document.commit(time), time);
    }
  }

  /** Takes a document out without a trace in the feed. */
  purge(document: Document): void {
    const { time } = this.#scheduler;
    document.forget();
    document.reveal(document.commit(time), time);
    this.purges++;
    this.seqs[document.shard]!++;
  }

  backUp(): void {
    const documents = new Map(Array.from(this.documents, ([id, document]) => [id, document.save()]));
    this.backups = [{ seqs: [...this.seqs], purges: this.purges, documents }, ...this.backups].slice(
      0,
      BACKUPS,
    );
  }

  /**
   * The newest backup that lacks a row: that of the last change of a follower who has come to the end.
   *
   * @param rev A revision of its document that the backup must lack as well.
   */
  backupWithout(position: readonly number[], lastRow: string, rev?: string): Backup | undefined {
    // With several shards, the row that came last need not be the newest: a roll-back can go unseen.
    if (!this.exists || this.shards > 1) return undefined;
    if (position.some((reached, index) => reached !== this.seqs[index])) return undefined;
    const { seq, shard } = this.document(lastRow);
    return this.backups.find(({ seqs, documents }) =>
      seq > seqs[shard]! &&
      (rev === undefined || !holdsPath(documents.get(lastRow)?.leaves ?? [], rev))
    );
  }

  /**
   * Puts the files of a backup in place.
   *
   * @param mayRepeat Whether the same writes give the same revisions once more.
   */
  rollBack(backup: Backup, mayRepeat: boolean = false): void {
    this.backups = this.backups.slice(this.backups.indexOf(backup));
    this.seqs = [...backup.seqs];
    this.purges = backup.purges;
    for (const [id, document] of this.documents) {
      document.restore(backup.documents.get(id), this.#scheduler.time, mayRepeat);
    }
  }
}

function rowOf(document: Document, time: number): Row {
  const { rev, exists } = document.versions[document.visible(time)]!;
  const json = { id: document.id, changes: [{ rev }], ...(exists ? {} : { deleted: true as const }) };
  return { document, seq: document.seq, json };
}
