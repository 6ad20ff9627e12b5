/**
 * The groups of a response in the fields that caches in front understand, so that they can drop the same pages.
 *
 * @module
 */
import { encodeGroup } from "./cache_groups.ts";
import { groupOf, type Source } from "./dependency.ts";

/** A field that carries the groups on, by lower-case name. */
export type PurgeField = "cache-groups" | "cache-tag" | "surrogate-key" | "xkey";

/** How a field spells its members, and how much of it its cache takes. */
interface Grammar {
  readonly separator: string;
  readonly spell: (group: string) => string;
  /** Characters of one member. */
  readonly member: number;
  /** Characters of the field. */
  readonly field: number;
}

const quoted = (group: string): string => `"${encodeGroup(group)}"`;
const bare = (group: string): string => encodeGroup(group);
const withoutComma = (group: string): string => encodeGroup(group).replaceAll(",", "%2C");

/**
 * RFC 9875 §2 sets no limit, so ours is what servers take of one field; Cloudflare's documentation of `Cache-Tag`:
 * 1,024 characters a tag and 16 KB; Fastly's of `Surrogate-Key`: 1,024 bytes a key and 16,384; Varnish's `xkey`: one
 * header line, 8 KB by default.
 */
const GRAMMARS: Readonly<Record<PurgeField, Grammar>> = {
  "cache-groups": { separator: ", ", spell: quoted, member: 8_000, field: 8_000 },
  "cache-tag": { separator: ",", spell: withoutComma, member: 1_024, field: 16_000 },
  "surrogate-key": { separator: " ", spell: bare, member: 1_024, field: 16_384 },
  "xkey": { separator: " ", spell: bare, member: 8_000, field: 8_000 },
};

/** All fields there are. */
export const purgeFieldNames: readonly string[] = Object.keys(GRAMMARS);

/**
 * One field for these sources, without their revisions. Undefined where it would be too large: cut short, it would
 * leave a page in the cache in front that ought to go.
 */
export function purgeField(field: PurgeField, sources: readonly Source[]): string | undefined {
  const { separator, spell, member, field: limit } = GRAMMARS[field];
  const members = Array.from(new Set(sources.map(groupOf)), spell);
  const value = members.join(separator);
  return value.length <= limit && members.every((one) => one.length <= member) ? value : undefined;
}
