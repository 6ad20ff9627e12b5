/** The library as its sources are, or as a copy of them with a rule taken out. */
import type * as Core from "../../src/registry/core.ts";
import type * as Errors from "../../src/changes/changes_error.ts";
import type * as Feeds from "../../src/couchdb/reader/feed.ts";
import type * as Main from "../../mod.ts";
import type * as Options from "../../src/couchdb/connection/options.ts";
import type * as Pages from "../../src/couchdb/wire/page.ts";
import type * as RowsOf from "../../src/couchdb/wire/rows.ts";

/** What a stage needs of the library. */
export interface Library {
  readonly main: typeof Main;
  readonly coreOf: typeof Core.coreOf;
  readonly openFeed: typeof Feeds.openFeed;
  readonly resolveOptions: typeof Options.resolveOptions;
  readonly toPage: typeof Pages.toPage;
  readonly Rows: typeof RowsOf.Rows;
  readonly ChangesError: typeof Errors.ChangesError;
}

/** Loads the library that is in a folder. */
export async function loadLibrary(folder: URL): Promise<Library> {
  // The type says what is there: a copy has the same modules.
  const load = async <T>(path: string): Promise<T> => await import(new URL(path, folder).href);
  const main = await load<typeof Main>("mod.ts");
  const { coreOf } = await load<typeof Core>("src/registry/core.ts");
  const { openFeed } = await load<typeof Feeds>("src/couchdb/reader/feed.ts");
  const { resolveOptions } = await load<typeof Options>("src/couchdb/connection/options.ts");
  const { toPage } = await load<typeof Pages>("src/couchdb/wire/page.ts");
  const { Rows } = await load<typeof RowsOf>("src/couchdb/wire/rows.ts");
  const { ChangesError } = await load<typeof Errors>("src/changes/changes_error.ts");
  return { main, coreOf, openFeed, resolveOptions, toPage, Rows, ChangesError };
}
