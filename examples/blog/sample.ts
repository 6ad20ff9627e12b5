/** The sample content: the same posts and authors each time, found by number. */
import type { Author, Post } from "./documents.ts";
import { asides, firstNames, lastNames, slots, topics, trades } from "./prose.ts";

const day = 86_400_000;
const lastDay = Date.UTC(2026, 10, 20);

/** The authors, one hundred at most: `author-000`, `author-001`, … */
export function sampleAuthors(count: number): Author[] {
  return Array.from({ length: count }, (_, index) => {
    const random = randomFrom(index + 1_000_000);
    const name = `${firstNames[index % 10]} ${lastNames[Math.floor(index / 10) % 10]}`;
    const about = `${name} is a ${pick(random, trades)} in ${pick(random, slots["place"]!)}.`;
    return { _id: authorId(index), name, about };
  });
}

/** The posts, oldest first, one a day, the last on 20 November 2026. */
export function samplePosts(count: number, authors: number): Post[] {
  return Array.from({ length: count }, (_, index) => samplePost(index, count, authors));
}

function samplePost(index: number, count: number, authors: number): Post {
  const random = randomFrom(index + 1);
  const topic = pick(random, topics);
  const second = pick(random, topics).tag;
  const published = new Date(lastDay - (count - 1 - index) * day).toISOString().slice(0, 10);
  const own = shuffle(random, topic.sentences);
  const other = shuffle(random, asides);
  const paragraphs = Array.from({ length: 3 + Math.floor(random() * 2) }, () => {
    const sentences = [own.pop(), own.pop(), other.pop(), random() < 0.6 ? other.pop() : undefined];
    return shuffle(random, sentences.filter((sentence) => sentence !== undefined)).join(" ");
  });
  return {
    _id: `post-${published}-${String(index + 1).padStart(4, "0")}`,
    title: capitalized(filled(random, pick(random, topic.titles))),
    published,
    author: authorId(Math.floor(random() * authors)),
    tags: second === topic.tag ? [topic.tag] : [topic.tag, second],
    body: paragraphs.map((text) => sentenceCased(filled(random, text))).join("\n\n"),
  };
}

function authorId(index: number): string {
  return `author-${String(index).padStart(3, "0")}`;
}

function filled(random: () => number, text: string): string {
  return text.replace(/\{(\w+)\}/g, (_, slot: string) => pick(random, slots[slot]!));
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function sentenceCased(text: string): string {
  return text.replace(
    /(^|[.!?] )([a-z])/g,
    (_, before: string, letter: string) => before + letter.toUpperCase(),
  );
}

function pick<Item>(random: () => number, items: readonly Item[]): Item {
  return items[Math.floor(random() * items.length)]!;
}

function shuffle<Item>(random: () => number, items: readonly Item[]): Item[] {
  return items.map((item) => ({ item, order: random() })).sort((a, b) => a.order - b.order).map(({ item }) =>
    item
  );
}

/** Mulberry32: a small generator whose whole state is one number, so that a seed determines the sequence. */
function randomFrom(seed: number): () => number {
  let state = Math.imul(seed, 0x9E3779B1);
  return () => {
    state = (state + 0x6D2B79F5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
