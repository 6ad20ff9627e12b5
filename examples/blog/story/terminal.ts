/** The story in the terminal: a line for each request and each change. */
import { answerOf, changeInWords, clockTime } from "./sentences.ts";
import type { BroughtChange, Exchange, Story } from "./story.ts";

/** Lines in one second: what is more is counted, and told in one line. */
const mostLines = 20;

/** What `tellTerminal` can be told. */
export interface TerminalOptions {
  /** Whether the terminal shows colours; default false. */
  readonly colours?: boolean;
}

/** Tells the story line by line, until the returned function is called. */
export function tellTerminal(
  story: Story,
  write: (line: string) => void,
  { colours = false }: TerminalOptions = {},
): () => void {
  const paint = (code: number, text: string) => colours ? `\x1b[${code}m${text}\x1b[0m` : text;
  let second = 0;
  let lines = 0;
  /** How many of each kind were not told one by one. */
  let counted: Record<string, number> = {};
  let timer: ReturnType<typeof setTimeout> | undefined;

  function tellRest(): void {
    timer = undefined;
    const kinds = Object.entries(counted).map(([kind, count]) =>
      `${count.toLocaleString("en-GB")} × ${kind}`
    );
    counted = {};
    write(paint(2, `          and ${kinds.join(", ")} in the same second`));
  }

  /** Whether there is a line left in this second; the others are counted. */
  function hasLine(now: number, kind: string): boolean {
    const current = Math.floor(now / 1_000);
    if (current !== second) [second, lines] = [current, 0];
    if (lines < mostLines && timer === undefined) return ++lines > 0;
    counted[kind] = (counted[kind] ?? 0) + 1;
    timer ??= setTimeout(tellRest, 1_000 - now % 1_000);
    return false;
  }

  function tellExchange(exchange: Exchange): void {
    if (!hasLine(exchange.time, String(exchange.status))) return;
    const { status, how, why } = answerOf(exchange);
    const time = paint(2, clockTime(new Date(exchange.time)));
    const ran = exchange.run !== undefined || exchange.deed !== undefined;
    const asked = `${exchange.method} ${exchange.path}`;
    write(`${time}  ${asked}  ${paint(ran ? 33 : 32, status)} ${how}${why === "" ? "" : ` ${why}`}`);
  }

  function tellChange(change: BroughtChange): void {
    if (!hasLine(Number(change.time), "change")) return;
    const { what, state } = changeInWords(change);
    const time = paint(2, clockTime(change.time));
    write(`${time}  ${paint(35, "changes feed")}  ${what}, ${state}: what was built from it is void.`);
  }

  const stop = story.listen({ onExchange: tellExchange, onChange: tellChange });
  return () => {
    stop();
    if (timer === undefined) return;
    clearTimeout(timer);
    tellRest();
  };
}
