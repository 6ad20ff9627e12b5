/** HTML whose interpolated text is escaped, unless it is HTML already. */

/** A piece of markup. */
export class Html {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

/** Template tag: texts are escaped, pieces of markup and lists of them go in as they are. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | number | Html | Html[])[]
): Html {
  return new Html(strings.map((text, index) => text + rendered(values[index] ?? "")).join(""));
}

function rendered(value: string | number | Html | Html[]): string {
  if (value instanceof Html) return value.toString();
  return Array.isArray(value) ? value.join("") : escaped(String(value));
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
