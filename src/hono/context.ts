/**
 * What is used of Hono's `Context`, so that nothing is imported from there.
 *
 * @module
 */

/** What is used of Hono's `HonoRequest`, and what the options of the middleware are likely to ask it. */
export interface HonoContextRequest {
  /** The request that the server gave. */
  raw: Request;
  /** The path of the URL. */
  readonly path: string;
  /** A field of the request; undefined: there is none. */
  header(name: string): string | undefined;
  /** A parameter of the path; undefined: there is none. */
  param(name: string): string | undefined;
  /** A parameter of the query; undefined: there is none. */
  query(name: string): string | undefined;
}

/**
 * What is used of Hono's `Context`, and what the options of the middleware are likely to ask it. Hono's own fits, of any
 * `Env`.
 */
export interface HonoContext {
  /** Hono's request. */
  readonly req: HonoContextRequest;
  // deno-lint-ignore no-explicit-any
  /** What the server gave beside the request. */ readonly env: any;
  // deno-lint-ignore no-explicit-any
  /** The variables that middlewares have set. */ readonly var: any;
  /** Whether `res` has been set. */
  finalized: boolean;
  /** The response so far. To set it merges the fields of the one before, unless that was taken away with `undefined`. */
  res: Response | undefined;
  // deno-lint-ignore no-explicit-any
  /** One of the variables. */ get(name: string): any;
  /** A response with the fields that have been set so far. */
  body(data: null): Response;
}
