/**
 * `deno task couchdb`: waits for the CouchDB at `COUCHDB_URL`, and makes what a new one lacks and the tests need: the
 * databases `_users`, `_replicator` and `_global_changes` (without which `_db_updates` says nothing).
 *
 * @module
 */

const systemDatabases: readonly string[] = ["_users", "_replicator", "_global_changes"];

/** How one goes about a server; the defaults are for use, others for tests. */
export interface PrepareOptions {
  /** Seconds until waiting is given up; default: 60. */
  readonly limit?: number;
  /** Waits that many milliseconds. */
  readonly sleep?: (ms: number) => Promise<void>;
}

/**
 * Waits for a CouchDB, and makes its databases of the system.
 *
 * @param address Its URL, with name and password.
 * @returns Its version, and the names of what was made.
 */
export async function prepare(
  address: string,
  { limit = 60, sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }: PrepareOptions = {},
): Promise<{ readonly version: string; readonly made: readonly string[] }> {
  const url = new URL(address);
  const credentials = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers = { authorization: `Basic ${btoa(credentials)}` };
  url.username = url.password = "";
  const ask = async (path: string, method = "GET"): Promise<{ status: number; text: string }> => {
    const response = await fetch(new URL(path, url), { method, headers });
    return { status: response.status, text: await response.text() };
  };
  let version: string | undefined;
  for (let waited = 0; version === undefined; waited++) {
    try {
      const { status, text } = await ask("/");
      if (status === 200) version = (JSON.parse(text) as { version: string }).version;
      else if (status < 500) {
        throw new RangeError(`the server at COUCHDB_URL answers ${status}: ${text.trim()}`);
      }
    } catch (error) {
      if (error instanceof RangeError || waited >= limit) throw error;
    }
    if (version !== undefined) break;
    if (waited >= limit) throw new Error(`the server at COUCHDB_URL was not ready within ${limit} s`);
    await sleep(1000);
  }
  const made: string[] = [];
  for (const name of systemDatabases) {
    const { status, text } = await ask(`/${name}`, "PUT");
    if (status === 201 || status === 202) made.push(name);
    else if (status !== 412) throw new RangeError(`PUT /${name} was answered ${status}: ${text.trim()}`);
  }
  return { version, made };
}

if (import.meta.main) {
  const address = Deno.env.get("COUCHDB_URL");
  if (address === undefined) {
    console.log("set COUCHDB_URL to http://admin:password@host:5984");
    Deno.exit(1);
  }
  const { version, made } = await prepare(address);
  console.log(`CouchDB ${version} is ready; made: ${made.join(", ") || "nothing, all were there"}`);
}
