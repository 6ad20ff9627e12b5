/**
 * Counts how a request has ended, and tells what observes the registry what became of it.
 *
 * @module
 */
import type { RegistryCore } from "../registry/core.ts";
import type { Decision } from "../registry/decision.ts";
import type { Outcome } from "../registry/reason.ts";

/** What became of a request besides how it has ended. */
type Told = Partial<Omit<Decision, "request" | "end">>;

/**
 * Counts how a request has ended, and tells it.
 *
 * @param end One of `requestEnds`.
 * @param told Default: the handler did not run, for the reason that `end` is.
 */
export function endRequest(registry: RegistryCore, request: Request, end: Outcome, told?: Told): void {
  registry.count(end);
  tellEnd(registry, request, end, told);
}

/** The same where it has been counted. */
export function tellEnd({ observers }: RegistryCore, request: Request, end: Outcome, told?: Told): void {
  observers.tell?.({
    request,
    end,
    reason: told?.reason ?? end,
    handlerStatus: told?.handlerStatus,
    stored: told?.stored ?? false,
    refusal: told?.refusal,
  });
}
