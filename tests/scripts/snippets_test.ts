/** How the snippets of a page are found, and what is made of one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { moduleOf, snippetsOf } from "../../scripts/snippets.ts";

const resolve = (name: string): string => name.replace("@stillfresh/etag", "file:///etag/mod.ts");

const page = `# A page

\`\`\`ts
dependsOn(post);
\`\`\`

<!-- refused -->

\`\`\`ts
import { follow } from "@stillfresh/etag";

async function* renamed() {
  yield 1;
}
follow(registry, renamed());
\`\`\`

\`\`\`sh
deno task start
\`\`\`

<!-- throws -->

\`\`\`ts
headers: { ...dependsOn(post) }
\`\`\`
`;

test("snippetsOf: each block of TypeScript, with its line and what the page says of it", () => {
  assert.deepEqual(
    snippetsOf("docs/x.md", page).map(({ line, expects }) => [line, expects]),
    [[4, "runs"], [10, "refused"], [25, "throws"]],
  );
});

test("moduleOf: takes from the world what the snippet does not import, types as types", () => {
  const names = new Map([["dependsOn", false], ["follow", false], ["registry", false], ["post", false], [
    "Post",
    true,
  ]]);
  const code = 'import { follow } from "@stillfresh/etag";\nexport const mine: Post = post; // registry\n';
  const made = moduleOf({ page: "docs/x.md", line: 4, code, expects: "runs" }, names, resolve);
  assert.match(made, /^import \{ follow \} from "[^"]*\/mod\.ts";$/m);
  assert.match(made, /^import \{ type Post, post \} from/m);
  assert.match(made, /^const mine: Post = post;/m);
});

test("moduleOf: the compiler has to refuse the last statement of a snippet that is refused", () => {
  const made = moduleOf(snippetsOf("docs/x.md", page)[1]!, new Map(), resolve);
  assert.match(made, /\/\/ @ts-expect-error[^\n]*\nfollow\(registry/);
});

test("moduleOf: a property is checked as one", () => {
  assert.match(
    moduleOf(snippetsOf("docs/x.md", page)[2]!, new Map()),
    /return \(\{ headers: .*\}\) satisfies/s,
  );
});
