/** Clients that are no browsers: curl, the `fetch` of each runtime, and undici with its cache. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { dependsOn } from "../../mod.ts";
import { serve, wrap } from "../support/http.ts";

const run = promisify(execFile);
const curl = await run("curl", ["--version"]).then(({ stdout }) => stdout, () => undefined);
const skip = curl === undefined ? "no curl; apt-get install curl" : false;

/** A page of one document, with the statuses that went out. */
async function startSite(cacheControl = "public, no-cache") {
  let revision = 1;
  const handler = wrap(() => {
    const headers = { "cache-control": cacheControl, ...dependsOn({ _id: "post-1", _rev: `${revision}-a` }) };
    return new Response(`revision ${revision}`, { headers });
  });
  const sent: number[] = [];
  const server = await serve(async (request) => {
    const response = await handler.ask(request);
    sent.push(response.status);
    return response;
  });
  const edit = () => {
    revision++;
    handler.registry.invalidate("post-1");
  };
  return { url: server.url, sent, handler, edit, close: server.close };
}

test("curl: --etag-save and --etag-compare", { skip }, async () => {
  const site = await startSite();
  const folder = mkdtempSync(join(tmpdir(), "curl-"));
  const [tag, page] = [join(folder, "tag"), join(folder, "page")];
  const ask = async () => {
    const { stdout } = await run("curl", [
      ...["--silent", "--write-out", "%{http_code}", "--output", page],
      ...["--etag-compare", tag, "--etag-save", tag, site.url],
    ]);
    return stdout;
  };
  try {
    assert.equal(await ask(), "200");
    assert.match(readFileSync(tag, "utf8"), /^"1-a\./);
    assert.equal(readFileSync(page, "utf8"), "revision 1");
    for (let i = 0; i < 3; i++) assert.equal(await ask(), "304");
    site.edit();
    assert.deepEqual([await ask(), readFileSync(page, "utf8")], ["200", "revision 2"]);
    assert.equal(await ask(), "304");
    assert.equal(site.handler.runs, 2);
  } finally {
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("fetch of this runtime: keeps no copies, sends the condition that it is given, and shows the 304", async () => {
  const site = await startSite("public, max-age=60");
  try {
    const first = await fetch(site.url);
    const etag = first.headers.get("etag")!;
    assert.equal(await first.text(), "revision 1");
    assert.equal(await (await fetch(site.url)).text(), "revision 1");
    assert.deepEqual(site.sent, [200, 200], "no runtime has a cache behind fetch");
    for (const cache of ["default", "no-cache", "no-store", "force-cache"] as const) {
      const hit = await fetch(site.url, { cache, headers: { "if-none-match": etag } });
      assert.deepEqual([hit.status, hit.headers.get("etag"), await hit.text()], [304, etag, ""], cache);
    }
    site.edit();
    const second = await fetch(site.url, { headers: { "if-none-match": etag } });
    assert.deepEqual([second.status, await second.text()], [200, "revision 2"]);
  } finally {
    await site.close();
  }
});

for (
  const [cacheControl, statuses] of [
    ["public, no-cache", [200, 304, 200, 304]],
    ["public, max-age=0", [200, 304, 200, 304]],
    ["public, max-age=60", [200]],
  ] as const
) {
  test(`undici: what its cache makes of Cache-Control: ${cacheControl}; Bun's own has none`, async () => {
    const { Agent, interceptors, request } = await import("undici");
    if ("Bun" in globalThis) return assert.equal(typeof interceptors?.cache, "undefined");
    const site = await startSite(cacheControl);
    const agent = new Agent();
    const dispatcher = agent.compose(interceptors.cache());
    try {
      for (let i = 0; i < 4; i++) {
        const { statusCode, body } = await request(site.url, { dispatcher });
        assert.deepEqual([statusCode, await body.text()], [200, "revision 1"]);
      }
      // It forgets its copy with the 304 that confirms it. A 304 in each place says that this is mended.
      assert.deepEqual(site.sent, statuses, "docs/clients.md says otherwise");
    } finally {
      await agent.close();
      await site.close();
    }
  });
}
