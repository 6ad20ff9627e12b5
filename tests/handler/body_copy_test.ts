import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../support/fast_check.ts";
import { copyBody } from "../../src/handler/body_copy.ts";

const LIMITS = { bytes: 100, ms: 60_000 };

/** A body that gives these chunks, and then ends unless it is endless. */
function stream(chunks: readonly Uint8Array[], more: { endless?: boolean; onCancel?: () => void } = {}) {
  let next = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      const chunk = chunks[next++];
      if (chunk !== undefined) return controller.enqueue(chunk);
      if (!more.endless) return controller.close();
      return new Promise<void>(() => {});
    },
    cancel: () => more.onCancel?.(),
  });
}

async function bytesOf(response: Response): Promise<number[]> {
  return [...new Uint8Array(await response.arrayBuffer())];
}

test("copyBody: the copy and the body are the bytes of the body, however it is cut", async () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 12, minLength: 1 }), { maxLength: 8 });
  await fc.assert(fc.asyncProperty(chunks, async (chunks) => {
    const bytes = chunks.flatMap((chunk) => [...chunk]);
    const response = new Response(stream(chunks));
    const copy = await copyBody(response, LIMITS);
    assert.deepEqual([...copy!], bytes);
    assert.deepEqual(await bytesOf(response), bytes);
  }));
});

const bodies: readonly (readonly [string, BodyInit | null, string])[] = [
  ["none", null, ""],
  ["an empty text", "", ""],
  ["a text", "gr\u00fcn", "gr\u00fcn"],
  ["bytes", new TextEncoder().encode("bytes"), "bytes"],
  ["a blob", new Blob(["blob"]), "blob"],
  ["a form", new URLSearchParams({ a: "1" }), "a=1"],
];
for (const [what, body, text] of bodies) {
  test(`copyBody: a body that is ${what}`, async () => {
    const response = new Response(body);
    assert.equal(new TextDecoder().decode(await copyBody(response, LIMITS)), text);
    assert.equal(await response.text(), text);
  });
}

for (const size of [99, 100, 101, 1_000]) {
  test(`copyBody: of ${size} bytes, where 100 are the most`, async () => {
    const chunk = new Uint8Array(size).fill(7);
    for (const body of [chunk, stream([chunk]), stream(Array.from(chunk, (byte) => Uint8Array.of(byte)))]) {
      const response = new Response(body);
      assert.equal((await copyBody(response, LIMITS))?.length, size > 100 ? undefined : size);
      assert.equal((await bytesOf(response)).length, size);
    }
  });
}

test("copyBody: what says that it is too long, or an event stream, is not even begun", async () => {
  for (
    const headers of [
      { "content-length": "101" },
      { "content-type": "text/event-stream" },
      { "content-type": "Text/Event-Stream; charset=utf-8" },
    ]
  ) {
    let pulled = false;
    const body = new ReadableStream({ pull: () => void (pulled = true) }, { highWaterMark: 0 });
    const response = new Response(body, { headers });
    assert.equal(await copyBody(response, LIMITS), undefined);
    assert.equal(pulled, false);
    await response.body!.cancel();
  }
});

test("copyBody: a body that does not end in time is left to the client, which ends it", async () => {
  let cancelled = false;
  const onCancel = () => void (cancelled = true);
  const response = new Response(stream([Uint8Array.of(1, 2)], { endless: true, onCancel }));
  assert.equal(await copyBody(response, { bytes: 100, ms: 1 }), undefined);
  assert.equal(cancelled, false);
  const reader = response.body!.getReader();
  assert.deepEqual([...(await reader.read()).value!], [1, 2]);
  await reader.cancel();
  assert.equal(cancelled, true);
});

test("copyBody: a body that fails fails for the client alone", async () => {
  const failure = new Error("cut");
  let pulls = 0;
  const response = new Response(
    new ReadableStream({
      pull: (controller) => pulls++ === 0 ? controller.enqueue(Uint8Array.of(1)) : controller.error(failure),
    }),
  );
  assert.equal(await copyBody(response, LIMITS), undefined);
  await assert.rejects(response.arrayBuffer());
});

test("copyBody: a body that is read, or being read, is left alone", async () => {
  const used = new Response("page");
  await used.text();
  const locked = new Response("page");
  const reader = locked.body!.getReader();
  for (const response of [used, locked]) assert.equal(await copyBody(response, LIMITS), undefined);
  assert.equal(new TextDecoder().decode((await reader.read()).value), "page");
});

test("copyBody: a response that cannot be cloned, or holds no bytes, is left alone", async () => {
  const headers = new Headers();
  const foreign = { status: 200, headers, bodyUsed: false } as Response;
  const texts = new ReadableStream({ pull: (controller) => controller.enqueue("text") });
  const odd = { ...foreign, clone: () => ({ body: texts }) } as unknown as Response;
  for (const response of [foreign, odd]) assert.equal(await copyBody(response, LIMITS), undefined);
});
