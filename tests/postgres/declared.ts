/**
 * Tests that one file declares and another one runs. A runtime counts a test for the file that calls `test`, or for the file
 * that it was told to run: here both are the same.
 */

/** What a test may be given beside its name and its body. */
interface Options {
  readonly skip?: string | boolean;
  readonly timeout?: number;
}

type Body = () => void | Promise<void>;

/** In the order of their declaration. */
export const declared: (readonly [name: string, options: Options, body: Body])[] = [];

/** Declares a test. */
export function test(name: string, ...more: readonly [Body] | readonly [Options, Body]): void {
  const [options, body] = more.length === 1 ? [{}, more[0]] : more;
  declared.push([name, options, body]);
}
