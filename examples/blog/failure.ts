/** What can keep the demo from starting, each as one line without a password. */

/** The program cannot start; the message says why, for the person who started it. */
export class Refusal extends Error {}

const patience = 10_000;

/** Waits for any answer at all. */
export async function reach(database: URL): Promise<void> {
  try {
    const response = await fetch(database.origin, { signal: AbortSignal.timeout(patience) });
    await response.body?.cancel();
  } catch {
    throw new Refusal(`no database answers at ${database.origin}`);
  }
}

/** The refusal for an error of the database client; an error without an answer of the database is returned as it is. */
export function refusedByDatabase(database: URL, error: unknown): unknown {
  const { statusCode, status = statusCode, reason } = error as {
    statusCode?: number;
    status?: number;
    reason?: unknown;
  };
  if (status === undefined) return error;
  return new Refusal(
    status === 401 || status === 403
      ? `the database at ${database.origin} refuses these credentials (${status})`
      : `the database at ${database.origin} answers ${status}${
        typeof reason === "string" ? `: ${reason.replaceAll(/\s+/g, " ")}` : ""
      }`,
  );
}

/** The refusal for an error of a relational database, in the client's own words, which hold no password. */
export function refusedByTables(place: string, error: unknown): unknown {
  const { code, message, cause } = error as {
    code?: unknown;
    message?: string;
    cause?: { message?: string };
  };
  if (code === "ECONNREFUSED" || code === "ENOTFOUND") return new Refusal(`nothing answers at ${place}`);
  const words = [message, cause?.message].filter((text) => text).join(": ").replaceAll(/\s+/g, " ");
  return new Refusal(`${place} cannot be used: ${words}`);
}

/** The refusal for an error of the server. */
export function refusedByAddress(hostname: string, port: number, error: unknown): unknown {
  const { code, name } = error as { code?: string; name?: string };
  if (code === "EADDRINUSE" || name === "AddrInUse") {
    return new Refusal(
      `port ${port} is taken: choose another with PORT=${port === 65_535 ? 8000 : port + 1}`,
    );
  }
  return new Refusal(`cannot listen on ${hostname}:${port}`);
}
