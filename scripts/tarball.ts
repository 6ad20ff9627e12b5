/**
 * The tar format, as far as a tarball of npm needs it: regular files with short names (POSIX ustar).
 *
 * @module
 */

/** Headers and contents are padded to whole blocks. */
const BLOCK = 512;

/** Where a file stands in a tarball. */
interface Entry {
  readonly name: string;
  /** Of its header, in bytes from the beginning. */
  readonly offset: number;
  /** Of its content, in bytes. */
  readonly size: number;
}

/** The files of an uncompressed tarball, with their contents. */
export function unpack(tar: Uint8Array): Map<string, Uint8Array> {
  return new Map(
    entries(tar).map(({ name, offset, size }) =>
      [name, tar.subarray(offset + BLOCK, offset + BLOCK + size)] as const
    ),
  );
}

/** The same tarball, with another content for one file; its place, mode and time stay. */
export function replaceFile(tar: Uint8Array, name: string, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const entry = entries(tar).find((entry) => entry.name === name);
  if (entry === undefined) throw new Error(`the tarball has no ${name}`);
  const { offset, size } = entry;
  const header = tar.slice(offset, offset + BLOCK);
  writeOctal(header, 124, 11, content.length);
  header.fill(0x20, 148, 156);
  writeOctal(header, 148, 6, header.reduce((sum, byte) => sum + byte, 0));
  header[154] = 0;
  const body = new Uint8Array(padded(content.length));
  body.set(content);
  return concatenate([tar.subarray(0, offset), header, body, tar.subarray(offset + BLOCK + padded(size))]);
}

function entries(tar: Uint8Array): Entry[] {
  const found: Entry[] = [];
  // A block of zeroes ends it.
  for (let offset = 0; tar[offset]! > 0;) {
    const name = text(tar, offset, 100);
    const prefix = text(tar, offset + 345, 155);
    const size = parseInt(text(tar, offset + 124, 12), 8);
    found.push({ name: prefix === "" ? name : `${prefix}/${name}`, offset, size });
    offset += BLOCK + padded(size);
  }
  return found;
}

/** A field of the header, up to its first NUL. */
function text(tar: Uint8Array, offset: number, length: number): string {
  return new TextDecoder().decode(tar.subarray(offset, offset + length)).replace(/\0.*$/s, "");
}

function writeOctal(header: Uint8Array, offset: number, digits: number, value: number): void {
  header.set(new TextEncoder().encode(value.toString(8).padStart(digits, "0")), offset);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
