/**
 * A request as the handler is to see it: with another method, or without its `Range`, and otherwise the same.
 *
 * @module
 */

/** What a copy has of its own; its fields are a copy of the request's. */
const OWN: ReadonlySet<PropertyKey> = /* @__PURE__ */ new Set(["constructor", "headers", "method", "clone"]);

/**
 * A GET for the whole representation: without `Range`. Its signal, URL and other fields are the request's, and so is
 * what a server or a middleware has added to the request, on the object or by a class of its own.
 *
 * The request itself is not written to: it belongs to the caller.
 */
export function wholeRequest<Req extends Request>(request: Req): Req {
  const headers = new Headers(request.headers);
  headers.delete("range");
  const copy = copyOf(request, { method: "GET", headers });
  // Bun takes no fields at all for those of the request.
  copy.headers.delete("range");
  for (const [name, owner] of addedNames(request, copy)) forward(copy, name, request, owner);
  return copy as Req;
}

function copyOf(request: Request, init: { readonly method: string; readonly headers: Headers }): Request {
  try {
    return new Request(request, init);
  } catch {
    // What some servers pass is no Request of this platform, but an object with the same properties.
    return new Request(request.url, { ...init, signal: request.signal ?? null });
  }
}

/** The names that the object or a class of its own has beyond those of `Request`, and the object that has each. */
function addedNames(request: Request, copy: Request): Map<PropertyKey, object> {
  const names = new Map<PropertyKey, object>();
  const { prototype } = Request;
  for (
    let owner: object | null = request;
    owner !== null && owner !== prototype && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner)
  ) {
    for (const name of Reflect.ownKeys(owner)) {
      // By the symbols of its class, a server reaches what the object stands for, with the `Range` in it.
      const isAdded = typeof name === "string" || (owner === request && !(name in copy));
      if (isAdded && !OWN.has(name) && !names.has(name)) names.set(name, owner);
    }
  }
  return names;
}

/** Lets a property of the copy be that of the request. A method is called on the request: it may use private fields. */
function forward(copy: Request, name: PropertyKey, request: Request, owner: object): void {
  const { value } = Object.getOwnPropertyDescriptor(owner, name) ?? {};
  const get = typeof value === "function" && owner !== request
    ? () => value.bind(request)
    : () => Reflect.get(request, name, request);
  const set = (given: unknown) => void Reflect.set(request, name, given, request);
  Object.defineProperty(copy, name, { get, set, configurable: true, enumerable: true });
}
