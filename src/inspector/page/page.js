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
 *
 * What the server tells of one moment: time, 304s from the registry, 304s after the handler, answers of the handler, 412s
 * and 428s, errors, runs of the handler, their seconds, bytes saved; and, added here, what was passed on.
 * @typedef {number[]} Sample
 */

/** What a chart may show, in ms: the least that holds all samples. */
const SPANS = [60_000, 120_000, 300_000];
const MINUTE = 60_000;
const MOST_SAMPLES = 600;
/** Decisions that are kept, and that are in the list at once: fewer where the list has no scrollbar of its own. */
const MOST_KEPT = 1_000;
const MOST_ROWS = 100;
const MOST_NARROW_ROWS = 25;
/** Rows that stay, though newer ones have come, because they are open or have the focus. */
const MOST_SPARED = 20;
/** How long the page may be told nothing before it says so, and before it asks anew, in ms. */
const PATIENCE = 3_000;
const SILENCE = 10_000;
/** Columns of a chart. */
const COLUMNS = 100;

/** How requests end: the place in a sample, the class of its colour, its name, and the reasons in it. */
const ENDS = /** @type {const} */ ([
  [1, "hit", "304 from the registry", ["hit"]],
  [2, "late", "304 after the handler", ["not-modified"]],
  [3, "run", "answered by the handler", ["handled"]],
  [4, "refused", "412 and 428", ["precondition-failed", "precondition-failed-late", "precondition-required"]],
  [5, "bad-ink", "errors", ["handler-threw", "current-threw"]],
  [9, "other", "passed on, not looked at", ["passed-on"]],
]);

/** What a client got, by how its request ended, and the class of its colour. @type {Record<string, [string, string]>} */
const BADGES = {
  "hit": ["304 registry", "hit"],
  "not-modified": ["304 handler", "late"],
  "precondition-failed": ["412 registry", "refused"],
  "precondition-failed-late": ["412 handler", "refused"],
  "precondition-required": ["428 registry", "refused"],
  "handler-threw": ["error in the handler", "bad-ink"],
  "current-threw": ["error in current", "bad-ink"],
  "passed-on": ["passed on", "other"],
};

/** The groups of the table of reasons. */
const FAMILIES = /** @type {const} */ ([
  ["end", "How requests ended"],
  ["run", "Why the handler had to run"],
  ["registration", "Why a response was not registered"],
  ["departure", "Why an entry left"],
  ["incident", "What else happened"],
]);

const STATES = {
  live: "Live: the registry answers",
  manual: "Manual: the registry answers",
  suspended: "Suspended: every handler runs",
  unfollowed: "Unfollowed: every handler runs",
};

const FEED_STATES = {
  live: "live",
  starting: "no contact yet",
  lost: "contact lost",
  stale: "no contact within maxLag",
  ended: "ended",
};

/** The texts of all reasons, and the family of each. */
const { causes, families } =
  /** @type {{ causes: Record<string, { meaning: string, cure: string }>, families: Record<string, string> }} */
  (JSON.parse(byId("causes").textContent ?? ""));

/** @param {string} id */
function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** @param {string} id */
function field(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id));
}

/**
 * Characters that cannot be seen, or that turn round what stands beside them, are shown by their numbers: a name must not
 * look like another.
 *
 * @param {string} text
 */
function visible(text) {
  // Most are of such characters alone, and seen at a glance.
  return /^[ -~]*$/.test(text) ? text : text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}

/**
 * A path as it is read: `%C3%A9` is é.
 *
 * @param {string} path
 */
function readable(path) {
  if (!path.includes("%")) return path;
  try {
    return decodeURI(path).replace(/\s/g, encodeURIComponent);
  } catch {
    return path;
  }
}

/**
 * Only what differs is replaced, so that nothing is read out twice.
 *
 * @param {HTMLElement} place
 * @param {string} text
 */
function write(place, text) {
  const shown = visible(text);
  if (place.textContent !== shown) place.textContent = shown;
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {(Node | string)[]} children
 */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const attribute in attributes) element.setAttribute(attribute, attributes[attribute] ?? "");
  element.append(...children.map((child) => typeof child === "string" ? visible(child) : child));
  return element;
}

/**
 * A sentence in which `code` stands between backticks.
 *
 * @param {string} sentence
 */
function prose(sentence) {
  return sentence.split("`").map((part, at) => at % 2 === 1 ? make("code", {}, part) : part);
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
  if (value > 0 && value < 0.05) return "< 0.1";
  return (value < 9.95 ? tenths : ones).format(value);
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} more
 */
function counted(number, one, more = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : more}`;
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
  if (ms === 0) return "0 s";
  if (ms < 0.9995) return `${Math.round(ms * 1_000)} µs`;
  if (ms < 999.5) return `${count(ms)} ms`;
  if (ms < 59_500) return `${count(ms / 1_000)} s`;
  if (ms < 60 * MINUTE) return `${count(Math.max(1, Math.floor(ms / MINUTE)))} min`;
  return ms < 48 * 60 * MINUTE
    ? `${count(Math.floor(ms / MINUTE / 60))} h`
    : counted(Math.floor(ms / MINUTE / 60 / 24), "day");
}

/** The time that was written last: rows of one moment have the same. */
let [second, written] = [0, ""];

/** @param {number} time */
function clock(time) {
  const now = Math.floor(time / 1_000);
  if (now !== second) [second, written] = [now, times.format(time)];
  return written;
}

/**
 * Never 0 or 100 where it is not: the few that are missing are what is looked for.
 *
 * @param {number} share
 */
function percent(share) {
  if (share > 0 && share < 0.001) return "< 0.1 %";
  if (share < 1 && share > 0.995) {
    return `${(Math.min(9_999, Math.floor(share * 10_000)) / 100).toFixed(2)} %`;
  }
  return `${(100 * share).toFixed(1).replace(/\.0$/, "")} %`;
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
 * Adds samples. A clock that was set back has begun anew: what it said before belongs to no time of now.
 *
 * @param {Told} told
 * @param {boolean} isAll Whether the server has told all that it has.
 */
function addSamples({ samples: added, state: { counters } }, isAll) {
  const passedOn = counters["passed-on"] ?? 0;
  const split = added.map((sample) => {
    const errors = Math.max(0, sample[5] - passedOn);
    return [...sample.slice(0, 5), errors, ...sample.slice(6, 9), sample[5] - errors];
  });
  const all = (isAll ? split : samples.concat(split)).slice(-MOST_SAMPLES);
  let next = Infinity;
  samples = all.reverse().filter(([time = 0]) => {
    if (time >= next) return false;
    next = time;
    return true;
  }).reverse();
}

/**
 * A number of a sample, or of none.
 *
 * @param {Sample | undefined} sample
 * @param {number} at
 */
function part(sample, at) {
  return sample?.[at] ?? 0;
}

/**
 * The difference of two moments of which the first is at least as old as asked, or the oldest there is.
 *
 * @param {number} age
 */
function since(age) {
  const last = samples.at(-1);
  if (last === undefined) return undefined;
  const first = samples.find((sample) => part(sample, 0) >= part(last, 0) - age);
  const more = (/** @type {number} */ at) => part(last, at) - part(first, at);
  const requests = ENDS.reduce((sum, [at]) => sum + more(at), 0);
  return { last, more, requests, seconds: more(0) / 1_000 };
}

/** How much the charts show, in ms. */
function span() {
  const age = part(samples.at(-1), 0) - part(samples[0], 0);
  return SPANS.find((span) => span >= age) ?? 300_000;
}

/** The requests of each column of the charts, by how they ended; undefined where this page was not told anything. */
function columns() {
  const end = part(samples.at(-1), 0);
  const width = span() / COLUMNS;
  /** @type {({ seconds: number, counts: number[] } | undefined)[]} */
  const found = new Array(COLUMNS).fill(undefined);
  for (let at = 1; at < samples.length; at++) {
    const [before, sample] = [samples[at - 1], samples[at]];
    const seconds = (part(sample, 0) - part(before, 0)) / 1_000;
    const place = COLUMNS - 1 - Math.floor((end - part(sample, 0)) / width);
    // No page was open in between.
    if (place < 0 || seconds <= 0 || seconds > 5) continue;
    const column = found[place] ??= { seconds: 0, counts: ENDS.map(() => 0) };
    column.seconds += seconds;
    ENDS.forEach(([end], index) => {
      // A registry that began anew counts from zero.
      column.counts[index] = (column.counts[index] ?? 0) + Math.max(0, part(sample, end) - part(before, end));
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
    const stroke = points.length === 1 ? `M${path}h6` : `M${path}`;
    return [
      drawn("path", { class: "area", d: `M${x0},${HEIGHT}L${path}L${x1},${HEIGHT}Z` }),
      drawn("path", { class: "line", d: stroke }),
    ];
  });
  chart.replaceChildren(...gridLines(), ...shapes);
  const minute = since(MINUTE);
  const label = minute === undefined || minute.requests === 0
    ? "No request in the last minute"
    : `${percent(minute.more(1) / minute.requests)} in the last minute; the least was ${percent(least)}`;
  chart.setAttribute("aria-label", label);
}

/**
 * A round number that is at least this, and at least 1.
 *
 * @param {number} most
 */
function scaleFor(most) {
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return ten * ([1, 2, 4, 6, 8].find((times) => times * ten >= most) ?? 10);
}

/** @param {ReturnType<typeof columns>} found */
function drawRates(found) {
  const chart = byId("rate-chart");
  const rates = found.map((column) => column?.counts.map((one) => one / column.seconds));
  const most = scaleFor(Math.max(...rates.map((rate) => rate?.reduce((sum, one) => sum + one, 0) ?? 0)));
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
  write(byId("rate-most"), `${count(most)}/s`);
  write(byId("rate-half"), `${count(most / 2)}/s`);
  const minute = since(MINUTE);
  const parts = minute === undefined ? [] : ENDS.map(([at, , name]) => `${count(minute.more(at))} ${name}`);
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
  const isRecent = minute.requests > 0;
  const requests = isRecent ? minute.requests : ENDS.reduce((sum, [at]) => sum + part(minute.last, at), 0);
  const hits = isRecent ? minute.more(1) : part(minute.last, 1);
  write(byId("share"), requests === 0 ? "–" : percent(hits / requests));
  write(byId("share-note"), isRecent ? "of the last minute" : "since the start");
  write(byId("rate"), recent.seconds > 0 ? count(recent.requests / recent.seconds) : "–");
  const [time, note] = minute.more(6) > 0
    ? [minute.more(7) / minute.more(6), "average, last minute"]
    : [state.handlerSeconds / state.handlerRuns, "average, since the start"];
  write(byId("time"), state.handlerRuns === 0 ? "–" : duration(1_000 * time));
  write(byId("time-note"), state.running > 0 ? `${note}; ${state.running} running` : note);
  const isUnknown = state.savedBytes === 0 && part(minute.last, 1) + part(minute.last, 2) > 0;
  write(byId("saved"), isUnknown ? "–" : size(state.savedBytes));
  write(byId("saved-note"), isUnknown ? "no length is known" : "since the start");
  write(byId("entries"), count(state.entries));
  write(byId("entries-note"), `${counted(state.groups, "group")}, ${size(state.bytes)}`);
  const body = /** @type {HTMLTableSectionElement} */ (byId("outcomes").querySelector("tbody"));
  ENDS.forEach(([at, colour, name, reasons], index) => {
    const total = reasons.reduce((sum, reason) => sum + (state.counters[reason] ?? 0), 0);
    const swatch = () => make("span", { class: `swatch ${colour}`, "aria-hidden": "true" });
    showRow(body, index, () => [swatch(), name], [count(total), count(minute.more(at))]);
  });
}

/**
 * Fills a row of a table, and makes it where it is missing.
 *
 * @param {HTMLTableSectionElement} body
 * @param {number} index
 * @param {() => (Node | string)[]} head
 * @param {string[]} numbers
 * @param {() => (Node | string)[]} [more] What stands in a last cell.
 */
function showRow(body, index, head, numbers, more) {
  if (body.rows[index] === undefined) {
    const cells = numbers.map(() => make("td", { class: "number" }));
    const last = more === undefined ? [] : [make("td", {}, ...more())];
    body.append(make("tr", {}, make("th", { scope: "row" }, ...head()), ...cells, ...last));
  }
  numbers.forEach((text, at) => {
    write(/** @type {HTMLElement} */ (body.rows[index]?.cells[at + 1]), text);
  });
}

/** @param {string} reason */
function familyOf(reason) {
  if (ENDS.some(([, , , reasons]) => /** @type {readonly string[]} */ (reasons).includes(reason))) {
    return "end";
  }
  const family = families[reason];
  return family === "outcome" || family === "lookup" ? "run" : family;
}

/** The reasons that the table shows. */
let shownReasons = "";

/** @param {RegistryState} state */
function showReasons({ counters }) {
  const given = Object.entries(counters).filter(([, times]) => times > 0);
  const table = byId("reasons");
  const reasons = given.map(([reason]) => reason).join();
  if (reasons !== shownReasons) table.querySelectorAll("tbody").forEach((body) => body.remove());
  shownReasons = reasons;
  for (const [family, title] of FAMILIES) {
    const rows = given.filter(([reason]) => familyOf(reason) === family);
    if (rows.length === 0) continue;
    let body =
      /** @type {HTMLTableSectionElement | null} */ (table.querySelector(`[data-family="${family}"]`));
    if (body === null) {
      const heading = make("th", { scope: "rowgroup", colspan: "3" }, title);
      body = /** @type {HTMLTableSectionElement} */ (make(
        "tbody",
        { "data-family": family },
        make("tr", {}, heading),
      ));
      table.append(body);
    }
    rows.forEach(([reason, times], at) => {
      const { meaning = "", cure = "" } = causes[reason] ?? {};
      showRow(
        /** @type {HTMLTableSectionElement} */ (body),
        at + 1,
        () => [make("code", {}, reason)],
        [count(times)],
        () => [...prose(meaning), make("p", { class: "quiet" }, ...prose(cure))],
      );
    });
  }
}

// ——— The state, and the feeds

/** @param {RegistryState} state */
function showState({ state, trouble, version }) {
  byId("state").dataset["state"] = state;
  write(byId("state-text"), STATES[state] + (version === undefined ? "" : `, version ${version}`));
  document.title = `${trouble === undefined ? "" : `${state} – `}Stillfresh inspector`;
  const banner = byId("trouble");
  if (trouble !== undefined) {
    // The banner is there before its text, so that it is read out.
    banner.hidden = false;
    write(byId("trouble-what"), trouble.what);
    const advice = byId("trouble-advice");
    if (advice.dataset["shown"] !== trouble.advice.join("\n")) {
      advice.dataset["shown"] = trouble.advice.join("\n");
      advice.replaceChildren(...trouble.advice.map((text) => make("li", {}, ...prose(text))));
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
  const names = JSON.stringify(feeds.map(({ name }) => name));
  if (place.dataset["names"] !== names) {
    place.dataset["names"] = names;
    changesOf.clear();
    const cards = feeds.map(() => make("article", { class: "card" }));
    const none = make("p", { class: "quiet" }, "No feed is followed.");
    place.replaceChildren(...(cards.length > 0 ? cards : [none]));
  }
  feeds.forEach((feed, at) => showFeed(/** @type {HTMLElement} */ (place.children[at]), feed, time));
}

/**
 * Changes a second, of the last ten seconds.
 *
 * @param {FeedState} feed
 * @param {number} now
 */
function changeRate({ name, changes }, now) {
  const told = (changesOf.get(name) ?? []).filter(([time]) => time < now).slice(-20);
  changesOf.set(name, [...told, [now, changes]]);
  const [[before, fewer] = [now, changes]] = told;
  return now > before ? Math.max(0, changes - fewer) / (now - before) * 1_000 : 0;
}

/**
 * @param {HTMLElement} card
 * @param {FeedState} feed
 * @param {number} now
 */
function showFeed(card, feed, now) {
  const { name, state, lag, maxLag, replicaLag, position, changes } = feed;
  const { losses, recoveries, lostAt, lastReset, fault, faultAt } = feed;
  const ago = (/** @type {number} */ time) => `${clock(time)}, ${duration(Math.max(0, now - time))} ago`;
  const back = recoveries >= losses
    ? "and came back each time"
    : `and came back ${counted(recoveries, "time")}`;
  /** @type {[string, string][]} */
  const pairs = [
    [
      "Lag",
      (lag === undefined ? "no contact yet" : duration(lag)) +
      (maxLag > 0 ? `, at most ${duration(maxLag)}` : ""),
    ],
    ["Position", position ?? "none"],
    ["Changes", `${count(changes)}, ${count(changeRate(feed, now))} a second`],
    ["Losses", losses === 0 ? "none" : `lost ${counted(losses, "time")}, ${back}`],
    ["Last loss", lostAt === undefined ? "none" : ago(lostAt)],
    ["Last reset", lastReset === undefined ? "none" : `${lastReset.reason}, ${ago(lastReset.at)}`],
    ["Fault", fault === undefined ? "none" : faultAt === undefined ? fault : `${fault}, ${ago(faultAt)}`],
  ];
  if (replicaLag > 0) pairs.push(["Replica lag", duration(replicaLag)]);
  card.dataset["state"] = state;
  if (card.querySelectorAll("dd").length !== pairs.length) {
    const title = make("h3", {}, make("span", { class: "dot", "aria-hidden": "true" }), make("span"));
    const facts = pairs.map(([key]) => make("div", {}, make("dt", {}, key), make("dd")));
    card.replaceChildren(title, make("dl", { class: "facts" }, ...facts));
  }
  const title = /** @type {HTMLElement} */ (card.querySelector("h3 > span + span"));
  write(title, `${name}: ${FEED_STATES[state]}`);
  card.querySelectorAll("dd").forEach((place, at) => write(place, pairs[at]?.[1] ?? ""));
}

// ——— Decisions

/** The latest, newest first. @type {ShownDecision[]} */
let decisions = [];
/** Those of the moment in which the list was paused. @type {ShownDecision[] | undefined} */
let paused;
/** Whether it was paused because a row was opened: then it goes on when none is open any more. */
let waitsForRow = false;
let untold = 0;
/** What each row shows. @type {WeakMap<Element, ShownDecision>} */
const decisionOf = new WeakMap();
const narrow = matchMedia("(max-width: 30rem)");

/** Whether a decision passes the filter. @returns {(decision: ShownDecision) => boolean} */
function filter() {
  const kind = field("kind").value;
  const words = field("words").value.trim().toLowerCase();
  return ({ method, path, end, reason, refusal, status = 0 }) => {
    if (kind === "hit" && end !== "hit") return false;
    if (kind === "run" && status === 0) return false;
    if (kind === "refused" && refusal === undefined) return false;
    if (kind === "errors" && status < 500 && BADGES[end]?.[1] !== "bad-ink") return false;
    if (words === "") return true;
    return `${method} ${path} ${readable(path)} ${end} ${reason} ${refusal ?? ""}`.toLowerCase().includes(
      words,
    );
  };
}

/** @param {ShownDecision} decision */
function decisionRow(decision) {
  const { time, method, path, end, reason, refusal, status = 0, stored, text, sections } = decision;
  const [badge, colour] = BADGES[end] ?? [`${status} handler`, status >= 500 ? "bad-ink" : "run"];
  const outcome = [reason === end ? [] : reason, refusal ?? (stored ? "registered" : [])].flat().join(", ");
  const summary = make(
    "summary",
    {},
    make(
      "span",
      { class: "row" },
      make("span", { class: "quiet" }, clock(time)),
      make("span", { class: `badge ${colour}` }, badge),
      make("code", {}, `${method} ${readable(path)}`),
      make("span", { class: "quiet" }, outcome),
    ),
  );
  const details = opened(summary, () => {
    const links = sections.length === 0
      ? ["A rule of this library: docs/http.md and docs/consistency.md."]
      : sections.flatMap((section) => [link(section), " "]);
    const entry = make("button", { type: "button", class: "link" }, "Look for its entry");
    // A long path was cut.
    entry.addEventListener("click", () => searchFor("url", path.replace(/…$/, "")));
    return [make("p", {}, ...prose(text)), make("p", {}, ...links, entry)];
  });
  const row = make("li", {}, details);
  decisionOf.set(row, decision);
  return row;
}

/** @param {string} section */
function link(section) {
  const [, rfc, place] = /^RFC (\d+) §(.+)$/.exec(section) ?? [];
  const href = `https://www.rfc-editor.org/rfc/rfc${rfc}.html#section-${place}`;
  return make("a", { href, rel: "noreferrer noopener", target: "_blank" }, section);
}

/** Pauses the list while a row is open, so that it stays where it is read. @param {Event} event */
function waitForRow({ target }) {
  if (/** @type {HTMLDetailsElement} */ (target).open && paused === undefined) {
    waitsForRow = true;
    paused = decisions;
  }
  goOn();
}

/** Goes on if the list waits for a row, and none is open. */
function goOn() {
  showDecisions();
  if (!waitsForRow || byId("decisions").querySelector("details[open]") !== null) return;
  waitsForRow = false;
  paused = undefined;
  showDecisions();
}

/**
 * Puts rows in where they are missing, and takes out those that are too many, or that the filter does not let pass. A row
 * that is open or has the focus stays.
 */
function showDecisions() {
  const list = byId("decisions");
  const isWanted = filter();
  const passing = (paused ?? decisions).filter(isWanted);
  const wanted = passing.slice(0, narrow.matches ? MOST_NARROW_ROWS : MOST_ROWS);
  const kept = new Set(wanted);
  const focused = document.activeElement?.closest("#decisions > li");
  let spared = 0;
  for (const row of [...list.children]) {
    const decision = decisionOf.get(row);
    if (decision === undefined || kept.has(decision)) continue;
    const isRead = row === focused || /** @type {HTMLDetailsElement} */ (row.firstElementChild).open;
    if (isRead && isWanted(decision) && spared++ < MOST_SPARED) continue;
    row.remove();
  }
  let next = list.firstElementChild;
  const numberOf = (/** @type {Element} */ row) => decisionOf.get(row)?.number ?? 0;
  for (const decision of wanted) {
    while (next !== null && numberOf(next) > decision.number) next = next.nextElementSibling;
    if (next !== null && numberOf(next) === decision.number) next = next.nextElementSibling;
    else list.insertBefore(decisionRow(decision), next);
  }
  showDecisionNote(wanted.length, passing.length);
}

/**
 * @param {number} shown
 * @param {number} passing
 */
function showDecisionNote(shown, passing) {
  const last = paused?.[0]?.number ?? 0;
  const newer = paused === undefined
    ? 0
    : decisions.filter(({ number }) => number > last).filter(filter()).length;
  write(
    /** @type {HTMLElement} */ (byId("pause").firstElementChild),
    paused === undefined ? "Pause" : "Resume",
  );
  // A name that changes all the time would be read out all the time.
  write(byId("waiting"), paused === undefined ? "" : ` (${count(newer)} new)`);
  const noted = (paused ?? decisions).length;
  if (noted === 0) return;
  const isSifted = passing < noted;
  const newest = shown < passing ? `Newest ${count(shown)} of ` : "";
  const matches = isSifted ? `${count(passing)} that match, of ` : "";
  const more = untold > 0 ? ` ${count(untold)} more were not noted (at most 50 each half second).` : "";
  const state = paused === undefined ? "" : waitsForRow ? " Paused while a row is open." : " Paused.";
  write(byId("decision-note"), `${newest}${matches}${count(noted)} noted.${more}${state}`);
}

// It does not bubble.
byId("decisions").addEventListener("toggle", waitForRow, true);
field("kind").addEventListener("change", goOn);
field("words").addEventListener("input", goOn);
narrow.addEventListener("change", showDecisions);
byId("pause").addEventListener("click", () => {
  waitsForRow = false;
  paused = paused === undefined ? decisions : undefined;
  showDecisions();
});

// ——— Entries

/** @type {AbortController | undefined} */
let searching;
/** A name that was chosen, and how the field shows it: a field has no lines, and hides what cannot be seen. */
let chosen = { shown: "", name: "" };

/** What each way to search looks for. @type {Record<string, string>} */
const WANTED = {
  url: "Part of the URL",
  group: "Part of the name of a group",
  dependents: "Whole name of the document or group",
};

/** The address of this page with other parameters beside its own. @param {Record<string, string>} parameters */
function ask(parameters) {
  const query = new URLSearchParams(location.search);
  for (const name in parameters) query.set(name, parameters[name] ?? "");
  return `?${query}`;
}

/**
 * @param {string} name
 * @param {string} [text]
 */
function groupButton(name, text = name) {
  const button = make("button", { type: "button", class: "group", title: "What depends on this?" }, text);
  button.addEventListener("click", () => searchFor("dependents", name));
  return button;
}

/**
 * Searches as if it had been typed, and goes there.
 *
 * @param {string} by
 * @param {string} name
 */
function searchFor(by, name) {
  field("by").value = by;
  field("text").value = visible(name);
  chosen = { shown: field("text").value, name };
  showWanted();
  search();
  byId("found-note").focus();
}

function showWanted() {
  const by = field("by").value;
  write(byId("text-label"), WANTED[by] ?? "");
  byId("dependents-note").hidden = by !== "dependents";
}

/** @param {ShownEntry} entry */
function entryRow(entry) {
  const { resource, state, groupCount, caller, variant } = entry;
  const marks = [...variant, ...(caller === undefined ? [] : [caller]), counted(groupCount, "group")];
  const summary = make(
    "summary",
    {},
    make(
      "span",
      { class: "row" },
      make("span", { class: `badge ${state === "valid" ? "hit" : "run"}` }, state),
      make("code", {}, readable(resource)),
      make("span", { class: "quiet" }, marks.join(" · ")),
    ),
  );
  return opened(summary, () => [entryFacts(entry)]);
}

/** @param {ShownEntry} entry */
function entryFacts(entry) {
  const { etag, since: from, caller, variant, groups, groupCount, changed } = entry;
  const { fields, length, expires, isPublic, resource } = entry;
  const now = part(samples.at(-1), 0);
  const age = from === undefined ? "not known" : `${duration(Math.max(0, now - from))}, since ${clock(from)}`;
  const more = groupCount > groups.length ? [`and ${count(groupCount - groups.length)} more`] : [];
  /** @param {(Node | string)[]} items */
  const list = (...items) => make("ul", { class: "groups" }, ...items.map((item) => make("li", {}, item)));
  /** @type {[string, (Node | string)[]][]} */
  const pairs = [
    ["Resource", [make("code", {}, resource)]],
    ["Tag", [make("code", {}, etag)]],
    ["Age", [age]],
    [
      "Depends on",
      groups.length === 0 ? ["nothing"] : [list(...groups.map((name) => groupButton(name))), ...more],
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
  if (changed.length > 0) {
    const names = changed.map((name) => groups.includes(name) ? groupButton(name) : name);
    pairs.unshift(["Changed since", [list(...names)]]);
  }
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
  const [by, typed] = [field("by").value, field("text").value];
  const text = typed === chosen.shown ? chosen.name : typed;
  const note = byId("found-note");
  offerToVoid(undefined);
  if (by === "dependents" && text === "") {
    byId("found").replaceChildren();
    return write(note, "Give the whole name of a document or group.");
  }
  write(note, "Looking…");
  try {
    const response = await fetch(ask({ by, text }), { signal, cache: "no-store" });
    if (!response.ok) throw new Error(await response.text());
    const { entries, total, lookedAt } = /** @type {Found} */ (await response.json());
    const what = by === "dependents"
      ? `${total === 1 ? "entry depends" : "entries depend"} on ${JSON.stringify(text)}`
      : total === 1
      ? "entry"
      : "entries";
    const shown = total > entries.length ? ` The newest ${count(entries.length)} are shown.` : "";
    const hint = by === "dependents" && total === 0
      ? " Only a whole name is found here: “entries whose groups contain” finds a part of one."
      : "";
    byId("found").replaceChildren(...entries.map(entryRow));
    write(note, `${count(total)} ${what}, of ${count(lookedAt)}.${shown}${hint}`);
    if (by === "dependents") offerToVoid(text);
  } catch (error) {
    if (!signal.aborted) write(note, `The search failed: ${/** @type {Error} */ (error).message.trim()}`);
  }
}

// A browser that goes back to the page may have kept the choice.
addEventListener("pageshow", showWanted);
field("by").addEventListener("change", showWanted);
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});

// ——— Voiding, where the program allows it

/** What the button voids. @type {string | undefined} */
let voidable;

/** @param {string | undefined} name */
function offerToVoid(name) {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById("void"));
  if (button === null) return;
  voidable = name;
  button.disabled = name === undefined;
  const what = name === undefined
    ? "a document or group"
    : JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  write(button, `Void what depends on ${what}`);
}

/**
 * @param {object} order
 * @param {string} done
 */
async function change(order, done) {
  const note = byId("void-note");
  try {
    const response = await fetch(ask({}), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(order),
    });
    if (response.status !== 204) {
      throw new Error((await response.text()).trim() || `status ${response.status}`);
    }
    write(note, done);
    await search();
  } catch (error) {
    write(note, `Nothing was voided: ${/** @type {Error} */ (error).message}`);
  }
}

document.getElementById("void")?.addEventListener("click", () => {
  if (voidable !== undefined) {
    change({ void: voidable }, `What depends on ${JSON.stringify(voidable)} is void.`);
  }
});
document.getElementById("clear")?.addEventListener("click", () => {
  const question = `Void all ${
    byId("entries").textContent
  } entries? The handler has to run again for each page.`;
  if (confirm(question)) change({ clear: true }, "All entries are void.");
});

// ——— The stream

/** The log of the server that the page was told by last. @type {string | undefined} */
let log;
/** The number of the latest decision, counted on where the server was another process. */
let newest = 0;
/** What is added to the numbers of the server. */
let base = 0;
/** When the page was told something, or began to ask. */
let toldAt = 0;
let askedAt = 0;
/** When it was told something last, in words. */
let asOf = "";

/**
 * @param {Told} told
 * @param {boolean} isFirst Whether it is the first event of a stream: the server tells all that it has.
 */
function show(told, isFirst) {
  if (log !== told.log) base = newest;
  log = told.log;
  untold = told.untold;
  const added = told.decisions.map((decision) => ({ ...decision, number: base + decision.number }))
    .filter(({ number }) => number > newest).reverse();
  newest = added[0]?.number ?? newest;
  decisions = added.concat(decisions).slice(0, MOST_KEPT);
  addSamples(told, isFirst);
  asOf = clock(told.state.time);
  toldAt = performance.now();
  if (!byId("away").hidden) {
    byId("away").hidden = true;
    write(byId("away-what"), "");
    byId("main").classList.remove("old");
    write(byId("as-of"), "");
  }
  showState(told.state);
  showFeeds(told.state);
  showNumbers(told.state);
  showReasons(told.state);
  showDecisions();
  drawCharts();
}

/**
 * Says that what is shown is old.
 *
 * @param {string} why
 */
function showAway(why) {
  byId("away").hidden = false;
  byId("trouble").hidden = true;
  write(byId("away-what"), why);
  byId("main").classList.add("old");
  if (asOf !== "") write(byId("as-of"), `as of ${asOf}`);
  byId("state").dataset["state"] = "unknown";
  write(byId("state-text"), "Not known now");
  document.title = "not known now – Stillfresh inspector";
}

/**
 * Reads one stream to its end.
 *
 * @param {AbortSignal} signal
 * @returns How long to wait before the next, in ms; undefined: there is none.
 */
async function hear(signal) {
  askedAt = performance.now();
  const response = await fetch(ask({ events: "" }), { signal, cache: "no-store", redirect: "manual" })
    .catch(() => undefined);
  if (response === undefined) return 1_000;
  const { status, body } = response;
  const type = response.headers.get("content-type") ?? "";
  if (status !== 200 || body === null || !type.startsWith("text/event-stream")) {
    const said = type.startsWith("text/plain")
      ? (await response.text().catch(() => "")).trim().slice(0, 300)
      : "";
    return refused(response, said);
  }
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  let isFirst = true;
  for (;;) {
    const read = await reader.read().catch(() => undefined);
    if (read?.value === undefined) return 1_000;
    text += read.value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const data = text.slice(0, end).split("\n").find((line) => line.startsWith("data: "));
      if (data === undefined || signal.aborted) continue;
      show(JSON.parse(data.slice(6)), isFirst);
      isFirst = false;
    }
  }
}

/**
 * @param {Response} response
 * @param {string} said
 */
function refused({ status, type }, said) {
  if (status === 204) return showAway("The inspector was closed. Reload the page to ask again.");
  if (status === 401 || status === 403 || type === "opaqueredirect") {
    return showAway(`The server does not let you look any more: log in, and reload the page. ${said}`);
  }
  showAway(`${said || `The server answers ${status}.`} Trying again every few seconds…`);
  return 3_000;
}

/** @type {AbortController | undefined} */
let listening;

/** A browser has six connections to a site, and the server works for each open page: one that is not seen needs none. */
async function listen() {
  listening?.abort();
  listening = undefined;
  if (document.visibilityState === "hidden") return;
  const { signal } = listening = new AbortController();
  for (let pause; (pause = await hear(signal)) !== undefined && !signal.aborted;) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    if (signal.aborted) return;
  }
  // Nothing more is told.
  if (!signal.aborted) listening = undefined;
}

function begin() {
  toldAt = performance.now();
  listen();
}

setInterval(() => {
  if (listening === undefined) return;
  const now = performance.now();
  if (now - toldAt > PATIENCE && byId("away").hidden) {
    showAway("The server does not answer. Trying again every second…");
  }
  // A connection can be lost without an end.
  if (now - Math.max(toldAt, askedAt) > SILENCE) listen();
}, 500);

document.addEventListener("visibilitychange", begin);
addEventListener("pagehide", () => listening?.abort());
addEventListener("pageshow", begin);
