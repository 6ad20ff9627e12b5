/**
 * Writes until it is killed: rows, replaces, deletes, savepoints and rollbacks. Each value is written once.
 *
 * @module
 */
import process, { argv } from "node:process";
import { openSqlite } from "../../support/sqlite.ts";
import { AUTHORS, POSTS } from "./schema.ts";

const database = openSqlite(argv[2]!);
database.exec("pragma synchronous = off");
const pick = (most: number): number => Math.floor(Math.random() * most);
let written = 0;
const value = (): string => `'${process.pid}-${Date.now()}-${++written}'`;

function statement(): string {
  const [id, author, slug] = [pick(POSTS), pick(AUTHORS), `'s${pick(2 * POSTS)}'`];
  // Most rows are there most of the time.
  if (pick(2) === 0) {
    return `insert into posts values (${id}, ${author}, 'own${id}', ${value()}) on conflict do update set value = ${value()}`;
  }
  return [
    `insert or replace into posts values (${id}, ${author}, ${slug}, ${value()})`,
    `update or replace posts set slug = ${slug}, value = ${value()} where id = ${id}`,
    `update posts set author_id = ${author} where id = ${id}`,
    `update or replace posts set id = ${pick(POSTS)} where id = ${id}`,
    `delete from posts where id = ${id}`,
    `savepoint a; delete from posts where author_id = ${author}; rollback to a; release a`,
  ][pick(6)]!;
}

while (true) {
  try {
    database.exec("begin immediate");
    for (let n = pick(3); n >= 0; n--) database.exec(statement());
    database.exec(pick(8) === 0 ? "rollback" : "commit");
  } catch {
    // The file was locked for too long, or a statement refused.
    try {
      database.exec("rollback");
    } catch {
      // Nothing was begun.
    }
  }
  await new Promise((resolve) => setTimeout(resolve, 5 + pick(25)));
}
