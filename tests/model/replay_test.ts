import assert from "node:assert/strict";
import { test } from "node:test";
import { mutants } from "../mutants/all.ts";
import { furtherMutants } from "../mutants/further.ts";
import { type Configuration, configurations } from "./configurations.ts";
import { counterexamples } from "./counterexamples.ts";
import { loadLibrary } from "./library.ts";
import { withMutant } from "./mutated_library.ts";
import { replay } from "./replay.ts";
import { furtherRules, isModelled, type ModelledRule, rules } from "./rules.ts";

const modelled = [...rules.filter(isModelled), ...furtherRules];
const everyMutant = [...mutants, ...furtherMutants];

function configurationOf({ in: place, also = [] }: ModelledRule): Configuration {
  const configuration = configurations.find(({ name }) => name === place)!;
  return { ...configuration, macros: [...configuration.macros, ...also] };
}

test("counterexamples: one of each rule that the model has, and each rule has a mutant", () => {
  const names = modelled.map(({ name }) => name);
  assert.deepEqual(Object.keys(counterexamples), names);
  assert.deepEqual(names.filter((name) => everyMutant.every((mutant) => mutant.name !== name)), []);
});

/** Departures that belong to the mutant: where the response is given a former tag, the registry calls it stored. */
const DEPARTURES: Readonly<Record<string, string>> = {
  "minted tag kept for another response": "10. handler 0 is refused: the response is registered",
};

for (const rule of modelled) {
  const { name } = rule;
  const steps = counterexamples[name]!;
  test(`replay: without the rule "${name}", the library takes every step to a wrong answer`, async () => {
    const mutant = everyMutant.find((each) => each.name === name)!;
    const { wrong, departure } = await withMutant(
      mutant,
      (library) => replay(library, configurationOf(rule), steps),
    );
    assert.equal(departure, DEPARTURES[name]);
    assert.ok(wrong !== undefined, "the answer is right");
  });

  test(`replay: with the rule "${name}", the same steps lead to no wrong answer`, async () => {
    const library = await loadLibrary(new URL("../../", import.meta.url));
    const { wrong } = await replay(library, configurationOf(rule), steps);
    assert.equal(wrong, undefined);
  });
}
