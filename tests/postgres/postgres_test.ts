/**
 * The feed over a PostgreSQL in this process (PGlite): one for all of these tests, because to start it costs more than they
 * do.
 */
import { after, test } from "node:test";
import { database } from "./database.ts";
import { declared } from "./declared.ts";
import "./statements.ts";
import "./keys.ts";
import "./feed.ts";

for (const [name, options, body] of declared) test(name, options, body);

after(() => database.close());
