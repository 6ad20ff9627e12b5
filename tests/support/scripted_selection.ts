/** Which rows of a scripted database a request asks for, and how they are written. */

/** A change as the database keeps it. */
export interface Row {
  readonly n: number;
  readonly id: string;
  readonly rev: string;
  readonly deleted: boolean;
}

/** What a request selects. */
export interface Asking {
  readonly url: URL;
  readonly body: string;
}

/** Whether a row passes the filter: `_doc_ids` as CouchDB has it, `_design`, any other filter as the test has it. */
export function passes({ url, body }: Asking, { id }: Row, matches: (id: string) => boolean): boolean {
  const filter = url.searchParams.get("filter");
  if (filter === null) return true;
  if (filter === "_design") return id.startsWith("_design/");
  if (filter !== "_doc_ids") return matches(id);
  const ids = url.searchParams.get("doc_ids");
  return (ids === null ? JSON.parse(body).doc_ids : JSON.parse(ids)).includes(id);
}

/** A row on the wire, without its line end. */
export function written(row: Row, seq: string, { url }: Asking): string {
  const { id, rev, deleted } = row;
  const wants = (name: string) => url.searchParams.get(name) === "true";
  const leaves = url.searchParams.get("style") === "all_docs" ? [rev, "1-loser"] : [rev];
  const doc = { _id: id, _rev: rev, ...(deleted ? { _deleted: true } : {}) };
  return `{"seq":${seq},"id":${JSON.stringify(id)},"changes":${
    JSON.stringify(leaves.map((rev) => ({ rev })))
  }${deleted ? `,"deleted":true` : ""}${wants("include_docs") ? `,"doc":${JSON.stringify(doc)}` : ""}}`;
}

/** Whether this row of a page gets no position (CouchDB: `Limit rem Interval =/= 0`). */
export function unnumbered(index: number, { url }: Asking): boolean {
  const interval = Number(url.searchParams.get("seq_interval") ?? 1);
  return index % interval !== 0;
}

/** What kind of question a request is. */
export type Kind = "information" | "page" | "newest" | "continuous" | "longpoll" | "revisions";

/** The kind of the request for this URL. */
export function kindOf(url: URL): Kind {
  if (url.pathname.endsWith("/_revs_diff")) return "revisions";
  if (!url.pathname.endsWith("/_changes")) return "information";
  const feed = url.searchParams.get("feed");
  if (feed === "continuous" || feed === "longpoll") return feed;
  return url.searchParams.get("descending") === "true" ? "newest" : "page";
}
