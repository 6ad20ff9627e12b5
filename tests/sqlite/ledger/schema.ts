/** What the processes of the ledger write. @module */

/** How many rows there may be. */
export const POSTS = 120;

/** How many values the column of the lists has. */
export const AUTHORS = 12;

/** The table. */
export const SCHEMA =
  "create table posts (id integer primary key, author_id integer, slug text unique, value text not null)";
