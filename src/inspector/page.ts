// Written by `deno task inspector --write` from src/inspector/page/: change it there.
// deno-fmt-ignore-file
/**
 * The page of the inspector: markup, stylesheet and script in one document.
 *
 * @module
 */
import { causes } from "../why/causes.ts";

/** Nothing but this style and this script, nothing from elsewhere, in no frame. */
export const contentSecurityPolicy: string = "default-src 'none'; style-src 'sha256-DOB6F/OtY8duPurnNkxazqVSy0zl9RW5vQZXIbKhFHU='; script-src 'sha256-Fr3ojrloujhtfNeOh6GssWYEfykFIESKGerli0OlVuQ='; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** What the document says of itself, and offers. */
export interface PageFacts {
  /** Whether no access check protects it. */
  readonly isUnprotected: boolean;
  /** Whether entries can be voided. */
  readonly canVoid: boolean;
  /** Whether values of clients are hidden. */
  readonly hidesValues: boolean;
}

/** The document. */
export function page({ isUnprotected, canVoid, hidesValues }: PageFacts): string {
  const data = JSON.stringify(causes).replaceAll("<", "\u003c");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>Stillfresh inspector</title>
<link rel="icon" href="data:,">
<style>:root {
color-scheme: light dark;
--paper: #f7f8f8;
--card: #ffffff;
--ink: #1a2023;
--quiet: #586167;
--rule: #d9dee0;
--accent: #0b6374;
--hit: #0f7a5c;
--late: #2f6fb3;
--run: #9a5a10;
--bad: #a8322a;
--other: #6b7479;
--bad-band: #fdecea;
--warn-band: #fff4dc;
--mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
:root {
--paper: #121618;
--card: #1a2023;
--ink: #e3e7e8;
--quiet: #9aa5aa;
--rule: #30393d;
--accent: #7cc8d6;
--hit: #5fcda8;
--late: #7fb2ea;
--run: #e3ab66;
--bad: #f08e84;
--other: #98a3a8;
--bad-band: #3a1d1a;
--warn-band: #332a14;
}
}
*,
::before,
::after {
box-sizing: border-box;
}
html {
background: var(--paper);
color: var(--ink);
font: 0.9375rem/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", sans-serif;
-webkit-text-size-adjust: 100%;
}
body {
margin: 0 auto;
max-width: 78rem;
padding: 0 1rem 2rem;
}
h1,
h2,
h3,
p,
dl,
dd,
ol,
ul,
figure {
margin: 0;
padding: 0;
}
h1 {
font-size: 1.25rem;
letter-spacing: -0.01em;
}
h1 span {
font-weight: 400;
color: var(--quiet);
}
h2 {
font-size: 1.0625rem;
margin-bottom: 0.6rem;
}
h3 {
font-size: 0.9375rem;
}
a {
color: var(--accent);
}
code,
.mono {
font-family: var(--mono);
font-size: 0.8125rem;
overflow-wrap: anywhere;
}
:focus-visible {
outline: 2px solid var(--accent);
outline-offset: 2px;
border-radius: 3px;
}
[hidden] {
display: none !important;
}
.unseen {
position: absolute;
width: 1px;
height: 1px;
overflow: hidden;
clip-path: inset(50%);
white-space: nowrap;
}
.skip {
position: absolute;
left: -100rem;
background: var(--card);
padding: 0.5rem 1rem;
z-index: 1;
}
.skip:focus {
left: 1rem;
top: 0.5rem;
}
.quiet,
small,
dt,
caption,
.axis {
color: var(--quiet);
}
header {
display: flex;
flex-wrap: wrap;
align-items: baseline;
justify-content: space-between;
gap: 0.3rem 1rem;
padding: 1.1rem 0 0.9rem;
}
#state {
font-weight: 600;
}
.dot {
display: inline-block;
width: 0.7rem;
height: 0.7rem;
margin-right: 0.45rem;
border-radius: 50%;
background: var(--other);
}
[data-state="live"] .dot,
[data-state="manual"] .dot {
background: var(--hit);
}
[data-state="suspended"] .dot,
[data-state="unfollowed"] .dot,
[data-state="lost"] .dot,
[data-state="ended"] .dot,
[data-state="stale"] .dot {
background: var(--bad);
border-radius: 0;
}
[data-state="waiting"] .dot {
background: var(--run);
}
.banner {
border-left: 0.35rem solid var(--run);
background: var(--warn-band);
padding: 0.7rem 1rem;
margin-bottom: 1rem;
border-radius: 0 0.4rem 0.4rem 0;
}
.banner.bad {
border-color: var(--bad);
background: var(--bad-band);
}
.banner h2 {
font-size: 0.9375rem;
margin: 0;
}
.banner ul {
padding-left: 1.1rem;
margin-top: 0.3rem;
}
main > section {
margin-bottom: 1.6rem;
}
.tiles {
display: grid;
grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
gap: 0.7rem;
}
.tiles > div,
figure,
.card,
#decisions > li,
#found > details,
table {
background: var(--card);
border: 1px solid var(--rule);
border-radius: 0.5rem;
}
.tiles > div {
padding: 0.7rem 0.9rem;
}
.tiles b {
display: block;
font-size: 1.55rem;
font-weight: 600;
line-height: 1.25;
letter-spacing: -0.02em;
font-variant-numeric: tabular-nums;
}
.tiles dt,
.tiles small {
font-size: 0.8125rem;
}
.charts {
display: grid;
grid-template-columns: repeat(auto-fit, minmax(min(100%, 22rem), 1fr));
gap: 0.7rem;
margin: 0.7rem 0;
}
figure {
padding: 0.7rem 0.9rem;
}
figcaption {
font-weight: 600;
font-size: 0.875rem;
}
figcaption small {
font-weight: 400;
}
svg {
display: block;
width: 100%;
height: 8.5rem;
margin-top: 0.5rem;
}
.axis {
display: flex;
justify-content: space-between;
font-size: 0.75rem;
border-top: 1px solid var(--rule);
padding-top: 0.2rem;
}
.grid {
stroke: var(--rule);
stroke-width: 1;
vector-effect: non-scaling-stroke;
}
.line {
fill: none;
stroke: var(--hit);
stroke-width: 2;
stroke-linejoin: round;
vector-effect: non-scaling-stroke;
}
.area {
fill: var(--hit);
opacity: 0.14;
}
.hit {
fill: var(--hit);
color: var(--hit);
}
.late {
fill: var(--late);
color: var(--late);
}
.run {
fill: var(--run);
color: var(--run);
}
.bad-ink {
fill: var(--bad);
color: var(--bad);
}
.other {
fill: var(--other);
color: var(--other);
}
table {
width: 100%;
border-spacing: 0;
border-collapse: separate;
font-size: 0.875rem;
}
th,
td {
text-align: left;
padding: 0.35rem 0.9rem;
border-top: 1px solid var(--rule);
vertical-align: top;
}
thead th {
border-top: 0;
color: var(--quiet);
font-weight: 400;
}
th[scope="row"] {
font-weight: 400;
}
td.number,
#outcomes th + th {
text-align: right;
font-variant-numeric: tabular-nums;
}
.swatch {
display: inline-block;
width: 0.7rem;
height: 0.7rem;
margin-right: 0.5rem;
border-radius: 2px;
background: currentColor;
}
.cards {
display: grid;
grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr));
gap: 0.7rem;
}
.card {
padding: 0.8rem 0.9rem;
}
.pairs {
display: grid;
grid-template-columns: max-content minmax(0, 1fr);
gap: 0.15rem 0.9rem;
font-size: 0.875rem;
margin-top: 0.4rem;
}
.pairs dd {
overflow-wrap: anywhere;
font-variant-numeric: tabular-nums;
}
.facts {
display: grid;
grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr));
gap: 0.15rem 1.5rem;
font-size: 0.875rem;
margin-top: 0.4rem;
}
.facts > div {
display: grid;
grid-template-columns: 5.5rem minmax(0, 1fr);
gap: 0.5rem;
}
.facts dd {
overflow-wrap: anywhere;
font-variant-numeric: tabular-nums;
}
.controls {
display: flex;
flex-wrap: wrap;
gap: 0.5rem 0.9rem;
align-items: end;
margin-bottom: 0.6rem;
}
.controls label {
display: grid;
gap: 0.15rem;
font-size: 0.8125rem;
color: var(--quiet);
min-width: 0;
}
input,
select,
button {
font: inherit;
font-size: 0.9375rem;
color: var(--ink);
background: var(--card);
border: 1px solid var(--other);
border-radius: 0.35rem;
padding: 0.4rem 0.6rem;
max-width: 100%;
min-height: 2.4rem;
}
button {
cursor: pointer;
}
button[type="submit"],
button[aria-pressed="true"] {
background: var(--accent);
border-color: var(--accent);
color: var(--card);
font-weight: 600;
}
#decisions,
#found {
list-style: none;
display: grid;
gap: 0.3rem;
margin-top: 0.5rem;
}
#decisions,
#found {
contain: content;
}
#decisions > li,
#found > details {
content-visibility: auto;
contain-intrinsic-size: auto 2.1rem;
}
#decisions {
max-height: 34rem;
overflow-y: auto;
}
summary {
cursor: pointer;
padding: 0.4rem 0.8rem;
}
.row {
display: inline-flex;
flex-wrap: wrap;
gap: 0.1rem 0.7rem;
align-items: baseline;
max-width: calc(100% - 1.2rem);
vertical-align: top;
font-size: 0.875rem;
}
.row > * {
min-width: 0;
overflow-wrap: anywhere;
}
.badge {
font-size: 0.8125rem;
font-weight: 600;
}
.detail {
padding: 0.2rem 0.9rem 0.8rem 1.9rem;
font-size: 0.9375rem;
max-width: 62rem;
}
.detail ul {
list-style: none;
}
.groups {
display: flex;
flex-wrap: wrap;
max-height: 12rem;
overflow-y: auto;
}
.group {
font-family: var(--mono);
font-size: 0.8125rem;
padding: 0.1rem 0.45rem;
min-height: 1.6rem;
margin: 0.1rem 0.25rem 0.1rem 0;
overflow-wrap: anywhere;
text-align: left;
}
footer {
font-size: 0.8125rem;
color: var(--quiet);
border-top: 1px solid var(--rule);
padding-top: 0.8rem;
}
@media (max-width: 30rem) {
#state {
font-size: 0.875rem;
}
.tiles {
grid-template-columns: 1fr 1fr;
}
.tiles > div:first-child {
grid-column: 1 / -1;
}
.controls label,
.controls input,
.controls select {
width: 100%;
}
th,
td {
padding: 0.35rem 0.6rem;
}
}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the contents</a>
<header>
<h1>Stillfresh <span>inspector</span></h1>
<p id="state" role="status"
data-state="unknown"><span class="dot" aria-hidden="true"></span><span id="state-text">Connecting…</span></p>
</header>
${isUnprotected ? `<section class="banner" aria-labelledby="open-title">
<h2 id="open-title">No access check protects this page</h2>
<p>It answers requests of its own machine, as far as that can be known. A proxy on the same machine that adds no field such as X-Forwarded-For looks like one. Before the site goes online, give <code>inspector()</code> the option <code>authorize</code>: this page shows addresses of pages and names of documents.</p>
</section>
` : ""}<section id="trouble" class="banner bad" aria-labelledby="trouble-title" hidden>
<h2 id="trouble-title">The registry answers nothing now</h2>
<p id="trouble-what" role="alert"></p>
<ul id="trouble-advice"></ul>
</section>
<main id="main">
<section aria-labelledby="now-title">
<h2 id="now-title">Now</h2>
<dl class="tiles">
<div>
<dt>Answered by the registry</dt>
<dd><b id="share">–</b><small id="share-note">of the last minute</small></dd>
</div>
<div>
<dt>Requests</dt>
<dd><b id="rate">–</b><small>a second</small></dd>
</div>
<div>
<dt>Handler</dt>
<dd><b id="time">–</b><small id="time-note">on average</small></dd>
</div>
<div>
<dt>Content not sent</dt>
<dd><b id="saved">–</b><small id="saved-note">since the start</small></dd>
</div>
<div>
<dt>Entries</dt>
<dd><b id="entries">–</b><small id="entries-note"></small></dd>
</div>
</dl>
<div class="charts">
<figure>
<figcaption>Share answered by the registry </figcaption>
<svg id="share-chart" role="img" aria-label="No request yet" viewBox="0 0 600 150"
preserveAspectRatio="none"></svg>
<p class="axis"
aria-hidden="true"><span class="from">1 min ago</span><span>lines at 100, 50 and 0 %</span><span>now</span></p>
</figure>
<figure>
<figcaption>Requests a second, by how they ended</figcaption>
<svg id="rate-chart" role="img" aria-label="No request yet" viewBox="0 0 600 150"
preserveAspectRatio="none"></svg>
<p class="axis"
aria-hidden="true"><span class="from">1 min ago</span><span id="rate-most"></span><span>now</span></p>
</figure>
</div>
<table id="outcomes">
<caption class="unseen">Requests by how they ended, since the start</caption>
<thead>
<tr>
<th scope="col">Ended</th>
<th scope="col">since the start</th>
<th scope="col">last minute</th>
</tr>
</thead>
<tbody></tbody>
</table>
</section>
<section aria-labelledby="feeds-title">
<h2 id="feeds-title">Feeds</h2>
<div id="feeds" class="cards">
<p class="quiet">No feed is followed.</p>
</div>
</section>
<section aria-labelledby="decisions-title">
<h2 id="decisions-title">Last decisions</h2>
<div class="controls">
<label>Show <select id="kind">
<option value="">all</option>
<option value="hit">answered by the registry</option>
<option value="run">run by the handler</option>
<option value="refused">not registered</option>
</select></label>
<label>Path or reason <input id="words" type="search" autocomplete="off" spellcheck="false"></label>
<button id="pause" type="button" aria-pressed="false">Pause</button>
</div>
<p id="decision-note" class="quiet">Nothing yet: they are noted while this page is open.</p>
<ol id="decisions" reversed></ol>
</section>
<section aria-labelledby="entries-title">
<h2 id="entries-title">Entries</h2>
<form id="search" class="controls" role="search">
<label>Find <select id="by">
<option value="url">entries whose URL has</option>
<option value="group">entries whose groups have</option>
<option value="dependents">what is void if this document or group changes</option>
</select></label>
<label>Text <input id="text" type="search" autocomplete="off" spellcheck="false"></label>
<button type="submit">Search</button>
</form>
<p id="found-note" class="quiet" role="status">An empty text finds the newest entries.</p>
${canVoid ? `<div class="controls">
<button id="void" type="button">Void what depends on it</button>
<button id="clear" type="button">Void all entries</button>
<p id="void-note" class="quiet" role="status"></p>
</div>
` : ""}<div id="found"></div>
</section>
<section aria-labelledby="reasons-title">
<h2 id="reasons-title">Every reason</h2>
<details>
<summary>How often each reason was given since the start</summary>
<table id="reasons">
<caption class="unseen">Reasons since the start</caption>
<thead>
<tr>
<th scope="col">Reason</th>
<th scope="col">times</th>
<th scope="col">meaning</th>
</tr>
</thead>
<tbody></tbody>
</table>
</details>
</section>
</main>
<footer>
${hidesValues ? `<p>Values of queries, callers and request fields are hidden: the option <code>showValues</code> shows them.</p>
` : ""}${!canVoid ? `<p>This page changes nothing.</p>
` : ""}</footer>
<script type="application/json" id="causes">${data}</script>
<script>const SPANS = [60_000, 120_000, 300_000];
const MINUTE = 60_000;
const MOST_SAMPLES = 600;
const MOST_KEPT = 1_000;
const MOST_ROWS = 100;
const COLUMNS = 100;
const ENDS = ([
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
const causes = JSON.parse(byId("causes").textContent ?? "{}");
function byId(id) {
return (document.getElementById(id));
}
function field(id) {
return (document.getElementById(id));
}
function write(place, text) {
if (place.textContent !== text) place.textContent = text;
}
function make(name, attributes = {}, ...children) {
const element = document.createElement(name);
for (const attribute in attributes) element.setAttribute(attribute, attributes[attribute] ?? "");
element.append(...children);
return element;
}
function drawn(name, attributes) {
const element = document.createElementNS("http://www.w3.org/2000/svg", name);
for (const attribute in attributes) element.setAttribute(attribute, String(attributes[attribute]));
return element;
}
const ones = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 1 });
const times = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
function count(value) {
return (value < 10 ? tenths : ones).format(value);
}
function size(bytes) {
const units = ["B", "kB", "MB", "GB", "TB"];
let at = 0;
for (; bytes >= 1_000 && at < units.length - 1; at++) bytes /= 1_000;
return \`\${count(at === 0 ? Math.round(bytes) : bytes)} \${units[at]}\`;
}
function duration(ms) {
if (ms < 1) return \`\${Math.round(ms * 1_000)} µs\`;
if (ms < 1_000) return \`\${count(ms)} ms\`;
if (ms < MINUTE) return \`\${count(ms / 1_000)} s\`;
if (ms < 60 * MINUTE) return \`\${count(Math.floor(ms / MINUTE))} min\`;
return ms < 48 * 60 * MINUTE
? \`\${count(Math.floor(ms / MINUTE / 60))} h\`
: \`\${count(Math.floor(ms / MINUTE / 60 / 24))} days\`;
}
function clock(time) {
return times.format(time);
}
function percent(share) {
return \`\${(100 * share).toFixed(share > 0.995 && share < 1 ? 2 : 1).replace(/\\.0$/, "")} %\`;
}
function opened(summary, contents) {
const details = make("details", {}, summary);
const open = () => details.append(make("div", { class: "detail" }, ...contents()));
details.addEventListener("toggle", open, { once: true });
return details;
}
let samples = [];
function since(age) {
const last = samples.at(-1);
if (last === undefined) return undefined;
const first = samples.find(([time]) => time >= last[0] - age) ?? last;
const requests = ENDS.reduce((sum, [at]) => sum + last[at] - first[at], 0);
return { first, last, requests, seconds: (last[0] - first[0]) / 1_000 };
}
function span() {
const age = (samples.at(-1)?.[0] ?? 0) - (samples[0]?.[0] ?? 0);
return SPANS.find((span) => span >= age) ?? 300_000;
}
function columns() {
const end = samples.at(-1)?.[0] ?? 0;
const width = span() / COLUMNS;
const found = new Array(COLUMNS).fill(undefined);
for (let at = 1; at < samples.length; at++) {
const before = (samples[at - 1]);
const sample = (samples[at]);
const seconds = (sample[0] - before[0]) / 1_000;
const place = COLUMNS - 1 - Math.floor((end - sample[0]) / width);
if (place < 0 || seconds <= 0 || seconds > 5) continue;
const column = found[place] ??= { seconds: 0, counts: ENDS.map(() => 0) };
column.seconds += seconds;
ENDS.forEach(([end], index) => {
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
write((place), \`\${span() / MINUTE} min ago\`);
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
function drawShare(found) {
const chart = byId("share-chart");
const lines = [];
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
const path = points.map(([x, y]) => \`\${x.toFixed(1)},\${y.toFixed(1)}\`).join("L");
const stroke = points.length === 1 ? \`M\${path}h3\` : \`M\${path}\`;
return [
drawn("path", { class: "area", d: \`M\${x0},\${HEIGHT}L\${path}L\${x1},\${HEIGHT}Z\` }),
drawn("path", { class: "line", d: stroke }),
];
});
chart.replaceChildren(...gridLines(), ...shapes);
const minute = since(MINUTE);
const label = minute === undefined || minute.requests === 0
? "No request in the last minute"
: \`\${percent((minute.last[1] - minute.first[1]) / minute.requests)} in the last minute; the least was \${
percent(least)
}\`;
chart.setAttribute("aria-label", label);
}
function drawRates(found) {
const chart = byId("rate-chart");
const rates = found.map((column) => column?.counts.map((one) => one / column.seconds));
const most = Math.max(1, ...rates.map((rate) => rate?.reduce((sum, one) => sum + one, 0) ?? 0));
const width = WIDTH / COLUMNS;
const paths = ENDS.map(() => "");
rates.forEach((rate, at) => {
let y = HEIGHT;
rate?.forEach((one, end) => {
const height = one / most * (HEIGHT - 2);
if (height <= 0) return;
y -= height;
paths[end] += \`M\${(at * width).toFixed(1)},\${y.toFixed(1)}h\${width - 1}v\${height.toFixed(1)}h\${
1 - width
}Z\`;
});
});
const shapes = ENDS.map(([, colour], at) => drawn("path", { class: colour, d: paths[at] ?? "" }));
chart.replaceChildren(...gridLines(), ...shapes);
write(byId("rate-most"), \`at most \${count(most)}/s\`);
const minute = since(MINUTE);
const parts = minute === undefined
? []
: ENDS.map(([at, , name]) => \`\${count(minute.last[at] - minute.first[at])} \${name}\`);
chart.setAttribute(
"aria-label",
parts.length === 0 ? "No request yet" : \`In the last minute: \${parts.join(", ")}\`,
);
}
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
write(byId("time-note"), state.running > 0 ? \`\${note}; \${state.running} running\` : note);
const isUnknown = state.savedBytes === 0 && minute.last[1] + minute.last[2] > 0;
write(byId("saved"), isUnknown ? "–" : size(state.savedBytes));
write(byId("saved-note"), isUnknown ? "no length is known" : "since the start");
write(byId("entries"), count(state.entries));
write(byId("entries-note"), \`\${count(state.groups)} groups, \${size(state.bytes)}\`);
const rows = ENDS.map(([at, colour, name, reasons]) => {
const total = reasons.reduce((sum, reason) => sum + (state.counters[reason] ?? 0), 0);
return [colour, name, count(total), count(minute.last[at] - minute.first[at])];
});
showRows(byId("outcomes"), rows.map(([, ...cells]) => cells), (row, at) => {
row.firstElementChild?.prepend(make("span", { class: \`swatch \${rows[at]?.[0]}\`, "aria-hidden": "true" }));
});
}
function showRows(table, rows, finish) {
const body = (table.querySelector("tbody"));
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
const row = (body.rows[index]);
cells.forEach((text, at) => {
const cell = (row.cells[at]);
const place = at === 0 ? (cell.lastElementChild) : cell;
if (at > 0 && /^[\\d,.]+$/.test(text ?? "")) cell.classList.add("number");
write(place, text ?? "");
});
});
}
function showReasons({ counters }) {
const rows = Object.entries(counters).filter(([, times]) => times > 0)
.map(([reason, times]) => [reason, count(times), causes[reason]?.meaning ?? ""]);
showRows(byId("reasons"), rows);
}
function showState({ state, trouble, version }) {
byId("state").dataset["state"] = state;
write(byId("state-text"), STATES[state] + (version === undefined ? "" : \`, build \${version}\`));
const banner = byId("trouble");
if (trouble !== undefined) {
banner.hidden = false;
write(byId("trouble-what"), trouble.what);
const advice = byId("trouble-advice");
if (advice.dataset["shown"] !== trouble.advice.join("\\n")) {
advice.dataset["shown"] = trouble.advice.join("\\n");
advice.replaceChildren(...trouble.advice.map((text) => make("li", {}, text)));
}
} else if (!banner.hidden) {
banner.hidden = true;
write(byId("trouble-what"), "");
}
}
const changesOf = new Map();
function showFeeds({ feeds, time }) {
const place = byId("feeds");
if (feeds.length === 0) return;
const names = feeds.map(({ name }) => name).join("\\n");
if (place.dataset["names"] !== names) {
place.dataset["names"] = names;
place.replaceChildren(...feeds.map(() => make("article", { class: "card" })));
}
feeds.forEach((feed, at) => showFeed((place.children[at]), feed, time));
}
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
const ago = (time) => \`\${clock(time)}, \${duration(Math.max(0, now - time))} ago\`;
const pairs = [
["Lag", \`\${lag === undefined ? "no contact yet" : duration(lag)}, at most \${duration(maxLag)}\`],
["Position", position ?? "none"],
["Changes", \`\${count(changes)}, \${count(rate)} a second\`],
[
"Reconnects",
losses === 0
? "none"
: \`\${count(recoveries)} after \${count(losses)} \${losses === 1 ? "loss" : "losses"}\`,
],
["Last loss", lostAt === undefined ? "none" : ago(lostAt)],
["Last reset", lastReset === undefined ? "none" : \`\${lastReset.reason}, \${ago(lastReset.at)}\`],
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
(card.querySelector("h3 > span + span")),
\`\${name}: \${FEED_STATES[state]}\`,
);
card.querySelectorAll("dd").forEach((place, at) => write(place, pairs[at]?.[1] ?? ""));
}
let decisions = [];
let isPaused = false;
let untold = 0;
function isWanted({ reason, refusal, method, path, status }) {
const kind = field("kind").value;
if (kind === "hit" && reason !== "hit") return false;
if (kind === "run" && status === undefined) return false;
if (kind === "refused" && refusal === undefined) return false;
const words = field("words").value.trim().toLowerCase();
return words === "" || \`\${method} \${path} \${reason} \${refusal ?? ""}\`.toLowerCase().includes(words);
}
function decisionRow({ time, method, path, reason, refusal, status, stored, text, sections }) {
const [badge, colour] = reason === "hit"
? ["304 registry", "hit"]
: status !== undefined
? [\`\${status} handler\`, status >= 500 ? "bad-ink" : "run"]
: [reason, "bad-ink"];
const outcome = reason === "hit"
? ""
: refusal !== undefined
? \`\${reason}, \${refusal}\`
: stored
? \`\${reason}, registered\`
: reason;
const summary = make(
"summary",
{},
make(
"span",
{ class: "row" },
make("span", { class: "quiet" }, clock(time)),
make("span", { class: \`badge \${colour}\` }, badge),
make("code", {}, \`\${method} \${path}\`),
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
function link(section) {
const [, rfc, place] = /^RFC (\\d+) §(.+)$/.exec(section) ?? [];
const href = \`https://www.rfc-editor.org/rfc/rfc\${rfc}.html#section-\${place}\`;
return make("a", { href, rel: "noreferrer noopener", target: "_blank" }, section);
}
function addDecisions(added) {
decisions = [...added].reverse().concat(decisions).slice(0, MOST_KEPT);
if (isPaused) return showDecisionNote();
const list = byId("decisions");
const rows = added.filter(isWanted).slice(-MOST_ROWS).reverse().map(decisionRow);
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
const more = untold > 0 ? \` \${count(untold)} more were too many to be told.\` : "";
write(
byId("decision-note"),
\`\${count(shown)} of the last \${count(decisions.length)}.\${more}\${isPaused ? " Paused." : ""}\`,
);
}
field("kind").addEventListener("change", showDecisions);
field("words").addEventListener("input", showDecisions);
byId("pause").addEventListener("click", () => {
isPaused = !isPaused;
byId("pause").setAttribute("aria-pressed", String(isPaused));
showDecisions();
});
let searching;
function entryRow(entry) {
const { resource, state, groupCount } = entry;
const summary = make(
"summary",
{},
make(
"span",
{ class: "row" },
make("span", { class: \`badge \${state === "valid" ? "hit" : "run"}\` }, state),
make("code", {}, resource),
make("span", { class: "quiet" }, \`\${count(groupCount)} \${groupCount === 1 ? "group" : "groups"}\`),
),
);
return opened(summary, () => [entryFacts(entry)]);
}
function entryFacts(entry) {
const { etag, since: from, place, caller, variant, groups, groupCount, changed } = entry;
const { fields, length, expires, isPublic } = entry;
const now = samples.at(-1)?.[0] ?? Date.now();
const age = from === undefined
? \`not known: it came before this page was open, as number \${count(place)} of those that are kept\`
: \`\${duration(Math.max(0, now - from))}, since \${clock(from)}\`;
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
const more = groupCount > groups.length ? [\`and \${count(groupCount - groups.length)} more\`] : [];
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
...fields.map(([name, value]) => make("li", {}, make("code", {}, \`\${name}: \${value}\`))),
)],
],
["Content", [length > 0 ? \`\${size(length)}, which each 304 saves\` : "of unknown length"]],
];
if (changed.length > 0) pairs.unshift(["Void", [\`changed: \${changed.join(", ")}\`]]);
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
const response = await fetch(\`?\${new URLSearchParams({ by, text })}\`, { signal, cache: "no-store" });
if (!response.ok) throw new Error(await response.text());
const { entries, total, lookedAt } = (await response.json());
const what = by === "dependents"
? \`\${total === 1 ? "entry depends" : "entries depend"} on \${JSON.stringify(text)}\`
: total === 1
? "entry"
: "entries";
const shown = total > entries.length ? \` The newest \${count(entries.length)} are shown.\` : "";
byId("found").replaceChildren(...entries.map(entryRow));
write(note, \`\${count(total)} \${what}, of \${count(lookedAt)}.\${shown}\`);
} catch (error) {
if (!signal.aborted) write(note, \`The search failed: \${(error).message}\`);
}
}
byId("search").addEventListener("submit", (event) => {
event.preventDefault();
search();
});
let events;
function connect() {
events?.close();
events = undefined;
if (document.visibilityState === "hidden") return;
events = new EventSource("?events");
let isFirst = true;
events.onmessage = ({ data }) => {
const told = (JSON.parse(data));
if (isFirst) {
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
addEventListener("pageshow", connect);</script>
</body>
</html>
`;
}
