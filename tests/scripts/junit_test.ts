import assert from "node:assert/strict";
import { test } from "node:test";
import { closingLine, differences, readJunit, skips, sum, tally } from "../../scripts/junit.ts";

const root = "/repository/";

const byDeno = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.160">
  <testsuite name="./tests/x_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="x: &quot;two&quot; &lt;&amp;&gt;" classname="./tests/x_test.ts" time="0.002" line="3" col="1">
    </testcase>
    <testcase name="x: bad" classname="./tests/x_test.ts" time="0.003" line="5" col="1">
      <failure message="Uncaught">1 !== 2</failure>
    </testcase>
    <testcase name="x: skipped" classname="./tests/x_test.ts" time="0.000" line="6" col="1">
      <skipped/>
    </testcase>
    <testcase name="suite" classname="./tests/x_test.ts" time="0.002" line="9" col="1">
    </testcase>
  </testsuite>
  <testsuite name="ext:deno_node/testing.ts" tests="1" disabled="0" errors="0" failures="0">
    <testcase name="suite > inner" classname="ext:deno_node/testing.ts" time="0.000" line="1" col="1">
    </testcase>
  </testsuite>
</testsuites>`.replace("suite > inner", "suite &gt; inner");

const byBun = `<testsuites name="bun test" tests="4" assertions="0" failures="1" skipped="1" time="0.03">
  <testsuite name="tests/x_test.ts" file="tests/x_test.ts" tests="4" failures="1" skipped="1" hostname="vm">
    <testcase name="x: &quot;two&quot; &lt;&amp;&gt;" classname="" time="0.1" file="tests/x_test.ts" line="4" />
    <testcase name="x: bad" classname="" time="0.002078" file="tests/x_test.ts" line="5" assertions="0">
      <failure type="AssertionError" message="no">AssertionError: no</failure>
    </testcase>
    <testcase name="x: skipped" classname="" time="0" file="tests/x_test.ts" line="6" assertions="0">
      <skipped />
    </testcase>
    <testsuite name="suite" file="tests/x_test.ts" line="9" tests="1" failures="0" skipped="0" time="0">
      <testcase name="inner" classname="suite" time="0.000169" file="tests/x_test.ts" line="9" assertions="0" />
    </testsuite>
  </testsuite>
</testsuites>`;

const byNode = `<testsuites>
  <testcase name="x: two &lt;&amp;>" time="0.001220" classname="test" file="/repository/tests/x_test.ts"/>
  <testcase name="x: bad" time="0.1" classname="test" file="/repository/tests/x_test.ts" failure="no > yes">
    <failure type="testCodeFailure" message="no">[Error [ERR_TEST_FAILURE]: no]</failure>
  </testcase>
  <testcase name="x: skipped" time="0.0002" classname="test" file="/repository/tests/x_test.ts">
    <skipped type="skipped" message="true"/>
  </testcase>
  <testsuite name="suite" time="0.0007" disabled="0" errors="0" tests="1" failures="0" skipped="0">
    <testcase name="inner" time="0.0002" classname="suite" file="/repository/tests/x_test.ts"/>
  </testsuite>
  <testcase name="tests/empty_test.ts" time="0.12" classname="test" file="/repository/tests/empty_test.ts"/>
</testsuites>`;

for (const [runtime, xml] of Object.entries({ Deno: byDeno, Bun: byBun, Node: byNode })) {
  test(`readJunit: ${runtime}'s report gives the same four tests`, () => {
    const results = readJunit(xml, root);
    assert.deepEqual(results.map(({ outcome }) => outcome), ["passed", "failed", "skipped", "passed"]);
    assert.deepEqual(new Set(results.map(({ file }) => file)), new Set(["tests/x_test.ts"]));
    assert.deepEqual(tally(results), { passed: 2, failed: 1, skipped: 1 });
  });
}

test("readJunit: a file that Node could not run is a failure", () => {
  const xml =
    `<testcase name="tests/c_test.ts" classname="test" file="/repository/tests/c_test.ts" failure="test failed">
    <failure type="testCodeFailure" message="test failed">[Error: test failed]</failure></testcase>`;
  assert.equal(tally(readJunit(xml, root)).failed, 1);
});

test("readJunit: an empty report has no tests", () => {
  assert.deepEqual(readJunit("", root), []);
});

test("differences: a file without a test, a foreign file and another number of tests are found", () => {
  const results = readJunit(byBun, root);
  assert.deepEqual(differences(results, new Map([["tests/x_test.ts", undefined]])), []);
  assert.deepEqual(differences(results, new Map([["tests/x_test.ts", 4]])), []);
  assert.deepEqual(differences(results, new Map([["tests/x_test.ts", 5], ["tests/y_test.ts", 1]])), [
    "tests/x_test.ts: ran 4 tests, 5 elsewhere",
    "tests/y_test.ts: ran no test",
  ]);
  assert.deepEqual(differences(results, new Map()), ["tests/x_test.ts: unexpected"]);
});

test("closingLine: skipped tests are named only where there are some", () => {
  assert.equal(closingLine({ passed: 3, failed: 0, skipped: 0 }), "3 passed, 0 failed");
  const total = sum([{ passed: 3, failed: 1, skipped: 0 }, { passed: 1, failed: 0, skipped: 2 }]);
  assert.equal(closingLine(total), "4 passed, 1 failed, 2 skipped");
});

/** A report of Node's on one skipped test. */
function skippedByNode(message: string): string {
  return `<testcase name="x: skipped" time="0.0002" classname="test" file="/repository/tests/x_test.ts">
    <skipped type="skipped" message="${message}"/>
  </testcase>`;
}

test("readJunit: Node tells why a test was skipped, where there is a reason", () => {
  const reason = (xml: string) => readJunit(xml, root).find(({ outcome }) => outcome === "skipped")?.reason;
  assert.equal(
    reason(skippedByNode("no CouchDB; set COUCHDB_URL=&quot;…&quot;")),
    'no CouchDB; set COUCHDB_URL="…"',
  );
  for (const xml of [byDeno, byBun, byNode]) assert.equal(reason(xml), undefined);
});

test("skips: what Node tells is true of the same test on the other runtimes, and counts once", () => {
  const others = [...readJunit(byDeno, root), ...readJunit(byBun, root)];
  const explained = readJunit(skippedByNode("no CouchDB"), root);
  for (const results of [[...others, ...explained], [...explained, ...others]]) {
    assert.deepEqual(skips(results), { reasons: new Map([["no CouchDB", 1]]), unexplained: [] });
  }
});

test("skips: a test that is skipped without a reason is told, once", () => {
  const results = [byDeno, byBun, byNode].flatMap((xml) => readJunit(xml, root));
  assert.deepEqual(skips(results), { reasons: new Map(), unexplained: ["tests/x_test.ts: x: skipped"] });
});
