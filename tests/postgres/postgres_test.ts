/**
 * The feed over a PostgreSQL in this process (PGlite): one for all of these tests, because to start it costs more than they
 * do.
 */
import { after } from "node:test";
import { database } from "./database.ts";
import "./statements.ts";
import "./keys.ts";
import "./feed.ts";

after(() => database.close());
