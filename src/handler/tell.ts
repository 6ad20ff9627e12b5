/**
 * Tells what observes a registry what became of a request.
 *
 * @module
 */
import type { Outcome } from "../registry/reason.ts";
import type { Forwarding } from "./cache_status.ts";
import type { HandlerContext } from "./context.ts";

/** Of a request that was answered without the handler. */
export function tellAnswered({ registry }: HandlerContext, request: Request, reason: Outcome): void {
  registry.observers.tell?.({
    request,
    reason,
    handlerStatus: undefined,
    stored: false,
    refusal: undefined,
  });
}

/** Of a request that the handler answered. */
export function tellForwarded({ registry }: HandlerContext, request: Request, forwarding: Forwarding): void {
  registry.observers.tell?.({ request, ...forwarding });
}
