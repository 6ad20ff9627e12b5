// @ts-check
/**
 * The page of the inspector: draws what the server tells it twice a second, and asks for entries. It writes no markup:
 * every text goes into the page as text.
 */

/**
 * @typedef {import("../events.ts").Told} Told
 * @typedef {import("../events.ts").ShownDecision} ShownDecision
 * @typedef {import("../entries.ts").ShownEntry} ShownEntry
 * @typedef {import("../entries.ts").Found} Found
 * @typedef {import("../state.ts").FeedState} FeedState
 * @typedef {import("../state.ts").RegistryState} RegistryState
 * @typedef {import("../state.ts").Sample} Sample
 */

/** What a chart may show, in ms: the least that holds all samples. */
const SPANS = [60_000, 120_000, 300_000];
const MINUTE = 60_000;
const MOST_SAMPLES = 600;
/** Decisions that are kept, and that are in the list at once. */
const MOST_KEPT = 1_000;
const MOST_ROWS = 100;
/** Columns of a chart. */
const COLUMNS = 100;

/** How requests end: the place in a sample, the class of its colour, its name, and the reasons in it. */
const ENDS = /** @type {const} */ ([
  [1, "hit", "304 from the registry", ["hit"]],
  [2, "late", "304 after the handler", ["not-modified"]],
  [3, "run", "answered by the handler", ["handled"]],
  [4, "bad-ink", "412 and 428", ["precondition-failed", "precondition-failed-late", "precondition-required"]],
  [5, "other", "errors, and passed on", ["handler-threw", "current-threw", "passed-on"]],
]);

const STATES = {
  live: "Live: the registry answers",
  manual: "Manual: the registry answers",
  suspended: "Suspended: every handler runs",
  unfollowed: "Unfollowed: every handler runs",
};

const FEED_STATES = {
  live: "live",
  waiting: "not live yet",
  lost: "contact lost",
  stale: "no contact within maxLag",
  ended: "ended",
};

/** @type {Record<string, { meaning: string, cure: string }>} */
const causes = JSON.parse(byId("causes").textContent ?? "{}");

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}

/**
 * Only what differs is replaced, so that nothing is read out twice.
 *
 * @param {HTMLElement} place
 * @param {string} text
 */
function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const attribute in attributes) element.setAttribute(attribute, attributes[attribute] ?? "");
  element.append(...children);
  return element;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function drawn(name, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const attribute in attributes) element.setAttribute(attribute, String(attributes[attribute]));
  return element;
}

// To make one takes a hundred times as long as to use it.
const ones = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const times = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** @param {number} value */
function count(value) {
  return (value < 10 ? tenths : ones).format(value);
}

/** @param {number} bytes */
function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  for (; bytes >= 1_000 && at < units.length - 1; at++) bytes /= 1_000;
  return `${count(at === 0 ? Math.round(bytes) : bytes)} ${units[at]}`;
}

/** @param {number} ms */
function duration(ms) {
  if (ms < 1) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 1_000) return `${count(ms)} ms`;
  if (ms < MINUTE) return `${count(ms / 1_000)} s`;
  if (ms < 60 * MINUTE) return `${count(Math.floor(ms / MINUTE))} min`;
  return ms < 48 * 60 * MINUTE
    ? `${count(Math.floor(ms / MINUTE / 60))} h`
    : `${count(Math.floor(ms / MINUTE / 60 / 24))} days`;
}

/** @param {number} time */
function clock(time) {
  return times.format(time);
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(share > 0.995 && share < 1 ? 2 : 1).replace(/\.0$/, "")} %`;
}

/**
 * A part that is made when it is first opened: of a hundred rows few are.
 *
 * @param {HTMLElement} summary
 * @param {() => (Node | string)[]} contents
 */
function opened(summary, contents) {
  const details = make("details", {}, summary);
  const open = () => details.append(make("div", { class: "detail" }, ...contents()));
  details.addEventListener("toggle", open, { once: true });
  return details;
}

// ——— Charts

/** @type {Sample[]} */
let samples = [];

/**
 * The difference of two moments of which the first is at least as old as asked, or the oldest there is.
 *
 * @param {number} age
 */
function since(age) {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const first = samples.find(([time]) => time >= last[0] - age) ?? last;
  const requests = ENDS.reduce((sum, [at]) => sum + last[at] - first[at], 0);
  return { first, last, requests, seconds: (last[0] - first[0]) / 1_000 };
}

/** How much the charts show, in ms. */
function span() {
  const age = (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0);
  return SPANS.find((span) => span >= age) ?? 300_000;
}

/** The requests of each column of the charts, by how they ended; undefined where this page was not told anything. */
function columns() {
  const end = samples.at(-1)?.[0] ?? 0;
  const width = span() / COLUMNS;
  /** @type {({ seconds: number, counts: number[] } | undefined)[]} */
  const found = new Array(COLUMNS).fill(undefined);
  for (let at = 1; at < samples.length; at++) {
    const before = /** @type {Sample} */ (samples[at - 1]);
    const sample = /** @type {Sample} */ (samples[at]);
    const seconds = (sample[0] - before[0]) / 1_000;
    const place = COLUMNS - 1 - Math.floor((end - sample[0]) / width);
    // No page was open in between.
    if (place < 0 || seconds <= 0 || seconds > 5) continue;
    const column = found[place] ??= { seconds: 0, counts: ENDS.map(() => 0) };
    column.seconds += seconds;
    ENDS.forEach(([end], index) => {
      // A registry that began anew counts from zero.
      column.counts[index] = (column.counts[index] ?? 0) + Math.max(0, sample[end] - before[end]);
    });
  }
  return found;
}

function drawCharts() {
  const found = columns();
  drawShare(found);
  drawRates(found);
  document.querySelectorAll(".from").forEach((place) => {
    write(/** @type {HTMLElement} */ (place), `${span() / MINUTE} min ago`);
  });
}

const WIDTH = 600;
const HEIGHT = 150;

function gridLines() {
  return [0, 0.5, 1].map((share) => {
    const y = 1 + share * (HEIGHT - 2);
    return drawn("line", { class: "grid", x1: 0, x2: WIDTH, y1: y, y2: y });
  });
}

/** @param {ReturnType<typeof columns>} found */
function drawShare(found) {
  const chart = byId("share-chart");
  /** @type {[number, number][][]} */
  const lines = [];
  /** @type {[number, number][]} */
  let line = [];
  let least = 1;
  found.forEach((column, at) => {
    const all = column?.counts.reduce((sum, one) => sum + one, 0) ?? 0;
    if (column === undefined) line = [];
    if (all === 0) return;
    const share = (column?.counts[0] ?? 0) / all;
    least = Math.min(least, share);
    if (line.length === 0) lines.push(line);
    line.push([(at + 0.5) * WIDTH / COLUMNS, 2 + (1 - share) * (HEIGHT - 4)]);
  });
  const shapes = lines.flatMap((points) => {
    const [x0] = points[0] ?? [0];
    const [x1] = points.at(-1) ?? [0];
    const path = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
    // A single column is a short line.
    const stroke = points.length === 1 ? `M${path}h3` : `M${path}`;
    return [
      drawn("path", { class: "area", d: `M${x0},${HEIGHT}L${path}L${x1},${HEIGHT}Z` }),
      drawn("path", { class: "line", d: stroke }),
    ];
  });
  chart.replaceChildren(...gridLines(), ...shapes);
  const minute = since(MINUTE);
  const label = minute === undefined || minute.requests === 0
    ? "No request in the last minute"
    : `${percent((minute.last[1] - minute.first[1]) / minute.requests)} in the last minute; the least was ${
      percent(least)
    }`;
  chart.setAttribute("aria-label", label);
}

/** @param {ReturnType<typeof columns>} found */
function drawRates(found) {
  const chart = byId("rate-chart");
  const rates = found.map((column) => column?.counts.map((one) => one / column.seconds));
  const most = Math.max(1, ...rates.map((rate) => rate?.reduce((sum, one) => sum + one, 0) ?? 0));
  const width = WIDTH / COLUMNS;
  // One path for each colour: a rectangle for each part would be five hundred elements.
  const paths = ENDS.map(() => "");
  rates.forEach((rate, at) => {
    let y = HEIGHT;
    rate?.forEach((one, end) => {
      const height = one / most * (HEIGHT - 2);
      if (height <= 0) return;
      y -= height;
      paths[end] += `M${(at * width).toFixed(1)},${y.toFixed(1)}h${width - 1}v${height.toFixed(1)}h${
        1 - width
      }Z`;
    });
  });
  const shapes = ENDS.map(([, colour], at) => drawn("path", { class: colour, d: paths[at] ?? "" }));
  chart.replaceChildren(...gridLines(), ...shapes);
  write(byId("rate-most"), `at most ${count(most)}/s`);
  const minute = since(MINUTE);
  const parts = minute === undefined
    ? []
    : ENDS.map(([at, , name]) => `${count(minute.last[at] - minute.first[at])} ${name}`);
  chart.setAttribute(
    "aria-label",
    parts.length === 0 ? "No request yet" : `In the last minute: ${parts.join(", ")}`,
  );
}

/** @param {RegistryState} state */
function showNumbers(state) {
  const minute = since(MINUTE);
  const recent = since(5_000);
  if (minute === undefined || recent === undefined) return;
  const all = ENDS.reduce((sum, [at]) => sum + minute.last[at], 0);
  const isRecent = minute.requests > 0;
  const hits = isRecent ? minute.last[1] - minute.first[1] : minute.last[1];
  const requests = isRecent ? minute.requests : all;
  write(byId("share"), requests === 0 ? "–" : percent(hits / requests));
  write(byId("share-note"), isRecent ? "of the last minute" : "since the start");
  write(byId("rate"), recent.seconds > 0 ? count(recent.requests / recent.seconds) : "–");
  const runs = minute.last[6] - minute.first[6];
  const [time, note] = runs > 0
    ? [(minute.last[7] - minute.first[7]) / runs, "on average, last minute"]
    : [state.handlerSeconds / state.handlerRuns, "on average, since the start"];
  write(byId("time"), state.handlerRuns === 0 ? "–" : duration(1_000 * time));
  write(byId("time-note"), state.running > 0 ? `${note}; ${state.running} running` : note);
  const isUnknown = state.savedBytes === 0 && minute.last[1] + minute.last[2] > 0;
  write(byId("saved"), isUnknown ? "–" : size(state.savedBytes));
  write(byId("saved-note"), isUnknown ? "no length is known" : "since the start");
  write(byId("entries"), count(state.entries));
  write(byId("entries-note"), `${count(state.groups)} groups, ${size(state.bytes)}`);
  const rows = ENDS.map(([at, colour, name, reasons]) => {
    const total = reasons.reduce((sum, reason) => sum + (state.counters[reason] ?? 0), 0);
    return [colour, name, count(total), count(minute.last[at] - minute.first[at])];
  });
  showRows(byId("outcomes"), rows.map(([, ...cells]) => cells), (row, at) => {
    row.firstElementChild?.prepend(make("span", { class: `swatch ${rows[at]?.[0]}`, "aria-hidden": "true" }));
  });
}

/**
 * Fills a table; its rows are made anew only where there are others.
 *
 * @param {HTMLElement} table
 * @param {(string | undefined)[][]} rows
 * @param {(row: HTMLElement, at: number) => void} [finish]
 */
function showRows(table, rows, finish) {
  const body = /** @type {HTMLTableSectionElement} */ (table.querySelector("tbody"));
  if (body.rows.length !== rows.length) {
    body.replaceChildren(...rows.map((cells, index) => {
      const row = make(
        "tr",
        {},
        ...cells.map((_, at) => at === 0 ? make("th", { scope: "row" }, make("span")) : make("td")),
      );
      finish?.(row, index);
      return row;
    }));
  }
  rows.forEach((cells, index) => {
    const row = /** @type {HTMLTableRowElement} */ (body.rows[index]);
    cells.forEach((text, at) => {
      const cell = /** @type {HTMLElement} */ (row.cells[at]);
      const place = at === 0 ? /** @type {HTMLElement} */ (cell.lastElementChild) : cell;
      if (at > 0 && /^[\d,.]+$/.test(text ?? "")) cell.classList.add("number");
      write(place, text ?? "");
    });
  });
}

/** @param {RegistryState} state */
function showReasons({ counters }) {
  const rows = Object.entries(counters).filter(([, times]) => times > 0)
    .map(([reason, times]) => [reason, count(times), causes[reason]?.meaning ?? ""]);
  showRows(byId("reasons"), rows);
}

// ——— The state, and the feeds

/** @param {RegistryState} state */
function showState({ state, trouble, version }) {
  byId("state").dataset["state"] = state;
  write(byId("state-text"), STATES[state] + (version === undefined ? "" : `, build ${version}`));
  const banner = byId("trouble");
  if (trouble !== undefined) {
    // The banner is there before its text, so that it is read out.
    banner.hidden = false;
    write(byId("trouble-what"), trouble.what);
    const advice = byId("trouble-advice");
    if (advice.dataset["shown"] !== trouble.advice.join("\n")) {
      advice.dataset["shown"] = trouble.advice.join("\n");
      advice.replaceChildren(...trouble.advice.map((text) => make("li", {}, text)));
    }
  } else if (!banner.hidden) {
    banner.hidden = true;
    write(byId("trouble-what"), "");
  }
}

/** The changes of each feed when they were last told. @type {Map<string, [time: number, changes: number][]>} */
const changesOf = new Map();

/** @param {RegistryState} state */
function showFeeds({ feeds, time }) {
  const place = byId("feeds");
  if (feeds.length === 0) return;
  const names = feeds.map(({ name }) => name).join("\n");
  if (place.dataset["names"] !== names) {
    place.dataset["names"] = names;
    place.replaceChildren(...feeds.map(() => make("article", { class: "card" })));
  }
  feeds.forEach((feed, at) => showFeed(/** @type {HTMLElement} */ (place.children[at]), feed, time));
}

/**
 * @param {HTMLElement} card
 * @param {FeedState} feed
 * @param {number} now
 */
function showFeed(card, feed, now) {
  const {
    name,
    state,
    lag,
    maxLag,
    replicaLag,
    position,
    changes,
    losses,
    recoveries,
    lostAt,
    lastReset,
    fault,
  } = feed;
  const told = changesOf.get(name) ?? [];
  changesOf.set(name, told);
  told.push([now, changes]);
  while (told.length > 20) told.shift();
  const [[before, fewer] = [now, changes]] = told;
  const rate = now > before ? Math.max(0, changes - fewer) / (now - before) * 1_000 : 0;
  const ago = (/** @type {number} */ time) => `${clock(time)}, ${duration(Math.max(0, now - time))} ago`;
  /** @type {[string, string][]} */
  const pairs = [
    ["Lag", `${lag === undefined ? "no contact yet" : duration(lag)}, at most ${duration(maxLag)}`],
    ["Position", position ?? "none"],
    ["Changes", `${count(changes)}, ${count(rate)} a second`],
    [
      "Reconnects",
      losses === 0
        ? "none"
        : `${count(recoveries)} after ${count(losses)} ${losses === 1 ? "loss" : "losses"}`,
    ],
    ["Last loss", lostAt === undefined ? "none" : ago(lostAt)],
    ["Last reset", lastReset === undefined ? "none" : `${lastReset.reason}, ${ago(lastReset.at)}`],
    ["Fault", fault ?? "none"],
  ];
  if (replicaLag > 0) pairs.push(["Replica lag", duration(replicaLag)]);
  card.dataset["state"] = state;
  if (card.childElementCount === 0 || card.querySelectorAll("dd").length !== pairs.length) {
    const title = make("h3", {}, make("span", { class: "dot", "aria-hidden": "true" }), make("span"));
    card.replaceChildren(
      title,
      make(
        "dl",
        { class: "facts" },
        ...pairs.map(([key]) => make("div", {}, make("dt", {}, key), make("dd"))),
      ),
    );
  }
  write(
    /** @type {HTMLElement} */ (card.querySelector("h3 > span + span")),
    `${name}: ${FEED_STATES[state]}`,
  );
  card.querySelectorAll("dd").forEach((place, at) => write(place, pairs[at]?.[1] ?? ""));
}

// ——— Decisions

/** The latest, newest first. @type {ShownDecision[]} */
let decisions = [];
/** Those that came while the list was paused. */
let isPaused = false;
let untold = 0;

/** @param {ShownDecision} decision */
function isWanted({ reason, refusal, method, path, status }) {
  const kind = field("kind").value;
  if (kind === "hit" && reason !== "hit") return false;
  if (kind === "run" && status === undefined) return false;
  if (kind === "refused" && refusal === undefined) return false;
  const words = field("words").value.trim().toLowerCase();
  return words === "" || `${method} ${path} ${reason} ${refusal ?? ""}`.toLowerCase().includes(words);
}

/** @param {ShownDecision} decision */
function decisionRow({ time, method, path, reason, refusal, status, stored, text, sections }) {
  const [badge, colour] = reason === "hit"
    ? ["304 registry", "hit"]
    : status !== undefined
    ? [`${status} handler`, status >= 500 ? "bad-ink" : "run"]
    : [reason, "bad-ink"];
  const outcome = reason === "hit"
    ? ""
    : refusal !== undefined
    ? `${reason}, ${refusal}`
    : stored
    ? `${reason}, registered`
    : reason;
  const summary = make(
    "summary",
    {},
    make(
      "span",
      { class: "row" },
      make("span", { class: "quiet" }, clock(time)),
      make("span", { class: `badge ${colour}` }, badge),
      make("code", {}, `${method} ${path}`),
      make("span", { class: "quiet" }, outcome),
    ),
  );
  return make(
    "li",
    {},
    opened(summary, () => {
      const links = sections.length === 0
        ? ["A rule of this library: docs/http.md and docs/consistency.md."]
        : sections.flatMap((section) => [link(section), " "]);
      return [make("p", {}, text), make("p", {}, ...links)];
    }),
  );
}

/** @param {string} section */
function link(section) {
  const [, rfc, place] = /^RFC (\d+) §(.+)$/.exec(section) ?? [];
  const href = `https://www.rfc-editor.org/rfc/rfc${rfc}.html#section-${place}`;
  return make("a", { href, rel: "noreferrer noopener", target: "_blank" }, section);
}

/** @param {readonly ShownDecision[]} added */
function addDecisions(added) {
  decisions = [...added].reverse().concat(decisions).slice(0, MOST_KEPT);
  if (isPaused) return showDecisionNote();
  const list = byId("decisions");
  const rows = added.filter(isWanted).slice(-MOST_ROWS).reverse().map(decisionRow);
  // What is being read stays where it is: rows come above it.
  list.prepend(...rows);
  while (list.childElementCount > MOST_ROWS) {
    const last = list.lastElementChild;
    if (last?.contains(document.activeElement)) break;
    last?.remove();
  }
  showDecisionNote();
}

function showDecisions() {
  byId("decisions").replaceChildren(...decisions.filter(isWanted).slice(0, MOST_ROWS).map(decisionRow));
  showDecisionNote();
}

function showDecisionNote() {
  if (decisions.length === 0) return;
  const shown = byId("decisions").childElementCount;
  const more = untold > 0 ? ` ${count(untold)} more were too many to be told.` : "";
  write(
    byId("decision-note"),
    `${count(shown)} of the last ${count(decisions.length)}.${more}${isPaused ? " Paused." : ""}`,
  );
}

field("kind").addEventListener("change", showDecisions);
field("words").addEventListener("input", showDecisions);
byId("pause").addEventListener("click", () => {
  isPaused = !isPaused;
  byId("pause").setAttribute("aria-pressed", String(isPaused));
  showDecisions();
});

// ——— Entries

/** @type {AbortController | undefined} */
let searching;

/** @param {ShownEntry} entry */
function entryRow(entry) {
  const { resource, state, groupCount } = entry;
  const summary = make(
    "summary",
    {},
    make(
      "span",
      { class: "row" },
      make("span", { class: `badge ${state === "valid" ? "hit" : "run"}` }, state),
      make("code", {}, resource),
      make("span", { class: "quiet" }, `${count(groupCount)} ${groupCount === 1 ? "group" : "groups"}`),
    ),
  );
  return opened(summary, () => [entryFacts(entry)]);
}

/** @param {ShownEntry} entry */
function entryFacts(entry) {
  const { etag, since: from, place, caller, variant, groups, groupCount, changed } = entry;
  const { fields, length, expires, isPublic } = entry;
  const now = samples.at(-1)?.[0] ?? Date.now();
  const age = from === undefined
    ? `not known: it came before this page was open, as number ${count(place)} of those that are kept`
    : `${duration(Math.max(0, now - from))}, since ${clock(from)}`;
  const names = groups.map((group) => {
    const button = make(
      "button",
      { type: "button", class: "group", title: "What is void if this changes?" },
      group,
    );
    button.addEventListener("click", () => {
      field("by").value = "dependents";
      field("text").value = group;
      search();
      field("text").focus();
    });
    return button;
  });
  const more = groupCount > groups.length ? [`and ${count(groupCount - groups.length)} more`] : [];
  /** @type {[string, (Node | string)[]][]} */
  const pairs = [
    ["Tag", [make("code", {}, etag)]],
    ["Age", [age]],
    [
      "Depends on",
      names.length === 0
        ? ["nothing"]
        : [make("ul", { class: "groups" }, ...names.map((name) => make("li", {}, name))), ...more],
    ],
    ["For", [caller ?? (isPublic ? "everyone" : "requests without Cookie and Authorization")]],
    ["Variant", [variant.length === 0 ? "the only one" : variant.join(", ")]],
    [
      "A 304 repeats",
      fields.length === 0 ? ["nothing but the tag"] : [make(
        "ul",
        {},
        ...fields.map(([name, value]) => make("li", {}, make("code", {}, `${name}: ${value}`))),
      )],
    ],
    ["Content", [length > 0 ? `${size(length)}, which each 304 saves` : "of unknown length"]],
  ];
  if (changed.length > 0) pairs.unshift(["Void", [`changed: ${changed.join(", ")}`]]);
  if (expires !== undefined) pairs.push(["Ends", [clock(expires)]]);
  return make(
    "dl",
    { class: "pairs" },
    ...pairs.flatMap(([key, value]) => [make("dt", {}, key), make("dd", {}, ...value)]),
  );
}

async function search() {
  searching?.abort();
  const { signal } = searching = new AbortController();
  const [by, text] = [field("by").value, field("text").value];
  const note = byId("found-note");
  write(note, "Looking…");
  try {
    const response = await fetch(`?${new URLSearchParams({ by, text })}`, { signal, cache: "no-store" });
    if (!response.ok) throw new Error(await response.text());
    const { entries, total, lookedAt } = /** @type {Found} */ (await response.json());
    const what = by === "dependents"
      ? `${total === 1 ? "entry depends" : "entries depend"} on ${JSON.stringify(text)}`
      : total === 1
      ? "entry"
      : "entries";
    const shown = total > entries.length ? ` The newest ${count(entries.length)} are shown.` : "";
    byId("found").replaceChildren(...entries.map(entryRow));
    write(note, `${count(total)} ${what}, of ${count(lookedAt)}.${shown}`);
  } catch (error) {
    if (!signal.aborted) write(note, `The search failed: ${/** @type {Error} */ (error).message}`);
  }
}

byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});

// ——— The stream

/** @type {EventSource | undefined} */
let events;

/** A browser has six connections to a site, and the server works for each open page: one that is not seen needs none. */
function connect() {
  events?.close();
  events = undefined;
  if (document.visibilityState === "hidden") return;
  events = new EventSource("?events");
  let isFirst = true;
  events.onmessage = ({ data }) => {
    const told = /** @type {Told} */ (JSON.parse(data));
    if (isFirst) {
      // The server tells all that it has.
      samples = [];
      decisions = [];
      byId("decisions").replaceChildren();
    }
    isFirst = false;
    samples = samples.concat(told.samples).slice(-MOST_SAMPLES);
    untold = told.untold;
    const newest = decisions[0]?.number ?? 0;
    showState(told.state);
    showFeeds(told.state);
    showNumbers(told.state);
    showReasons(told.state);
    addDecisions(told.decisions.filter(({ number }) => number > newest));
    drawCharts();
  };
  events.onerror = () => {
    // It connects again by itself, and is told all anew.
    isFirst = true;
    byId("state").dataset["state"] = "unknown";
    write(
      byId("state-text"),
      events?.readyState === 2
        ? "This page is told nothing any more: reload it"
        : "The server does not answer: connecting again…",
    );
  };
}

document.addEventListener("visibilitychange", connect);
addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", connect);
