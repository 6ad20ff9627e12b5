/** What the triggers cost the writers, and a look the server, as ratios of one run. */
import { changes, migration, type Query } from "../../src/mysql/changes.ts";
import { fetchClient } from "./client.ts";
import type { Server } from "./server.ts";

const database = "cost";
const rows = 20_000;
/** Rounds, of which the median counts. */
const ROUNDS = 5;
const options = { posts: { key: ["id"], groups: ["author_id"] } };

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

/** What came of it; rates are writes a second. */
export interface Cost {
  /** Rate with triggers ÷ without: single-row updates of 8 connections, and of 1. */
  readonly many: number;
  readonly one: number;
  /** Time of an update of 20,000 rows with triggers ÷ without. */
  readonly bulk: number;
  /** ms of a quick and a whole look. */
  readonly quick: number;
  readonly whole: number;
}

/** Measures. */
export async function costRun(server: Server, seconds: number): Promise<Cost> {
  const mysql = await fetchClient();
  const address = { host: "127.0.0.1", port: server.port, user: "root" };
  const root = await mysql.createConnection(address);
  await root.query(`drop database if exists ${database}`);
  await root.query(`create database ${database}`);
  await root.end();
  const pool = mysql.createPool({ ...address, database, connectionLimit: 8 });
  await pool.query("create table posts (id int primary key, value int, author_id int) engine = InnoDB");
  await pool.query(`insert into posts select seq, 0, seq % 50 from seq_1_to_${rows}`);

  const rate = async (connections: number): Promise<number> => {
    let writes = 0;
    const began = performance.now();
    const end = began + seconds * 1_000;
    await Promise.all(Array.from({ length: connections }, async () => {
      while (performance.now() < end) {
        const id = 1 + Math.floor(Math.random() * rows);
        await pool.query("update posts set value = value + 1 where id = ?", [id]);
        writes++;
      }
    }));
    return writes / (performance.now() - began);
  };
  const bulk = async (): Promise<number> => {
    const began = performance.now();
    await pool.query("update posts set value = value + 1");
    return performance.now() - began;
  };
  const run = async (statements: readonly string[]) => {
    for (const statement of statements) await pool.query(statement);
  };
  const { up, down } = migration(options);
  const ratios: { many: number[]; one: number[]; bulk: number[] } = { many: [], one: [], bulk: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const without = { many: await rate(8), one: await rate(1), bulk: await bulk() };
    await run(up);
    ratios.many.push(await rate(8) / without.many);
    ratios.one.push(await rate(1) / without.one);
    ratios.bulk.push(await bulk() / without.bulk);
    await run(down);
  }
  await run(up);
  const times: { quick: number[]; whole: number[] } = { quick: [], whole: [] };
  const query: Query = async (text, parameters) => {
    const began = performance.now();
    const result = await pool.query(text, parameters);
    times[text.includes("stillfresh_shape") ? "whole" : "quick"].push(performance.now() - began);
    return result;
  };
  const reader = changes(query, { tables: ["posts"], poll: 5, maxLag: 100 }).batches();
  for (let n = 0; n < 200; n++) await reader.next();
  await reader.return?.();
  await pool.end();
  return {
    many: median(ratios.many),
    one: median(ratios.one),
    bulk: median(ratios.bulk),
    quick: median(times.quick),
    whole: median(times.whole),
  };
}
