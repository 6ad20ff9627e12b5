/** `hashBody`: what is read, what is left alone, and that no byte is lost either way. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { BODY_LIMITS, mayBeRead } from "../../src/handler/body_limits.ts";
import { readBody } from "../../src/handler/hashed_body.ts";
import { request, wrap } from "../support/http.ts";

/** A body of these chunks, each of one byte repeated. */
function bodyOf(
  lengths: readonly number[],
  onCancel: (reason: unknown) => void = () => {},
): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      if (at === lengths.length) return controller.close();
      controller.enqueue(new Uint8Array(lengths[at]!).fill(at++));
    },
    cancel: onCancel,
  }, { highWaterMark: 0 });
}

const bytesOf = async (body: BodyInit) => new Uint8Array(await new Response(body).arrayBuffer());

test("readBody: the bytes, or a stream of the same bytes where they are too many", async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 12 });
  await fc.assert(fc.asyncProperty(lengths, fc.integer({ min: 0, max: 60 }), async (lengths, bytes) => {
    const read = await readBody(new Response(bodyOf(lengths)), { bytes, ms: 60_000 });
    const total = lengths.reduce((sum, length) => sum + length, 0);
    assert.equal(read instanceof ReadableStream, total > bytes);
    assert.deepEqual(await bytesOf(read), await bytesOf(bodyOf(lengths)));
  }));
});

test("readBody: what is not complete in time goes on as it comes", async () => {
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  const body = new ReadableStream<Uint8Array>({ start: (given) => void (controller = given) });
  controller!.enqueue(new Uint8Array([1, 2]));
  const read = await readBody(new Response(body), { bytes: 100, ms: 1 });
  assert.ok(read instanceof ReadableStream);
  const reader = read.getReader();
  assert.deepEqual((await reader.read()).value, new Uint8Array([1, 2]));
  const next = reader.read();
  controller!.enqueue(new Uint8Array([3]));
  assert.deepEqual((await next).value, new Uint8Array([3]));
  const end = reader.read();
  controller!.close();
  assert.equal((await end).done, true);
});

test("readBody: an error before the limit is thrown, one behind it is the client's, and so is its cancelling", async () => {
  const failure = new Error("broken");
  const failing = (chunks: number) => {
    let at = 0;
    const pull = (controller: ReadableStreamDefaultController<Uint8Array>) =>
      at++ < chunks ? controller.enqueue(new Uint8Array(10)) : controller.error(failure);
    return new ReadableStream<Uint8Array>({ pull }, { highWaterMark: 0 });
  };
  await assert.rejects(
    readBody(new Response(failing(1)), { bytes: 15, ms: 60_000 }),
    (error) => error === failure,
  );
  const read = await readBody(new Response(failing(2)), { bytes: 15, ms: 60_000 });
  await assert.rejects(bytesOf(read as ReadableStream), (error) => error === failure);

  let reason: unknown;
  const long = await readBody(new Response(bodyOf([9, 9, 9, 9], (given) => reason = given)), {
    bytes: 10,
    ms: 60_000,
  });
  await (long as ReadableStream).cancel("enough");
  assert.equal(reason, "enough");
});

for (
  const [fields, expected] of [
    [{}, true],
    [{ "content-type": "text/html" }, true],
    [{ "content-length": String(BODY_LIMITS.bytes) }, true],
    [{ "content-length": String(BODY_LIMITS.bytes + 1) }, false],
    [{ "content-length": "many" }, true],
    [{ "content-type": "text/event-stream" }, false],
    [{ "content-type": "Text/Event-Stream; charset=utf-8" }, false],
    [{ "content-type": "multipart/x-mixed-replace; boundary=x" }, false],
  ] as const
) {
  test(`mayBeRead: ${JSON.stringify(fields)}: ${expected}`, () => {
    assert.equal(mayBeRead(new Response("page", { headers: fields })), expected);
  });
}

test("hashBody: an event stream, a long body and one that is being read are the very same object", async () => {
  const events = new Response(bodyOf([1, 2]), { headers: { "content-type": "text/event-stream" } });
  const long = new Response("page", { headers: { "content-length": String(BODY_LIMITS.bytes + 1) } });
  const taken = new Response("page");
  taken.body!.getReader();
  for (const response of [events, long, taken]) {
    const { bodyUsed } = response;
    const { ask, registry } = wrap(() => response, { hashBody: true });
    assert.equal(await ask(request({ "if-none-match": "*" })), response);
    assert.deepEqual([response.bodyUsed, registry.open.size], [bodyUsed, 0]);
  }
});

test("hashBody: a body beyond the limit is sent whole, without a tag", async () => {
  const chunk = 1_048_576;
  const lengths = Array.from({ length: BODY_LIMITS.bytes / chunk + 1 }, () => chunk);
  const { ask, registry } = wrap(() => new Response(bodyOf(lengths)), { hashBody: true });
  const answer = await ask(request({ "if-none-match": "*" }));
  assert.deepEqual([answer.status, answer.headers.get("etag"), registry.open.size], [200, null, 0]);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  assert.equal(bytes.length, lengths.length * chunk);
  assert.ok(lengths.every((_, at) => bytes[at * chunk] === at && bytes[at * chunk + chunk - 1] === at));
});

test("hashBody: private answers and requests with cookies get their tag, and nothing of them is registered", async () => {
  for (const fields of [{}, { "cache-control": "private" }, { "cache-control": "no-store" }, { vary: "*" }]) {
    const site = wrap((asked) => new Response(`hello ${asked.headers.get("cookie")}`, { headers: fields }), {
      hashBody: true,
    });
    const etag = (await site.ask(request({ cookie: "ann" }))).headers.get("etag")!;
    for (const method of ["GET", "HEAD"]) {
      const again = await site.ask(request({ cookie: "ann", "if-none-match": etag }, { method }));
      assert.deepEqual([again.status, again.headers.get("etag")], [304, etag]);
      const other = await site.ask(request({ cookie: "bob", "if-none-match": etag }, { method }));
      assert.equal(other.status, 200, "the page of another user has another digest");
      const guest = await site.ask(request({ "if-none-match": etag }, { method }));
      assert.equal(guest.status, 200, "and so has that of a guest");
    }
    assert.deepEqual([site.registry.size, site.registry.stats.hit], [0, 0]);
  }
});

test("hashBody: a 304 keeps the cookies that its 200 would have set, each on its own line", async () => {
  const site = wrap(() => {
    const headers = new Headers({ "content-type": "text/plain" });
    headers.append("set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    headers.append("set-cookie", "b=2");
    return new Response("page", { headers });
  }, { hashBody: true });
  const etag = (await site.ask(request())).headers.get("etag")!;
  const again = await site.ask(request({ "if-none-match": etag }));
  assert.equal(again.status, 304);
  assert.deepEqual(again.headers.getSetCookie().sort(), [
    "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    "b=2",
  ]);
});
