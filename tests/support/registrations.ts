/** Short hands for filling a registry. */
import type { Change, ChangeBatch } from "../../src/changes/change.ts";
import type { Clock } from "../../src/changes/clock.ts";
import { instant } from "../../src/changes/clock.ts";
import type { EtagRegistry, Reason } from "../../src/registry/registry.ts";
import type { StoredEntry } from "../../src/registry/entry.ts";
import type { Registration } from "../../src/registry/entry.ts";
import type { DeclaredDependency, Dependency } from "../../src/http/dependency.ts";
import { coreOf } from "../../src/registry/core.ts";

export const NO_FIELDS: Headers = new Headers();

/** A dependency as the registry gets it. */
export function declared(dependency: Dependency): DeclaredDependency {
  return typeof dependency === "string" ? { _id: dependency, _rev: undefined } : dependency;
}

/** What a response offers that depends on these dependencies. */
export function offer(
  dependencies: readonly Dependency[],
  more: Partial<Registration> = {},
): Registration {
  return {
    etag: '"1"',
    representation: "r",
    lastModified: undefined,
    fields: {},
    isPublic: true,
    anyOrigin: true,
    expires: Infinity,
    vary: [],
    dependencies: dependencies.map(declared),
    ...more,
  };
}

/** Takes a lease and registers at once. */
export function keep(
  registry: EtagRegistry,
  key: string,
  dependencies: readonly Dependency[],
  more: Partial<Registration> & { readonly caller?: string; readonly headers?: HeadersInit } = {},
): StoredEntry | Reason {
  const { caller, headers, ...rest } = more;
  return coreOf(registry).register(
    coreOf(registry).lease(key, caller),
    offer(dependencies, rest),
    new Headers(headers),
  );
}

/** The tag that answers, or why none does. */
export function ask(registry: EtagRegistry, key: string, headers: HeadersInit = {}, caller?: string): string {
  const entry = coreOf(registry).lookup(key, new Headers(headers), caller);
  return typeof entry === "string" ? entry : entry.etag;
}

/** A live batch whose contact is now. */
export function live(
  clock: Clock,
  changes: readonly Change[] = [],
  more: Partial<ChangeBatch> = {},
): ChangeBatch {
  return { changes, position: undefined, state: "live", contact: instant(clock), ...more };
}

export const noGroups = (): Iterable<string> => [];
