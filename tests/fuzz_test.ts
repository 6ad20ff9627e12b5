import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "./support/fast_check.ts";
import { wrapperCase } from "./fuzz/cases.ts";
import { minimiseText } from "./fuzz/minimise.ts";
import { disagreement, PARSERS } from "./fuzz/parsers.ts";
import { PARSER_SEEDS, WRAPPER_SEEDS } from "./fuzz/seeds.ts";
import { finding, type Page, World, type WrapperCase } from "./fuzz/wrapper.ts";
import { anySeed, Random } from "./support/generate.ts";
import * as oracle from "./support/oracle.ts";
import { PRECONDITIONS } from "./vectors/preconditions.ts";

const seed = anySeed();

for (const { parser, input, found } of PARSER_SEEDS) {
  test(`fuzz: ${parser}: ${JSON.stringify(input)}: ${found}`, () => {
    assert.equal(disagreement(PARSERS[parser]!, input), undefined);
  });
}

for (const { played, found } of WRAPPER_SEEDS) {
  test(`fuzz: the wrapper: ${found}`, async () => {
    assert.equal(await finding(new World(), played), undefined, JSON.stringify(played));
  });
}

for (const [name, parser] of Object.entries(PARSERS)) {
  test(`fuzz: ${name} against the oracle`, () => {
    const random = new Random(seed);
    for (let n = 0; n < 5000; n++) {
      const input = parser.generate(random);
      assert.equal(disagreement(parser, input), undefined, `seed ${seed}: ${JSON.stringify(input)}`);
    }
  });
}

test("fuzz: the whole wrapper against the oracle", async () => {
  const random = new Random(seed);
  const world = new World();
  for (let n = 0; n < 4000; n++) {
    const played = wrapperCase(random);
    assert.equal(await finding(world, played), undefined, `seed ${seed}: ${JSON.stringify(played)}`);
  }
});

const tag = fc.constantFrom('"$"', 'W/"$"', '"a"', 'W/"a"', '"a,b"', '"edited"', '"1-x"');
const list = fc.oneof(
  fc.constant("*"),
  fc.array(tag, { minLength: 1, maxLength: 4 }).map((tags) => tags.join(", ")),
);
const date = fc.constantFrom(
  "Sun, 06 Nov 1994 08:49:37 GMT",
  "Sunday, 06-Nov-94 08:49:36 GMT",
  "Sun Nov  6 08:49:38 1994",
  "yesterday",
);
const field = fc.oneof(
  fc.tuple(fc.constantFrom("if-match", "if-none-match"), list),
  fc.tuple(fc.constantFrom("if-modified-since", "if-unmodified-since"), date),
  fc.tuple(fc.constantFrom("cookie", "authorization", "accept"), fc.constant("x")),
);
const page: fc.Arbitrary<Page> = fc.record({
  status: fc.constantFrom(200, 200, 200, 201, 404),
  declares: fc.constantFrom("revision", "name", "malformed", "nothing"),
  etag: tag.filter((text) => !text.includes("$")),
  lastModified: date,
  cacheControl: fc.constantFrom("public", "private", "no-store", 'no-cache="x, public"'),
  vary: fc.constantFrom("accept", "*", "Accept, Cookie"),
  cookie: fc.boolean(),
}, { requiredKeys: ["status", "declares"] });
const aCase: fc.Arbitrary<WrapperCase> = fc.record({
  page,
  history: fc.constantFrom("none", "primed", "invalidated", "edited", "suspended"),
  method: fc.constantFrom("GET", "HEAD", "PUT", "DELETE", "QUERY"),
  fields: fc.array(field, { maxLength: 4 }),
  current: fc.constantFrom("page", "document", "null", "undefined"),
});

test("fuzz: the whole wrapper against the oracle, structured", async () => {
  await fc.assert(
    fc.asyncProperty(aCase, async (played) => {
      assert.equal(await finding(new World(), played), undefined);
    }),
    { numRuns: 500 },
  );
});

test("the oracle: says of every row of the tables what the row says", () => {
  for (const { section, name, method, headers, current, expected, read, write } of PRECONDITIONS) {
    const fields = new Headers();
    for (const [field, value] of headers) fields.append(field, value);
    const known = current === null ? null : {
      etags: current.etag === undefined ? [] : [current.etag],
      lastModified: current.lastModified,
    };
    for (const [asked, outcome] of [[method, expected], ["GET", read], ["PUT", write]] as const) {
      const said = oracle.preconditions(asked, new Map(fields), known, Date.now());
      assert.equal(said, outcome, `§${section} ${name}, ${asked}`);
    }
  }
});

test("the generators: the same seed gives the same inputs, and each ending is met often", async () => {
  const [one, other] = [new Random(7), new Random(7)];
  for (let n = 0; n < 100; n++) assert.deepEqual(wrapperCase(one), wrapperCase(other));
  const world = new World();
  const ended = new Map<number, number>();
  for (let n = 0; n < 1000; n++) {
    const { response } = await world.play(wrapperCase(one));
    ended.set(response.status, (ended.get(response.status) ?? 0) + 1);
  }
  for (const status of [200, 304, 412]) {
    assert.ok((ended.get(status) ?? 0) >= 80, `${status}: ${ended.get(status)}`);
  }
});

test("minimiseText: leaves out what a failure does not need", () => {
  assert.equal(
    minimiseText("some words and a needle, and more", (text) => text.includes("needle")),
    "needle",
  );
  assert.equal(minimiseText("aXbYc", (text) => /X.*Y/.test(text)), "XY");
  assert.equal(minimiseText("", () => true), "");
});
