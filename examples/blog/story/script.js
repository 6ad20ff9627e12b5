// @ts-check
/**
 * Puts what has happened since into the story of a page: the last request for it, whether this copy is still good, the
 * last change. The page itself, as a 304 confirms it, stays as it is.
 */

const panel = /** @type {HTMLElement} */ (document.querySelector(".story"));

/**
 * Only what differs is replaced, so that nothing is announced twice.
 *
 * @param {Record<string, string>} told
 */
function show(told) {
  for (const [name, text] of Object.entries(told)) {
    const place = panel.querySelector(`[data-tell="${name}"]`);
    if (place !== null && place.textContent !== text) place.textContent = text;
  }
  panel.dataset["answer"] = told["answer"];
  panel.dataset["copy"] = told["goodness"];
}

/** @type {EventSource | undefined} */
let events;

/** A browser has six connections to a site: a page that is not seen needs none. */
function connect() {
  events?.close();
  events = undefined;
  if (document.visibilityState === "hidden") return;
  const query = new URLSearchParams({
    path: location.pathname + location.search,
    built: panel.dataset["built"] ?? "",
  });
  events = new EventSource(`/story/events?${query}`);
  events.onmessage = ({ data }) => show(JSON.parse(data));
}

for (const code of panel.querySelectorAll("[data-edit]")) {
  code.textContent = `curl -X POST ${location.origin}${/** @type {HTMLElement} */ (code).dataset["edit"]}`;
  /** @type {HTMLElement} */ (code.parentElement).hidden = false;
}
document.addEventListener("visibilitychange", connect);
addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", connect);
