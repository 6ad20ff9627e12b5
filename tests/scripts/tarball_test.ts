import fc from "../support/fast_check.ts";
import assert from "node:assert/strict";
import { test } from "node:test";
import { replaceFile, unpack } from "../../scripts/tarball.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A header of 512 bytes: name, mode, owner, group, size, time, checksum, type, magic; the rest is NUL. */
function header(name: string, size: number): Uint8Array {
  const block = new Uint8Array(512);
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  const write = (offset: number, text: string): void => block.set(bytes(text), offset);
  write(0, name);
  write(100, "0000644\0" + "0000000\0" + "0000000\0" + `${octal(size, 11)}\0` + `${octal(0, 11)}\0`);
  write(148, "        0");
  write(257, "ustar\0" + "00");
  write(148, `${octal(block.reduce((sum, byte) => sum + byte, 0), 6)}\0 `);
  return block;
}

function tarball(files: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const blocks = [...files].flatMap(([name, content]) => [
    ...header(name, content.length),
    ...content,
    ...new Uint8Array((512 - content.length % 512) % 512),
  ]);
  return new Uint8Array([...blocks, ...new Uint8Array(1024)]);
}

const contents = fc.uint8Array({ maxLength: 1100 });
const archives = fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,9}$/), contents), {
  minLength: 1,
  maxLength: 4,
  selector: ([name]) => name,
}).map((files) => new Map(files.map(([name, content]) => [`package/${name}`, content])));

test("unpack: gives the files that were packed", () => {
  fc.assert(fc.property(archives, (files) => {
    assert.deepEqual(unpack(tarball(files)), files);
  }));
});

test("replaceFile: gives the tarball that would have been made with the other content", () => {
  fc.assert(fc.property(archives, fc.nat(), contents, (files, which, content) => {
    const name = [...files.keys()][which % files.size]!;
    assert.deepEqual(
      replaceFile(tarball(files), name, content),
      tarball(new Map([...files, [name, content] as const])),
    );
  }));
});

test("replaceFile: throws for a file that is not there", () => {
  const tar = tarball(new Map([["package/a", bytes("1")]]));
  assert.throws(() => replaceFile(tar, "package/b", bytes("2")), /the tarball has no package\/b/);
});
