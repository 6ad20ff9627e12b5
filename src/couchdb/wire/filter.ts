/**
 * The selection of a feed: which changes the server sends, and what each of them holds.
 *
 * @module
 */
import { requireInteger, show } from "./checks.ts";

/** Which changes are sent, and what each of them holds; names are CouchDB's. */
export interface SelectionOptions {
  /**
   * Which changes are sent: those of `docIds` (`"_doc_ids"`), of documents that match `selector` (`"_selector"`), that
   * `view` emits something for (`"_view"`), of design documents (`"_design"`), or that a function of a design document
   * accepts (`"ddoc/name"`). A document that stops matching leaves the feed without a row, so a filtered
   * feed cannot drive invalidation.
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
  /** For `"_view"` and `"ddoc/name"`: parameters that the function finds in its `req.query`. */
  readonly query?: Readonly<Record<string, string | number | boolean>>;
  /** Adds the winning revision's body as `doc` (CouchDB, `include_docs`); a deleted document has one too, or none. */
  readonly includeDocs?: boolean;
  /** With `includeDocs`: adds `_conflicts` to the body. */
  readonly conflicts?: boolean;
  /** With `includeDocs`: adds the attachments to the body, in base64. */
  readonly attachments?: boolean;
  /** `"all_docs"` adds `revs`, the leaves, winner first; deleted ones are not marked. Default `"main_only"`. */
  readonly style?: "main_only" | "all_docs";
  /** How many rows share one position: the server then works out fewer of them (CouchDB, `seq_interval`). Default 1. */
  readonly seqInterval?: number;
}

/** A selection that has been checked. */
export interface Selection {
  /** Parameters of the request under CouchDB's names; those of a filter function are in `query_params`. */
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether some changes are not sent. */
  readonly filtered: boolean;
  /** Whether every leaf revision is asked for. */
  readonly leaves: boolean;
  /** What decides which changes are sent, and with which revisions, as JSON; empty for every change. */
  readonly definition: string;
}

/** Options that one filter needs and no other can use. */
const FILTER_NEEDED_BY = {
  docIds: "_doc_ids",
  selector: "_selector",
  fields: "_selector",
  view: "_view",
} as const;

/** Parameters of the feed itself, which `query` must not override. */
const RESERVED = /* @__PURE__ */ new Set(
  /* @__PURE__ */ "feed since limit heartbeat timeout descending style filter view doc_ids include_docs conflicts attachments seq_interval last-event-id"
    .split(" "),
);

/**
 * Checks a selection.
 *
 * @throws {TypeError | RangeError} If an option is illegal or contradicts another, saying which.
 */
export function resolveSelection(options: SelectionOptions): Selection {
  const { filter, docIds, selector, fields, view, query, style, seqInterval } = options;
  requireFilter(options);
  requireBody(options);
  if (style !== undefined && style !== "main_only" && style !== "all_docs") {
    throw new TypeError(`style must be "main_only" or "all_docs", not ${show(style)}`);
  }
  if (seqInterval !== undefined) requireInteger("seqInterval", seqInterval, 1);
  const leaves = style === "all_docs";
  const parameters = withoutUndefined({
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
  const definition = withoutUndefined({ filter, docIds, selector, view, query, style: parameters["style"] });
  return {
    parameters,
    filtered: filter !== undefined,
    leaves,
    definition: Object.keys(definition).length === 0 ? "" : JSON.stringify(definition),
  };
}

function requireFilter(options: SelectionOptions): void {
  const { filter, query } = options;
  const known = filter === undefined || filter === "_design" || isFunctionName(filter);
  if (!known && !Object.values<unknown>(FILTER_NEEDED_BY).includes(filter)) {
    throw new TypeError(
      `filter must be "_doc_ids", "_selector", "_view", "_design" or "ddoc/name", not ${show(filter)}`,
    );
  }
  for (const [name, needed] of Object.entries(FILTER_NEEDED_BY)) {
    const given = options[name as keyof typeof FILTER_NEEDED_BY] !== undefined;
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
  const reserved = Object.keys(query).find((name) => RESERVED.has(name));
  if (reserved !== undefined) throw new TypeError(`query.${reserved} is a parameter of the feed itself`);
}

function isFunctionName(filter: unknown): boolean {
  return typeof filter === "string" && /^[^_/][^/]*\/[^/]+$/.test(filter);
}

function requireBody(options: SelectionOptions): void {
  for (const name of ["conflicts", "attachments", "fields"] as const) {
    if (options[name] && !options.includeDocs) throw new TypeError(`${name} needs includeDocs: true`);
  }
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
