/**
 * Writes until it is killed: rows, replaces, deletes and rollbacks. Each transaction also numbers itself in `ledger`, which
 * decides what was committed.
 *
 * @module
 */
import { argv } from "node:process";
import { openSqlite } from "../../support/sqlite.ts";

const database = openSqlite(argv[2]!);
database.exec("pragma synchronous = off");
const pick = (most: number): number => Math.floor(Math.random() * most);
while (true) {
  const id = pick(20);
  const statement = [
    `insert or replace into posts (id, slug) values (${id}, 's${pick(20)}')`,
    `update or replace posts set slug = 's${pick(20)}' where id = ${id}`,
    `delete from posts where id = ${id}`,
  ][pick(3)]!;
  try {
    database.exec(`begin immediate; ${statement}; insert into ledger default values`);
    database.exec(pick(8) === 0 ? "rollback" : "commit");
  } catch {
    // The file was locked for too long.
  }
  await new Promise((resolve) => setTimeout(resolve, pick(6)));
}
