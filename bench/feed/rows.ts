/** Rows as CouchDB 3 writes them, without CouchDB. */

/** Rows of every measurement. */
export const TOTAL = 400_000;

/** Rows that are made; they come again and again until it is enough. */
const MADE = 40_000;

const PACKED =
  "g1AAAAB5eJzLYWBgYMpgTmEQTM4vTc5ISXIwNDLXMwBCwxyQVCJDUv3___-zMpgTmXKBAuzGyUlmlskW2DTgMSaPBUgyNACp_yDT";

function row(n: number): string {
  const hex = Math.imul(n, 0x9e3779b1) >>> 0;
  const digits = hex.toString(16).padStart(8, "0");
  const deleted = n % 50 === 0 ? ',"deleted":true' : "";
  const rev = `${1 + n % 12}-dcaf7822f26d21ce1d1a2c54${digits}`;
  return `{"seq":"${n}-${PACKED}EhmyAFrd${digits}","id":"post-${digits}","changes":[{"rev":"${rev}"}]${deleted}}\n`;
}

/** The bytes of {@linkcode TOTAL} rows, in pieces of `size` bytes. */
export function pieces(size: number): Uint8Array<ArrayBuffer>[] {
  const made = new TextEncoder().encode(Array.from({ length: MADE }, (_, n) => row(n + 1)).join(""));
  const cut: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < made.length; start += size) cut.push(made.subarray(start, start + size));
  return Array.from({ length: TOTAL / MADE }, () => cut).flat();
}

/** What a database says of itself that has nothing but a continuous feed to offer. */
export const INFORMATION: string = JSON.stringify({
  db_name: "db",
  update_seq: "1-x",
  purge_seq: "0-x",
  instance_start_time: "1700000000",
  cluster: { q: 1, n: 1 },
});

/** A page without rows. */
export const EMPTY_PAGE = `{"results":[\n],\n"last_seq":"1-x","pending":0}\n`;
