/**
 * One resource, one tag: a 200, a 206, a 416 and the response to a HEAD agree, whether the registry or the handler's
 * response is asked, and whatever a HEAD or a part leaves out.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { type Dependency, dependsOn, EtagRegistry, evaluatePreconditions, withEtag } from "../../mod.ts";

/** Both versions were made within this second. */
const DATE = "Sun, 06 Nov 1994 08:49:37 GMT";
const PAGE = "http://localhost/page";
const TEXTS = ["OLDOLDOLD!", "NEWNEWNEW!"] as const;

/** How a resource gets its tag. */
interface Kind {
  readonly name: string;
  /** What is declared at a version; undefined: nothing. */
  readonly declared?: (version: number) => readonly Dependency[];
  /** The handler's own tag. */
  readonly ownTag?: (version: number) => string;
  readonly hashBody?: boolean;
  readonly dated?: boolean;
}

const doc = (version: number, id = "doc") => ({ _id: id, _rev: `${version + 1}-abc` });
const docs = (count: number) => (version: number) => [
  doc(version),
  ...Array.from({ length: count - 1 }, (_, at) => doc(0, `other-${at}`)),
];

const KINDS: readonly Kind[] = [
  { name: "an own tag", ownTag: (version) => `"v${version}"` },
  {
    name: "an own tag, dated, declared",
    ownTag: (version) => `"v${version}"`,
    declared: docs(1),
    dated: true,
  },
  { name: "an own weak tag", ownTag: (version) => `W/"v${version}"` },
  { name: "an own weak tag, declared", ownTag: (version) => `W/"v${version}"`, declared: docs(1) },
  { name: "one document", declared: docs(1) },
  { name: "one document, dated", declared: docs(1), dated: true },
  { name: "three documents", declared: docs(3) },
  { name: "ten documents", declared: docs(10) },
  { name: "a name", declared: () => ["doc"] },
  { name: "a document and a name", declared: (version) => [doc(version), "other"] },
  { name: "a digest, declared by name", declared: () => ["doc"], hashBody: true },
  { name: "a digest, undeclared", hashBody: true },
];

/** What is asked for, and what its response leaves out. */
const SHAPES = [
  "GET",
  "HEAD",
  "HEAD, bare",
  "HEAD with a Range",
  "part",
  "part, without a type",
  "part, of another type",
  "parts",
  "beyond the end",
] as const;
type Shape = typeof SHAPES[number];

/** Whether the registry has an entry, and whether the resource has changed since the client's copy. */
const STATES = ["registered", "unfollowed", "changed, registered", "changed, unknown", "changed, unfollowed"];
type State = typeof STATES[number];

const range = (shape: Shape): string | undefined =>
  ({
    "part": "bytes=5-",
    "part, without a type": "bytes=5-",
    "part, of another type": "bytes=5-",
    "parts": "bytes=0-1,4-5",
    "beyond the end": "bytes=99-",
    "HEAD with a Range": "bytes=5-",
  } as Record<string, string>)[shape];

/** A handler that serves ranges, and never looks at a condition. */
function handlerOf({ declared, ownTag, dated }: Kind, at: { version: number; shape: Shape }) {
  return (request: Request): Response => {
    const { version, shape } = at;
    const text = TEXTS[version]!;
    const headers = new Headers({
      "cache-control": "public, no-cache",
      "content-type": "text/plain",
      ...ownTag === undefined ? {} : { etag: ownTag(version) },
      ...dated ? { "last-modified": DATE } : {},
      ...declared === undefined ? {} : dependsOn(...declared(version)),
    });
    const asked = request.headers.get("range");
    if (request.method === "HEAD") {
      if (shape === "HEAD, bare") headers.delete("content-type");
      else compress(headers);
      return new Response(null, { headers });
    }
    if (asked === "bytes=99-") {
      headers.set("content-type", "text/html");
      headers.set("content-range", "bytes */10");
      return new Response("no such part", { status: 416, headers });
    }
    if (asked === null) {
      compress(headers);
      return new Response(text, { headers });
    }
    compress(headers);
    if (asked.includes(",")) {
      headers.set("content-type", "multipart/byteranges; boundary=x");
      return new Response(`--x\r\n\r\n${text.slice(0, 2)}\r\n--x--`, { status: 206, headers });
    }
    const body = new TextEncoder().encode(text.slice(5));
    if (shape === "part, without a type") headers.delete("content-type");
    // As the platform says of a text where the handler says nothing; and the handler forgets Vary.
    if (shape === "part, of another type") {
      headers.set("content-type", "text/plain;charset=UTF-8");
      headers.delete("vary");
    }
    headers.set("content-range", "bytes 5-9/10");
    return new Response(body, { status: 206, headers });
  };
}

/** What a compressor adds, which a bare HEAD does without. */
function compress(headers: Headers): void {
  headers.set("content-encoding", "gzip");
  headers.append("vary", "Accept-Encoding");
}

function ask(shape: Shape, fields: Record<string, string> = {}): Request {
  const asked = range(shape);
  const headers = { "accept-encoding": "gzip", ...asked === undefined ? {} : { range: asked }, ...fields };
  return new Request(PAGE, { method: shape.startsWith("HEAD") ? "HEAD" : "GET", headers });
}

/** A resource in a state, and the tag of the client's copy. */
async function resourceIn(kind: Kind, state: State, shape: Shape) {
  const registry = new EtagRegistry({ manual: !state.includes("unfollowed") });
  const at = { version: 0, shape };
  const { hashBody = false } = kind;
  const warn = console.warn;
  console.warn = () => {};
  const site = withEtag(handlerOf(kind, at), { registry, hashBody, version: "1" });
  const get = async () => (await site(ask("GET"))).headers.get("etag");
  const copied = await get();
  if (state.startsWith("changed")) {
    at.version = 1;
    registry.invalidate("doc");
    if (state.endsWith("registered")) await get();
  }
  console.warn = warn;
  return { site, copied, at };
}

/** The conditions of a request; `T` stands for the tag of the client's copy. */
const CONDITIONS: readonly Record<string, string>[] = [
  {},
  { "if-match": "T" },
  { "if-match": '"x"' },
  { "if-match": "*" },
  { "if-none-match": "T" },
  { "if-none-match": '"x"' },
  { "if-none-match": "*" },
  { "if-none-match": "W/T" },
  { "if-range": "T" },
  { "if-range": "W/T" },
  { "if-range": '"x"' },
  { "if-range": DATE },
  { "if-range": "neither" },
  { "if-modified-since": DATE },
  { "if-unmodified-since": DATE },
  { "if-match": "T", "if-range": "T" },
  { "if-none-match": '"x"', "if-range": "T" },
  { "if-match": "T", "if-none-match": "T" },
];

function withTag(fields: Record<string, string>, tag: string): Record<string, string> {
  const filled = (value: string) =>
    value === "W/T" ? `W/${tag.replace(/^W\//, "")}` : value === "T" ? tag : value;
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, filled(value)]));
}

/** The status that RFC 9110 §13.2.2 and §14.2 ask for, of a resource with this tag. */
function expected(kind: Kind, shape: Shape, fields: Record<string, string>, etag: string): number {
  const headers = new Headers(fields);
  const method = shape.startsWith("HEAD") ? "HEAD" : "GET";
  const dated = kind.dated === true;
  // Where the tag is ours, a date alone is not trusted to say that nothing has changed.
  if (dated && kind.ownTag === undefined && !headers.has("if-none-match")) {
    headers.delete("if-modified-since");
  }
  const outcome = evaluatePreconditions({ method, headers }, {
    etag,
    lastModified: dated ? DATE : undefined,
  });
  if (outcome !== "proceed") return outcome;
  if (method === "HEAD" || range(shape) === undefined) return 200;
  const ifRange = headers.get("if-range");
  const isDate = ifRange === DATE && dated && kind.ownTag !== undefined;
  if (ifRange !== null && !isDate && (ifRange !== etag || etag.startsWith("W/"))) return 200;
  return shape === "beyond the end" ? 416 : 206;
}

/** Whether something is declared without a revision, so that no tag can be derived. */
function isByName({ declared, ownTag }: Kind): boolean {
  return ownTag === undefined && declared?.(0).some((source) => typeof source === "string") === true;
}

/** Whether a GET of the resource has a tag that no later request can name: it is made anew for each. */
function isUnstable(kind: Kind, state: State): boolean {
  return isByName(kind) && !kind.hashBody && state.includes("unfollowed");
}

/**
 * Whether the tag of the whole may be left out: a part of what has no revisions may have been made a moment before the
 * whole, and a random tag is only that of a registration.
 */
function mayLackTag(kind: Kind, state: State, shape: Shape): boolean {
  if (kind.hashBody) return range(shape) !== undefined && !shape.startsWith("HEAD");
  return isByName(kind) &&
    (state === "changed, unknown" || !["part", "HEAD", "HEAD, bare", "GET"].includes(shape));
}

async function check(
  kind: Kind,
  state: State,
  shape: Shape,
  condition: Record<string, string>,
): Promise<void> {
  const { site, copied, at } = await resourceIn(kind, state, shape);
  const title = `${kind.name}, ${state}, ${shape}, ${JSON.stringify(condition)}`;
  assert.ok(copied !== null, title);
  const fields = withTag(condition, copied);
  const answer = await site(ask(shape, fields));
  const body = await answer.text();
  const current = (await site(ask("GET"))).headers.get("etag")!;
  const unstable = isUnstable(kind, state);
  const status = expected(kind, shape, fields, unstable ? '"new"' : current);
  // Where the tag of a part is not known, the whole representation is the answer, which is always right.
  const isWhole = kind.hashBody === true && [206, 416].includes(status) && answer.status === 200;
  assert.equal(answer.status, isWhole ? 200 : status, title);
  // A 304 may spell the tag as the client does.
  const isSpelled = answer.status === 304 && !current.startsWith("W/");
  const given = answer.headers.get("etag")?.replace(isSpelled ? "W/" : "", "") ?? null;
  if (unstable) assert.notEqual(given, copied, title);
  else if (answer.status !== 412) {
    assert.ok(given === current || given === null && mayLackTag(kind, state, shape), `${title}: ${given}`);
  }
  // No byte of one version behind the condition of the other.
  if (answer.status === 200 && !shape.startsWith("HEAD")) assert.equal(body, TEXTS[at.version], title);
  if (shape.startsWith("HEAD")) assert.equal(body, "", title);
}

for (const kind of KINDS) {
  test(`one resource, one tag: ${kind.name}`, async () => {
    for (const state of STATES) {
      for (const shape of SHAPES) {
        for (const condition of CONDITIONS) await check(kind, state, shape, condition);
      }
    }
  });
}

test("one resource, one tag: any conditions together", async () => {
  const values = ["T", "W/T", '"x"', '"x", T', "*", "x", DATE];
  const names = ["if-match", "if-none-match", "if-range", "if-modified-since", "if-unmodified-since"];
  const condition = fc.dictionary(
    fc.constantFrom(...names),
    fc.constantFrom(...values.filter((v) => !v.includes(","))),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...KINDS),
      fc.constantFrom(...STATES),
      fc.constantFrom(...SHAPES),
      condition,
      check,
    ),
    { numRuns: 2_000 },
  );
});

/** A download in pieces, and an edit before some of them. */
const PIECES = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 4 }), edited: fc.boolean() }), {
  minLength: 3,
  maxLength: 8,
});

test("one resource, one tag: a download that is resumed by If-Range is never of two versions", async () => {
  const kinds = KINDS.filter(({ name }) => !name.includes("weak"));
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...kinds),
      fc.constantFrom(...STATES),
      PIECES,
      async (kind, state, pieces) => {
        const registry = new EtagRegistry({ manual: !state.includes("unfollowed") });
        const { ownTag = () => null, declared } = kind;
        let version = 0;
        const textOf = () => String.fromCharCode(65 + version).repeat(10);
        const warn = console.warn;
        console.warn = () => {};
        const site = withEtag((request: Request) => {
          const own = ownTag(version);
          const headers = new Headers({
            "cache-control": "public, no-cache",
            ...own === null ? {} : { etag: own },
            ...kind.dated ? { "last-modified": DATE } : {},
            ...declared === undefined ? {} : dependsOn(...declared(version)),
          });
          const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get("range") ?? "") ?? [];
          if (from === undefined || to === undefined) return new Response(textOf(), { headers });
          headers.set("content-range", `bytes ${from}-${to}/10`);
          return new Response(textOf().slice(Number(from), Number(to) + 1), { status: 206, headers });
        }, { registry, hashBody: kind.hashBody ?? false });
        let copy = "";
        let etag: string | null = null;
        for (const { bytes, edited } of pieces) {
          if (edited) {
            version++;
            registry.invalidate("doc");
          }
          const headers: Record<string, string> = {
            range: `bytes=${copy.length}-${copy.length + bytes - 1}`,
          };
          if (etag !== null) headers["if-range"] = etag;
          // What has no tag cannot be resumed.
          else if (copy !== "") break;
          const answer = await site(new Request(PAGE, { headers }));
          const part = await answer.text();
          copy = answer.status === 206 ? copy + part : part;
          etag = answer.headers.get("etag");
          assert.ok(new Set(copy).size <= 1, `${kind.name}, ${state}: ${copy}`);
          if (copy.length >= 10) break;
        }
        console.warn = warn;
      },
    ),
    { numRuns: 1_000 },
  );
});

/** What happens between a part, which has no media type, and the whole that its tag is learnt from. */
interface Meanwhile {
  readonly name: string;
  readonly sources: (version: number) => readonly Dependency[];
  /** Whether the second version is there, and whether that is reported. */
  readonly edited: boolean;
  readonly reported: boolean;
  readonly coding?: string;
  readonly hashBody?: boolean;
  readonly status: number;
}

const MEANWHILE: readonly Meanwhile[] = [
  { name: "nothing", sources: docs(1), edited: false, reported: false, status: 206 },
  { name: "an edit", sources: docs(1), edited: true, reported: false, status: 200 },
  { name: "an edit, reported", sources: docs(1), edited: true, reported: true, status: 200 },
  {
    name: "nothing, but the whole is coded",
    sources: docs(1),
    edited: false,
    reported: false,
    coding: "gzip",
    status: 200,
  },
  { name: "nothing, by name", sources: () => ["doc"], edited: false, reported: false, status: 206 },
  { name: "an edit, reported, by name", sources: () => ["doc"], edited: true, reported: true, status: 200 },
  {
    name: "an edit, hashed",
    sources: () => ["doc"],
    edited: true,
    reported: false,
    hashBody: true,
    status: 200,
  },
];

for (const { name, sources, edited, reported, coding, hashBody = false, status } of MEANWHILE) {
  test(`one resource, one tag: a part, then ${name}: ${status}`, async () => {
    let version = 0;
    const site = withEtag((request: Request) => {
      const headers = new Headers({ "cache-control": "public, no-cache", ...dependsOn(...sources(version)) });
      if (!request.headers.has("range")) {
        if (coding !== undefined) headers.set("content-encoding", coding);
        return new Response(new TextEncoder().encode(TEXTS[version]), { headers });
      }
      headers.set("content-range", "bytes 5-9/10");
      const part = new Response(new TextEncoder().encode(TEXTS[version]!.slice(5)), { status: 206, headers });
      if (edited) version = 1;
      if (reported) site.registry.invalidate("doc");
      return part;
    }, { manual: true, hashBody });
    const answer = await site(ask("part", { "if-none-match": '"x"' }));
    assert.equal(answer.status, status);
    assert.equal(await answer.text(), status === 206 ? TEXTS[0].slice(5) : TEXTS[version]);
    const etag = answer.headers.get("etag");
    const whole = await site(new Request(PAGE));
    if (status === 206) assert.equal(etag, whole.headers.get("etag"));
  });
}

test("one resource, one tag: a part of what is compressed as a whole only is one of another representation", async () => {
  let version = 0;
  const site = withEtag(({ headers: asked }: Request) => {
    const declaration = dependsOn(doc(version));
    const headers = {
      "cache-control": "public",
      "content-type": "text/plain",
      vary: "Accept-Encoding",
      ...declaration,
    };
    const text = TEXTS[version]!;
    if (!asked.has("range")) {
      return new Response(text, { headers: { ...headers, "content-encoding": "gzip" } });
    }
    return new Response(text.slice(5), {
      status: 206,
      headers: { ...headers, "content-range": "bytes 5-9/10" },
    });
  }, { manual: true });
  const whole = (await site(ask("GET"))).headers.get("etag")!;
  const part = await site(ask("part"));
  const etag = part.headers.get("etag")!;
  assert.equal(part.status, 206);
  assert.notEqual(etag, whole);
  const outcomes: readonly (readonly [Record<string, string>, number])[] = [
    [{ "if-range": etag }, 206],
    [{ "if-range": whole }, 200],
    [{ "if-none-match": whole }, 304],
    [{ "if-match": whole }, 206],
    [{ "if-match": etag }, 412],
  ];
  for (const [fields, status] of outcomes) {
    assert.equal((await site(ask("part", fields))).status, status, JSON.stringify(fields));
  }
  version = 1;
  site.registry.invalidate("doc");
  const resumed = await site(ask("part", { "if-range": etag }));
  assert.deepEqual([resumed.status, await resumed.text()], [200, TEXTS[1]]);
});
