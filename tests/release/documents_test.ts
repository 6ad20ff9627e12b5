/** What GitHub shows beside the code: templates and the citation. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");
const { version, license, repository } = JSON.parse(read("deno.json")) as Record<string, string>;

test("CITATION.cff: version, licence and address are those of deno.json", () => {
  const citation = parse(read("CITATION.cff")) as Record<string, string>;
  assert.deepEqual(
    [citation["version"], citation["license"], citation["repository-code"]],
    [version, license, repository],
  );
});

const templates = readdirSync(new URL(".github/ISSUE_TEMPLATE/", root)).filter((name) =>
  name !== "config.yml"
);

for (const name of templates) {
  test(`issue templates: ${name} has what GitHub asks for`, () => {
    const form = parse(read(`.github/ISSUE_TEMPLATE/${name}`)) as {
      name: string;
      description: string;
      body: { type: string; id: string; attributes: { label: string } }[];
    };
    assert.ok(form.name.length > 3 && form.description.length > 10);
    const ids = form.body.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    for (const { type, attributes } of form.body) {
      assert.ok(["textarea", "input", "checkboxes"].includes(type) && attributes.label.length > 0);
    }
  });
}

test("issue templates: the links lead to this repository, and to pages that exist", () => {
  const { contact_links } = parse(read(".github/ISSUE_TEMPLATE/config.yml")) as {
    contact_links: { url: string }[];
  };
  for (const { url } of contact_links) {
    assert.ok(url.startsWith(`${repository}/`), url);
    const path = /\/blob\/main\/(.+)$/.exec(url)?.[1];
    assert.ok(
      path === undefined ? url.includes("/security/advisories/") : existsSync(new URL(path, root)),
      url,
    );
  }
});
