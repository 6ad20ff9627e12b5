/**
 * Random inputs, millions of them a minute: a small generator with a seed, and strings made of the pieces that a
 * grammar is made of, and of what it is not.
 *
 * @module
 */

/** A pseudo-random generator (mulberry32): the same seed, the same inputs, on every runtime. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  pick<T>(values: readonly T[]): T {
    return values[this.below(values.length)]!;
  }
}

/** A seed to print, for a run that was given none. */
export function anySeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** One octet of a field value, as `Headers` would let it through. */
function octet(random: Random): string {
  const code = random.below(0xe0) + 0x20;
  return code === 0x7f ? "\t" : String.fromCharCode(code);
}

/** Pieces strung together, with a raw octet now and then. */
export function strung(random: Random, pieces: readonly string[], most: number): string {
  let text = "";
  for (let left = random.below(most + 1); left > 0; left--) {
    text += random.oneIn(12) ? octet(random) : random.pick(pieces);
  }
  return text;
}

const TAG_PIECES = [
  '"',
  '"',
  ",",
  ", ",
  " ",
  "\t",
  "W/",
  "w/",
  "*",
  '"a"',
  '"b"',
  'W/"a"',
  '""',
  '"a,b"',
  '"a b"',
  "a",
  "\\",
  "\xe9",
  "\xa0",
];

/** The value of `If-Match` or `If-None-Match`, more or less. */
export function tagField(
  random: Random,
  tags: readonly string[] = ['"a"', 'W/"a"', '"b"', '""', '"a,b"'],
): string {
  if (random.oneIn(3)) return strung(random, TAG_PIECES, 8);
  if (random.oneIn(6)) return random.pick(["*", " * ", "*, *", "**"]);
  let list = random.pick(tags);
  while (random.oneIn(2)) list += random.pick([",", ", ", " ,\t", ",,", " "]) + random.pick(tags);
  return list;
}

const DATE_PIECES = [
  "Sun",
  "Sunday",
  ", ",
  ",",
  " ",
  "  ",
  "06",
  "6",
  "31",
  "29",
  "Nov",
  "Feb",
  "-",
  "94",
  "1994",
  "0094",
  "08",
  ":49",
  ":60",
  ":37",
  "24:00:00",
  " GMT",
  " UTC",
  "GMT",
] as const;

/** An HTTP-date of any of the three forms, around a moment given in seconds; sometimes broken. */
export function dateField(random: Random, around: number): string {
  if (random.oneIn(8)) return strung(random, DATE_PIECES, 12);
  const seconds = around + random.pick([-86400, -2, -1, 0, 0, 0, 0, 1, 2, 59, 86400, 2 ** 31]);
  const text = dateText(seconds, random.below(3));
  if (!random.oneIn(5)) return text;
  const at = random.below(text.length);
  return text.slice(0, at) + random.pick(["", "0", "9", " ", "-", "é", ":60"]) +
    text.slice(at + random.below(3));
}

const LONG_DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;

/** A date as an IMF-fixdate (0), an rfc850-date (1) or an asctime-date (2). */
export function dateText(seconds: number, form: number): string {
  const date = new Date(seconds * 1000);
  const fixdate = date.toUTCString();
  const [, day = "", month = "", year = "", time = ""] = fixdate.split(" ");
  if (form === 1) return `${LONG_DAYS[date.getUTCDay()]}, ${day}-${month}-${year.slice(-2)} ${time} GMT`;
  return form === 2 ? `${fixdate.slice(0, 3)} ${month} ${day.replace(/^0/, " ")} ${time} ${year}` : fixdate;
}

const LIST_PIECES = [
  '"',
  '"a"',
  '"b%20c"',
  '"%zz"',
  '"%ff"',
  '"_local/x"',
  '""',
  '"\\""',
  '"\\\\"',
  "\\",
  ",",
  ", ",
  "\t",
  " ",
  ";",
  "; ",
  "rev",
  ';rev="1-a"',
  ';rev="1 a"',
  ";rev=1",
  ";rev",
  ";a=?1",
  ";a=@12",
  ";a=1.5",
  ";a=1.",
  ";a=:YQ==:",
  ';a=%"%c3%a9"',
  ';a=%"%ff"',
  "=",
  "*",
  "x",
  "1",
  "A=",
] as const;

/** The value of `Cache-Groups`, more or less. */
export function stringListField(random: Random): string {
  return strung(random, random.oneIn(2) ? LIST_PIECES : LIST_PIECES.slice(1, 4), 7);
}

const DIRECTIVE_PIECES = [
  "public",
  "Private",
  "no-store",
  "no-cache",
  "max-age",
  "=",
  "0",
  ",",
  ", ",
  '"',
  '="x, public"',
  "\\",
  '\\"',
  " ",
  "\t",
  "\xa0",
] as const;

/** The value of `Cache-Control`, more or less. */
export function directiveField(random: Random): string {
  return strung(random, DIRECTIVE_PIECES, 8);
}

const VARY_PIECES = ["Accept", "accept", "Origin", "*", ",", ", ", " ", "\t", "x-a", "\xa0", "É"] as const;

/** The value of `Vary`, more or less. */
export function varyField(random: Random): string {
  return strung(random, VARY_PIECES, 6);
}
