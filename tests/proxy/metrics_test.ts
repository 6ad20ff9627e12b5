/** The metrics of the sidecar, at an address of their own. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { parseArguments, UsageError } from "../../src/proxy/command/arguments.ts";
import { type RunningProxy, start } from "../../src/proxy/command/command.ts";
import { Log } from "../../src/proxy/command/log.ts";
import { noPromtool, promtool } from "../metrics/promtool.ts";

/** A sidecar whose application and database are not there. */
function started(metrics: string): Promise<RunningProxy> {
  const words = ["--upstream", "http://127.0.0.1:1", "--couchdb", "http://127.0.0.1:1/blog"];
  const options = parseArguments(
    [...words, "--listen", "127.0.0.1:0", "--metrics", metrics, "--drain", "1ms", "--log", "faults"],
    {},
  );
  return start(options, new Log(() => {}));
}

test("--metrics: /metrics counts what the sidecar was asked, and nothing else answers there", async () => {
  const sidecar = await started("127.0.0.1:0");
  try {
    const page = await fetch(`http://127.0.0.1:${sidecar.port}/metrics?secret`);
    await page.text();
    assert.equal(page.status, 502);
    const own = `http://127.0.0.1:${sidecar.metricsPort}`;
    const other = await fetch(`${own}/_stillfresh/ready`);
    await other.text();
    assert.equal(other.status, 404);
    const response = await fetch(`${own}/metrics`, { headers: { accept: "application/openmetrics-text" } });
    const text = await response.text();
    assert.match(response.headers.get("content-type")!, /^application\/openmetrics-text; version=1\.0\.0/);
    assert.match(text, /^stillfresh_requests_total\{outcome="handled"\} 1$/m);
    assert.match(text, /^stillfresh_feed_live\{feed="changes"\} 0$/m);
    assert.ok(!text.includes("secret"));
    const posted = await fetch(`${own}/metrics`, { method: "POST" });
    await posted.text();
    assert.equal(posted.status, 405);
  } finally {
    await sidecar.stop();
  }
});

test("--metrics: what promtool says of the sidecar's text", { skip: noPromtool }, async () => {
  const sidecar = await started("127.0.0.1:0");
  try {
    const response = await fetch(`http://127.0.0.1:${sidecar.metricsPort}/metrics`);
    assert.deepEqual(await promtool(["check", "metrics"], await response.text()), { code: 0, said: "" });
  } finally {
    await sidecar.stop();
  }
});

test("--metrics: an address that is taken is one line, and leaves nothing open", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await assert.rejects(started(`127.0.0.1:${port}`), (error) => {
    assert.ok(error instanceof UsageError);
    assert.match(
      error.message,
      new RegExp(`^--metrics: cannot listen on 127\\.0\\.0\\.1:${port} \\(EADDRINUSE\\)$`),
    );
    return true;
  });
  await new Promise((resolve) => server.close(resolve));
});
