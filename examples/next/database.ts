/** Notes in CouchDB: read, written, and where their changes are told. */

/** A note as CouchDB keeps it. */
export interface Note {
  readonly _id: string;
  readonly _rev: string;
  readonly text: string;
}

/** The database, with the credentials if there are any. */
export function databaseUrl(): string {
  return process.env["COUCHDB_URL"] ?? "http://127.0.0.1:5984/notes";
}

/** A note, or undefined where there is none. */
export async function readNote(id: string): Promise<Note | undefined> {
  const response = await ask(id);
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`The database answered ${response.status}`);
  return await response.json() as Note;
}

/** Writes a note over its current revision, or a new one. */
export async function writeNote(id: string, text: string): Promise<void> {
  const current = await readNote(id);
  const response = await ask(id, { method: "PUT", body: JSON.stringify({ ...current, text }) });
  if (!response.ok) throw new Error(`The database answered ${response.status}`);
}

function ask(id: string, init: RequestInit = {}): Promise<Response> {
  const url = new URL(`${databaseUrl()}/${encodeURIComponent(id)}`);
  const headers = new Headers({ "content-type": "application/json" });
  if (url.username !== "") {
    const [name, password] = [url.username, url.password].map(decodeURIComponent);
    headers.set("authorization", `Basic ${btoa(`${name}:${password}`)}`);
    url.username = url.password = "";
  }
  // A read must not be older than the feed, so it must not come out of the cache behind Next's fetch.
  return fetch(url, { ...init, headers, cache: "no-store" });
}
