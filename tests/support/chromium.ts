/**
 * A headless Chromium, spoken to over its DevTools protocol: what a page of a test shows, and what it sends.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Where Debian's package `chromium` and others put it; undefined: it is not installed. */
export const chromiumProgram: string | undefined = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => existsSync(path));

/** A browser that runs, with cookies and a cache of its own. */
export interface Chromium {
  /** Opens an empty tab. */
  tab(): Promise<Tab>;
  close(): Promise<void>;
}

/** An answer as it came over the network, also a 304 that the page sees as a 200. */
export interface Exchanged {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** By lower-case name. */
  readonly sent: Readonly<Record<string, string>>;
  readonly received: Readonly<Record<string, string>>;
}

/** One page. */
export interface Tab {
  /**
   * What went over the network since the tab was opened that is like this, once it is so many: the browser may tell of
   * an answer after the page has it. Fewer after five seconds, which the caller's assertion shows.
   */
  exchanged(like: Partial<Pick<Exchanged, "method" | "url" | "status">>, count: number): Promise<Exchanged[]>;
  /** What the console shows of warnings and errors, those of the browser included; as text. */
  readonly complaints: readonly string[];
  /** How large the window is, in CSS pixels, and whether it prefers dark colours. */
  resize(view: View): Promise<void>;
  /** Goes to an address, and waits until it has loaded. */
  open(url: string): Promise<void>;
  /** Reloads the page, past the browser's cache or not, and waits until it has loaded. */
  reload(pastCache: boolean): Promise<void>;
  /** Runs an expression that leads to another page, and waits until that has loaded. */
  follow(expression: string): Promise<void>;
  /** The value of an expression in the page, awaited. */
  evaluate<Value>(expression: string): Promise<Value>;
  /** What the window shows, as a PNG, or as a WebP of a quality from 0 to 100. */
  screenshot(quality?: number): Promise<Uint8Array>;
}

/** A window. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly dark?: boolean;
}

/** Milliseconds in which a start, a page or an expression has to be done. */
const PATIENCE = 30_000;

/** Starts one; it ends with `close`. */
export async function startChromium(): Promise<Chromium> {
  const folder = mkdtempSync(join(tmpdir(), "chromium-"));
  const flags = [
    "--headless=new",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    // Chromium refuses to be started by root otherwise. The pages are the test's own.
    "--no-sandbox",
    "--remote-debugging-port=0",
    `--user-data-dir=${folder}`,
    "about:blank",
  ];
  const child = spawn(chromiumProgram!, flags, { stdio: ["ignore", "ignore", "pipe"] });
  // Its exit, and not its "close": helper processes of a browser that was killed may hold the pipe for ever.
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  try {
    const protocol = await Protocol.open(await addressOf(child));
    return {
      tab: () => openTab(protocol),
      async close() {
        await protocol.send("Browser.close");
        await ended;
        child.stderr?.destroy();
        remove();
      },
    };
  } catch (error) {
    child.kill("SIGKILL");
    await ended;
    child.stderr?.destroy();
    remove();
    throw error;
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  let said = "";
  const found = new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => reject(new Error(`Chromium ended: ${said}`)));
    child.stderr?.on("data", (chunk) => {
      said += chunk;
      const address = /DevTools listening on (\S+)/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
  });
  return within(found, "Chromium to start");
}

type Parameters = Readonly<Record<string, unknown>>;
// deno-lint-ignore no-explicit-any
type Result = any;
type Listener = (parameters: Result) => void;

/** Commands and events of the DevTools protocol, over one socket for the browser and all its tabs. */
class Protocol {
  readonly #socket: WebSocket;
  readonly #open: Map<number, { resolve(result: Result): void; reject(error: Error): void }> = new Map();
  readonly #listeners: Map<string, Listener> = new Map();
  #commands = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
  }

  static async open(address: string): Promise<Protocol> {
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error(`Chromium does not answer at ${address}`));
    });
    return new Protocol(socket);
  }

  send(method: string, parameters: Parameters = {}, sessionId?: string): Promise<Result> {
    const id = ++this.#commands;
    const answered = new Promise((resolve, reject) => this.#open.set(id, { resolve, reject }));
    this.#socket.send(JSON.stringify({ id, method, params: parameters, sessionId }));
    return within(answered, method);
  }

  /** Calls the listener, the only one, for each event of that name in a tab. */
  on(method: string, sessionId: string, listener: Listener): void {
    this.#listeners.set(`${sessionId} ${method}`, listener);
  }

  #receive({ id, method, params, sessionId, result, error }: Result): void {
    if (id === undefined) return this.#listeners.get(`${sessionId} ${method}`)?.(params);
    const command = this.#open.get(id);
    this.#open.delete(id);
    if (error === undefined) command?.resolve(result);
    else command?.reject(new Error(error.message));
  }
}

async function openTab(protocol: Protocol): Promise<Tab> {
  const { targetId } = await protocol.send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await protocol.send("Target.attachToTarget", { targetId, flatten: true });
  const send = (method: string, parameters?: Parameters) => protocol.send(method, parameters, sessionId);
  let loaded = () => {};
  protocol.on("Page.loadEventFired", sessionId, () => loaded());
  const exchanges = recordExchanges(protocol, sessionId);
  const complaints = recordComplaints(protocol, sessionId);
  await send("Runtime.enable");
  await send("Log.enable");
  await send("Page.enable");
  await send("Network.enable");

  async function evaluate<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails === undefined) return result.value;
    throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
  }
  async function afterLoading(start: () => Promise<unknown>, what: string): Promise<void> {
    const loading = new Promise<void>((resolve) => loaded = resolve);
    await start();
    await within(loading, what);
  }
  async function exchanged(like: Partial<Exchanged>, count: number): Promise<Exchanged[]> {
    const wanted = Object.entries(like) as [keyof Exchanged, unknown][];
    const found = () =>
      exchanges.filter((exchange) => wanted.every(([part, value]) => exchange[part] === value));
    for (let left = 500; found().length < count && left > 0; left--) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return found();
  }
  return {
    exchanged,
    complaints,
    evaluate,
    async resize({ width, height, dark = false }) {
      const size = { width, height, deviceScaleFactor: 1, mobile: false };
      await send("Emulation.setDeviceMetricsOverride", size);
      const scheme = { name: "prefers-color-scheme", value: dark ? "dark" : "light" };
      await send("Emulation.setEmulatedMedia", { features: [scheme] });
    },
    open: (url) =>
      afterLoading(async () => {
        const { errorText } = await send("Page.navigate", { url });
        if (errorText !== undefined) throw new Error(`${url}: ${errorText}`);
      }, url),
    reload: (pastCache) => afterLoading(() => send("Page.reload", { ignoreCache: pastCache }), "a reload"),
    follow: (expression) => afterLoading(() => evaluate(expression), expression),
    async screenshot(quality) {
      const options = quality === undefined ? { format: "png" } : { format: "webp", quality };
      const { data } = await send("Page.captureScreenshot", options);
      return Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    },
  };
}

/** Exceptions that nothing catches, `console.error` and `console.warn`, and what the browser itself objects to. */
function recordComplaints(protocol: Protocol, sessionId: string): string[] {
  const complaints: string[] = [];
  protocol.on("Runtime.exceptionThrown", sessionId, ({ exceptionDetails: { exception, text } }) => {
    complaints.push(exception?.description ?? text);
  });
  protocol.on("Runtime.consoleAPICalled", sessionId, ({ type, args }) => {
    if (type !== "error" && type !== "warning") return;
    complaints.push(args.map(({ value, description }: Result) => value ?? description).join(" "));
  });
  protocol.on("Log.entryAdded", sessionId, ({ entry: { level, text, url } }) => {
    if (level === "error" || level === "warning") complaints.push(`${text} ${url ?? ""}`.trim());
  });
  return complaints;
}

/** What the events of one exchange have said so far. */
type Parts = {
  method?: string;
  url?: string;
  status?: number;
  sent?: Record<string, string>;
  received?: Record<string, string>;
};

/**
 * Joins the three events of an exchange, which come in any order: two of them are of another process of the browser.
 * A redirect has the id of the request that follows it; the events of one kind are in order.
 */
function recordExchanges(protocol: Protocol, sessionId: string): Exchanged[] {
  const exchanges: Exchanged[] = [];
  const open = new Map<string, Parts[]>();
  function join(requestId: string, part: keyof Parts, said: Parts): void {
    const hops = open.get(requestId) ?? [];
    open.set(requestId, hops);
    let hop = hops.find((hop) => hop[part] === undefined);
    if (hop === undefined) hops.push(hop = {});
    Object.assign(hop, said);
    const { method, url, status, sent, received } = hop;
    if (method === undefined || url === undefined || sent === undefined) return;
    if (status !== undefined && received !== undefined) {
      exchanges.push({ method, url, status, sent, received });
    }
  }
  protocol.on("Network.requestWillBeSent", sessionId, ({ requestId, request: { method, url } }) => {
    join(requestId, "url", { method, url });
  });
  protocol.on("Network.requestWillBeSentExtraInfo", sessionId, ({ requestId, headers }) => {
    join(requestId, "sent", { sent: lowerCase(headers) });
  });
  protocol.on("Network.responseReceivedExtraInfo", sessionId, ({ requestId, statusCode, headers }) => {
    join(requestId, "status", { status: statusCode, received: lowerCase(headers) });
  });
  return exchanges;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

async function within<Value>(promise: Promise<Value>, what: string): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${PATIENCE} ms for ${what}`)), PATIENCE);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
