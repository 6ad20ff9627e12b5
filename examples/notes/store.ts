/** The notes' database, through nano: what the handlers read and write. */
import nano from "nano";
import { locate } from "../blog/couch_source.ts";

/** A note: `note-1`. */
export interface Note {
  readonly _id: string;
  readonly _rev: string;
  readonly text: string;
  /** Id of the author's document. */
  readonly author: string;
}

/** Who writes: `author-ann`. */
export interface Author {
  readonly _id: string;
  readonly _rev: string;
  readonly name: string;
}

/** A login. Its document is deleted when it ends, here or by an administrator. */
export interface Session {
  readonly _id: string;
  readonly _rev: string;
  readonly author: string;
}

/** A document as it is written: over a revision, or as a new one where it has none. */
export type Written<Doc> = Omit<Doc, "_rev"> & { readonly _rev?: string | undefined };

/** What the handlers need of the database. A write throws a 409 where `_rev` is not current. */
export interface Store {
  /** Null: there is none. */
  get<Doc extends Note | Author | Session>(id: string): Promise<Doc | null>;
  /** All notes, by id. */
  notes(): Promise<readonly Note[]>;
  put(document: Written<Note> | Written<Session>): Promise<void>;
  delete(document: Session): Promise<void>;
}

/** Opens the store; `url` names the database. */
export function openStore(url: URL): Store {
  const { server, name } = locate(url);
  const database = nano(server.href).use<object>(name);
  return {
    async get<Doc>(id: string): Promise<Doc | null> {
      try {
        return await database.get(id) as Doc;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return null;
        throw error;
      }
    },
    async notes() {
      const { rows } = await database.list({ startkey: "note-", endkey: "note-\ufff0", include_docs: true });
      return rows.map(({ doc }) => doc as unknown as Note);
    },
    put: async (document) => void await database.insert(document as object),
    delete: async ({ _id, _rev }) => void await database.destroy(_id, _rev),
  };
}
