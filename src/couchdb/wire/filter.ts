/**
 * Which changes a reader is sent, and what is in them.
 *
 * @module
 */

/** Which changes to send, and what to put into them; names are CouchDB's. */
export interface SelectionOptions {
  /**
   * Which changes are sent: those of `docIds` (`"_doc_ids"`), of documents that match `selector` (`"_selector"`), that
   * `view` emits something for (`"_view"`), of design documents (`"_design"`), or that a function of a design document
   * accepts (`"ddoc/name"`). A document that no longer matches vanishes without a word: a filtered feed cannot drive
   * invalidation.
   */
  readonly filter?: string;
  /** For `"_doc_ids"`: the documents. */
  readonly docIds?: readonly string[];
  /** For `"_selector"`: what a document must match (CouchDB documentation, "Selector Syntax"). */
  readonly selector?: Readonly<Record<string, unknown>>;
  /** For `"_selector"` with `includeDocs`: the fields that are sent. */
  readonly fields?: readonly string[];
  /** For `"_view"`: `"ddoc/view"`. */
  readonly view?: string;
  /** For `"_view"` and `"ddoc/name"`: parameters of the function's own, in its `req.query`. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Adds the winning revision's body as `doc` (CouchDB, `include_docs`); a deleted document has one too, or none. */
  readonly includeDocs?: boolean;
  /** With `includeDocs`: adds `_conflicts` to the body. */
  readonly conflicts?: boolean;
  /** With `includeDocs`: adds the attachments to the body, in base64. */
  readonly attachments?: boolean;
  /** `"all_docs"` adds `revs`, the leaves, winner first; deleted ones are not marked. Default `"main_only"`. */
  readonly style?: "main_only" | "all_docs";
  /** Has the server work a position out for every so many rows only, which is cheaper (CouchDB, `seq_interval`). */
  readonly seqInterval?: number;
}

/** The selection, checked. */
export interface Selection {
  /** Parameters of the request under CouchDB's names; those of the filter's own are in `query_params`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether some changes are not sent. */
  readonly filtered: boolean;
  /** Whether every leaf is asked for. */
  readonly leaves: boolean;
  /** What a position under this selection belongs to; empty for every change. */
  readonly identity: string;
}

/** What some filters need, and no other can use. */
const FILTER_OF = { docIds: "_doc_ids", selector: "_selector", fields: "_selector", view: "_view" } as const;

/** Names that a filter's parameter would take from the feed. */
const TAKEN = /* @__PURE__ */ new Set(
  /* @__PURE__ */ "feed since limit heartbeat timeout descending style filter view doc_ids include_docs conflicts attachments seq_interval last-event-id"
    .split(" "),
);

/**
 * Checks a selection.
 *
 * @throws {TypeError | RangeError} If an option is illegal or contradicts another, saying which.
 */
export function select(options: SelectionOptions): Selection {
  const { filter, docIds, selector, fields, view, query, style, seqInterval } = options;
  requireFilter(options);
  requireBody(options);
  if (style !== undefined && style !== "main_only" && style !== "all_docs") {
    throw new TypeError(`style must be "main_only" or "all_docs", not ${show(style)}`);
  }
  if (seqInterval !== undefined) requireInteger("seqInterval", seqInterval, 1);
  const leaves = style === "all_docs";
  const parameters = defined({
    filter,
    doc_ids: docIds,
    selector,
    fields,
    view,
    query_params: query,
    include_docs: options.includeDocs || undefined,
    conflicts: options.conflicts || undefined,
    attachments: options.attachments || undefined,
    style: leaves ? style : undefined,
    seq_interval: seqInterval,
  });
  const identity = defined({ filter, docIds, selector, view, query, style: parameters["style"] });
  return {
    parameters,
    filtered: filter !== undefined,
    leaves,
    identity: Object.keys(identity).length === 0 ? "" : digest(JSON.stringify(identity)),
  };
}

function requireFilter(options: SelectionOptions): void {
  const { filter, query } = options;
  const known = filter === undefined || filter === "_design" || isFunctionName(filter);
  if (!known && !Object.values<unknown>(FILTER_OF).includes(filter)) {
    throw new TypeError(
      `filter must be "_doc_ids", "_selector", "_view", "_design" or "ddoc/name", not ${show(filter)}`,
    );
  }
  for (const [name, needed] of Object.entries(FILTER_OF)) {
    const given = options[name as keyof typeof FILTER_OF] !== undefined;
    if (given && filter !== needed) {
      throw new TypeError(`${name} needs filter: ${show(needed)}, not ${show(filter)}`);
    }
    if (!given && filter === needed && name !== "fields") {
      throw new TypeError(`filter: ${show(filter)} needs ${name}`);
    }
  }
  if (options.docIds?.some((id) => typeof id !== "string")) throw new TypeError("docIds must be strings");
  if (query === undefined) return;
  if (filter !== "_view" && !isFunctionName(filter)) {
    throw new TypeError(`query needs filter: "_view" or "ddoc/name", not ${show(filter)}`);
  }
  const taken = Object.keys(query).find((name) => TAKEN.has(name));
  if (taken !== undefined) throw new TypeError(`query.${taken} is a parameter of the feed itself`);
}

function isFunctionName(filter: unknown): boolean {
  return typeof filter === "string" && /^[^_/][^/]*\/[^/]+$/.test(filter);
}

function requireBody(options: SelectionOptions): void {
  for (const name of ["conflicts", "attachments", "fields"] as const) {
    if (options[name] && !options.includeDocs) throw new TypeError(`${name} needs includeDocs: true`);
  }
}

/** @throws {RangeError} If this is no integer from `least` to `most`. */
export function requireInteger(
  name: string,
  value: unknown,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): void {
  const legal = Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  if (!legal) throw new RangeError(`${name} must be an integer from ${least} to ${most}, not ${show(value)}`);
}

/** A value as an error message names it. */
export function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function defined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** FNV-1a from two starts: positions are stored, and ten thousand document ids should not be stored with each. */
function digest(text: string): string {
  const hash = (start: number): string => {
    let state = start;
    for (let index = 0; index < text.length; index++) {
      state = Math.imul(state ^ text.charCodeAt(index), 0x01000193);
    }
    return (state >>> 0).toString(36);
  };
  return `${hash(0x811c9dc5)}.${hash(0x9e3779b9)}.${text.length}`;
}
