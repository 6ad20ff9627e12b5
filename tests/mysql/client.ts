/**
 * `mysql2`, as far as it is used here. It is no dependency of the tests: its types bring those of Node, which replace what
 * Deno has. Deno fetches it when `deno task mysql` runs.
 */

/** A row. */
export type Row = Readonly<Record<string, string | number | null>>;

/** What runs statements. */
export interface Queries {
  query(text: string, values?: readonly unknown[]): Promise<[rows: Row[], fields: unknown]>;
  end(): Promise<void>;
}

/** A connection, of a pool or alone. */
export interface Connection extends Queries {
  release(): void;
  destroy(): void;
}

/** A pool. */
export interface Pool extends Queries {
  getConnection(): Promise<Connection>;
  on(event: "connection", listener: (connection: PlainConnection) => void): void;
}

/** A connection as the pool tells of it. */
export interface PlainConnection {
  on(event: "error", listener: () => void): void;
  query(text: string, done: () => void): void;
}

/** Where the server is. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database?: string;
  readonly connectionLimit?: number;
  readonly supportBigNumbers?: boolean;
}

/** The client. */
export interface Client {
  createConnection(address: Address): Promise<Connection>;
  createPool(address: Address): Pool;
  escapeId(name: string, isOneName: true): string;
}

// Not written where the compiler would look for it.
const name = "npm:mysql2@^3/promise";

/** Fetches the client. */
export async function fetchClient(): Promise<Client> {
  return (await import(name)).default;
}
