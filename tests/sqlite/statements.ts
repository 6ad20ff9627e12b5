/** A schema, and statements of each kind with what a feed has to report of them. @module */

import type { TableOptions } from "../../src/sqlite/changes.ts";

/** What is followed. */
export const TABLES: Readonly<Record<string, TableOptions>> = {
  posts: { key: ["id"], groups: ["author_id"] },
  odd: { key: ["name"], groups: ["kind"] },
};

/** The tables, with two rows. */
export const SCHEMA = `create table authors (id integer primary key);
create table posts (id integer primary key, author_id integer references authors on delete cascade, slug text unique,
  title text, day integer, hidden integer default 0);
create unique index titles on posts (lower(title) desc);
create unique index days on posts (day) where hidden = 0;
create unique index pairs on posts (author_id, "title" collate nocase) where hidden = 2;
create table odd (name, kind);
insert into authors values (5), (6);
insert into posts values (7, 5, 'seven', 'Seven', 7, 0), (8, 6, 'eight', 'Eight', 8, 0);`;

/** Ids of rows of `posts`, and values of `author_id`: what is reported, with the table itself. */
function posts(ids: readonly number[], authors: readonly (number | null)[]): string[] {
  return [
    "posts",
    ...ids.map((id) => `posts/${id}`),
    ...authors.map((author) => `posts?author_id${author === null ? "" : `=${author}`}`),
  ];
}

/** Each with what is reported, in any order. */
export const statements: readonly (readonly [name: string, text: string, ids: readonly string[]])[] = [
  ["insert", "insert into posts (id, author_id) values (9, 5)", posts([9], [5])],
  [
    "insert of several rows",
    "insert into posts (id, author_id) values (9, 5), (10, 6)",
    posts([9, 10], [5, 6]),
  ],
  ["update", "update posts set title = 'X' where id = 7", posts([7], [5])],
  ["update of a group", "update posts set author_id = 6 where id = 7", posts([7], [5, 6])],
  ["update of a group to null", "update posts set author_id = null where id = 7", posts([7], [5, null])],
  ["update of a key", "update posts set id = 70 where id = 7", posts([7, 70], [5])],
  [
    "update from another table",
    "update posts set day = a.id from authors a where a.id = posts.author_id",
    posts([7, 8], [5, 6]),
  ],
  ["delete", "delete from posts where id = 7", posts([7], [5])],
  ["truncating delete", "delete from posts", posts([7, 8], [5, 6])],
  ["cascade", "pragma foreign_keys = on; delete from authors where id = 5", posts([7], [5])],
  [
    "upsert",
    "insert into posts (id, author_id) values (7, 5) on conflict do update set title = 'X'",
    posts([7], [5]),
  ],
  ["rollback", "begin; delete from posts; rollback", []],
  ["savepoint that is rolled back", "savepoint a; delete from posts; rollback to a; release a", []],
  ["savepoint that is released", "savepoint a; delete from posts where id = 8; release a", posts([8], [6])],
  ["key with separators", "insert into odd values ('50%/a', '5/%')", [
    "odd",
    "odd/50%25%2Fa",
    "odd?kind=5%2F%25",
  ]],
  ["replace by the key", "insert or replace into posts (id, author_id) values (7, 6)", posts([7], [5, 6])],
  [
    "replace by a unique column",
    "replace into posts (id, author_id, slug) values (9, 6, 'seven')",
    posts([7, 9], [5, 6]),
  ],
  [
    "replace by an expression",
    "replace into posts (id, author_id, title) values (9, 6, 'SEVEN')",
    posts([7, 9], [5, 6]),
  ],
  [
    "replace by a partial index",
    "replace into posts (id, author_id, day) values (9, 6, 7)",
    posts([7, 9], [5, 6]),
  ],
  [
    "replace by an index with an expression, a collation and a condition",
    "update posts set hidden = 2; replace into posts (id, author_id, title, hidden, day) values (9, 5, 'sEvEn', 2, 1)",
    posts([7, 8, 9], [5, 6]),
  ],
  ["update or replace", "update or replace posts set slug = 'seven' where id = 8", posts([7, 8], [5, 6])],
];
