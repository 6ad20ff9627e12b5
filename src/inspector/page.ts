// Written by `deno task inspector --write` from src/inspector/page/: change it there.
// deno-fmt-ignore-file
/**
 * The page of the inspector: markup, stylesheet and script in one document.
 *
 * @module
 */
import { reasonFamilies } from "../registry/reason.ts";
import { causes } from "../why/causes.ts";

/** Nothing but this style and this script, nothing from elsewhere, in no frame. */
export const contentSecurityPolicy: string = "default-src 'none'; style-src 'sha256-vM58/+Vi4bbY16aikSEmKKr++fppfNLAiY7w8hES9EI='; script-src 'sha256-u4JOQgVD7471ZJC6rI0GKgfBqzzs7mdeZ7xdqen4aC8='; connect-src 'self'; img-src data:; require-trusted-types-for 'script'; trusted-types 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

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
  const data = JSON.stringify({ causes, families: reasonFamilies }).replaceAll("<", "\u003c");
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
--grid: #aeb6ba;
--hit-ink: #0f7a5c;
--late-ink: #2f6fb3;
--run-ink: #8a5010;
--refused-ink: #6a4fa3;
--bad-ink: #a8322a;
--other-ink: #5f686d;
--hit: #0a4a3a;
--late: #6d9fdc;
--run: #c98a2e;
--refused: #6a4fa3;
--bad: #b3261e;
--other: #8a9398;
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
--grid: #566268;
--hit-ink: #5fcda8;
--late-ink: #7fb2ea;
--run-ink: #e3ab66;
--refused-ink: #b9a3ec;
--bad-ink: #f08e84;
--other-ink: #98a3a8;
--hit: #86e5c3;
--late: #3f74b5;
--run: #a4691f;
--refused: #b9a3ec;
--bad: #e5695d;
--other: #7d888d;
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
unicode-bidi: isolate;
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
caption {
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
background: var(--hit-ink);
}
[data-state="suspended"] .dot,
[data-state="unfollowed"] .dot,
[data-state="lost"] .dot,
[data-state="ended"] .dot,
[data-state="stale"] .dot {
background: var(--bad);
border-radius: 0;
}
[data-state="starting"] .dot {
background: var(--run);
}
.dot,
.swatch,
svg {
forced-color-adjust: none;
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
grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr));
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
display: grid;
grid-template-rows: subgrid;
grid-row: span 2;
row-gap: 0;
padding: 0.7rem 0.9rem;
}
#as-of {
font-weight: 400;
margin-left: 0.6rem;
}
.old b,
.old dd {
color: var(--quiet);
}
.old svg {
opacity: 0.4;
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
.plot {
display: grid;
grid-template-columns: minmax(0, 1fr) 3.4rem;
margin-top: 0.8rem;
}
svg {
display: block;
width: 100%;
height: 8.5rem;
}
.scale,
.axis {
display: flex;
justify-content: space-between;
font-size: 0.75rem;
color: var(--quiet);
}
.scale {
flex-direction: column;
line-height: 1;
margin: -0.375rem 0;
padding-left: 0.4rem;
white-space: nowrap;
}
.axis {
margin-right: 3.4rem;
padding-top: 0.2rem;
}
.grid {
stroke: var(--grid);
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
color: var(--hit-ink);
--swatch: var(--hit);
}
.late {
fill: var(--late);
color: var(--late-ink);
--swatch: var(--late);
}
.run {
fill: var(--run);
color: var(--run-ink);
--swatch: var(--run);
}
.refused {
fill: var(--refused);
color: var(--refused-ink);
--swatch: var(--refused);
}
.bad-ink {
fill: var(--bad);
color: var(--bad-ink);
--swatch: var(--bad);
}
.other {
fill: var(--other);
color: var(--other-ink);
--swatch: var(--other);
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
#outcomes th[scope="row"] {
padding-left: 2.1rem;
text-indent: -1.2rem;
}
#reasons code {
overflow-wrap: normal;
}
th[scope="rowgroup"] {
padding-top: 0.8rem;
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
background: var(--swatch);
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
.controls + .quiet:not(:empty) {
margin-bottom: 0.3rem;
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
border: 1px solid var(--other-ink);
border-radius: 0.35rem;
padding: 0.4rem 0.6rem;
max-width: 100%;
min-height: 2.4rem;
}
button {
cursor: pointer;
}
button:disabled {
color: var(--quiet);
border-color: var(--rule);
cursor: not-allowed;
}
.controls:has(#void) {
margin-top: 0.6rem;
}
#void-note {
flex-basis: 100%;
}
.link {
min-height: 1.6rem;
padding: 0 0.2rem;
border: 0;
background: none;
color: var(--accent);
text-decoration: underline;
font-size: inherit;
}
button[type="submit"] {
background: var(--accent);
border-color: var(--accent);
color: var(--card);
font-weight: 600;
}
#decisions,
#found {
list-style: none;
display: grid;
grid-template-columns: minmax(0, 1fr);
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
.row code {
display: -webkit-box;
-webkit-box-orient: vertical;
-webkit-line-clamp: 2;
line-clamp: 2;
overflow: hidden;
word-break: break-all;
}
.badge {
font-size: 0.8125rem;
font-weight: 600;
}
.detail {
padding: 0.2rem 0.9rem 0.8rem 1.9rem;
font-size: 0.9375rem;
max-width: 62rem;
overflow-wrap: anywhere;
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
#state,
.banner p {
font-size: 0.875rem;
}
.banner {
padding: 0.5rem 0.8rem;
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
#sift {
display: grid;
grid-template-columns: minmax(0, 1fr) auto;
}
#sift label:first-child {
grid-column: 1 / -1;
}
#decisions {
max-height: none;
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
<p>It answers requests of its own machine, as far as that can be known: a proxy on the same machine may look like one. Give <code>inspector()</code> the option <code>authorize</code> before the site goes online.</p>
</section>
` : ""}<section id="away" class="banner bad" aria-labelledby="away-title" hidden>
<h2 id="away-title">This page is told nothing now</h2>
<p id="away-what" role="alert"></p>
</section>
<section id="trouble" class="banner bad" aria-labelledby="trouble-title" hidden>
<h2 id="trouble-title">The registry answers nothing now</h2>
<p id="trouble-what" role="alert"></p>
<ul id="trouble-advice"></ul>
</section>
<main id="main">
<section aria-labelledby="now-title">
<h2 id="now-title">Now<span id="as-of" class="quiet"></span></h2>
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
<dd><b id="time">–</b><small id="time-note">average</small></dd>
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
<figcaption>Share answered by the registry</figcaption>
<div class="plot">
<svg id="share-chart" role="img" aria-label="No request yet" viewBox="0 0 600 150"
preserveAspectRatio="none"></svg>
<p class="scale" aria-hidden="true"><span>100 %</span><span>50 %</span><span>0 %</span></p>
</div>
<p class="axis" aria-hidden="true"><span class="from">1 min ago</span><span>now</span></p>
</figure>
<figure>
<figcaption>Requests a second, by how they ended</figcaption>
<div class="plot">
<svg id="rate-chart" role="img" aria-label="No request yet" viewBox="0 0 600 150"
preserveAspectRatio="none"></svg>
<p class="scale"
aria-hidden="true"><span id="rate-most">1/s</span><span id="rate-half">0.5/s</span><span>0</span></p>
</div>
<p class="axis" aria-hidden="true"><span class="from">1 min ago</span><span>now</span></p>
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
<p class="quiet">Nothing is known yet.</p>
</div>
</section>
<section aria-labelledby="decisions-title">
<h2 id="decisions-title">Last decisions</h2>
<div id="sift" class="controls">
<label>Show <select id="kind">
<option value="">all</option>
<option value="hit">answered by the registry</option>
<option value="run">run by the handler</option>
<option value="refused">not registered</option>
<option value="errors">errors</option>
</select></label>
<label>Path or reason <input id="words" type="search" autocomplete="off" spellcheck="false"></label>
<button id="pause"
type="button"><span>Pause</span><span id="waiting" aria-hidden="true"></span></button>
</div>
<p id="decision-note" class="quiet">Nothing yet: they are noted while this page is open.</p>
<ol id="decisions" reversed></ol>
</section>
<section aria-labelledby="entries-title">
<h2 id="entries-title">Entries</h2>
<form id="search" class="controls" role="search">
<label>Find <select id="by">
<option value="url">entries whose URL contains</option>
<option value="group">entries whose groups contain</option>
<option value="dependents">what depends on this document or group</option>
</select></label>
<label><span id="text-label">Part of the URL</span> <input id="text" type="search" autocomplete="off" spellcheck="false"></label>
<button type="submit">Search</button>
</form>
<p id="found-note" class="quiet" role="status"
tabindex="-1">An empty text finds the newest entries.</p>
<p id="dependents-note" class="quiet"
hidden>A change of this document can void more: its feed may give further groups for it, such as that of a list.</p>
${canVoid ? `<div class="controls">
<button id="void" type="button" disabled>Void what depends on a document or group</button>
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
<th scope="col">meaning, and what to change</th>
</tr>
</thead>
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
const MOST_NARROW_ROWS = 25;
const MOST_SPARED = 20;
const PATIENCE = 3_000;
const SILENCE = 10_000;
const COLUMNS = 100;
const ENDS = ([
[1, "hit", "304 from the registry", ["hit"]],
[2, "late", "304 after the handler", ["not-modified"]],
[3, "run", "answered by the handler", ["handled"]],
[4, "refused", "412 and 428", ["precondition-failed", "precondition-failed-late", "precondition-required"]],
[5, "bad-ink", "errors", ["handler-threw", "current-threw"]],
[9, "other", "passed on, not looked at", ["passed-on"]],
]);
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
const FAMILIES = ([
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
const { causes, families } =
(JSON.parse(byId("causes").textContent ?? ""));
function byId(id) {
return (document.getElementById(id));
}
function field(id) {
return (document.getElementById(id));
}
function visible(text) {
return /^[ -~]*$/.test(text) ? text : text.replace(
/[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]/gu,
(character) => \`\\\\u{\${(character.codePointAt(0) ?? 0).toString(16)}}\`,
);
}
function readable(path) {
if (!path.includes("%")) return path;
try {
return decodeURI(path).replace(/\\s/g, encodeURIComponent);
} catch {
return path;
}
}
function write(place, text) {
const shown = visible(text);
if (place.textContent !== shown) place.textContent = shown;
}
function make(name, attributes = {}, ...children) {
const element = document.createElement(name);
for (const attribute in attributes) element.setAttribute(attribute, attributes[attribute] ?? "");
element.append(...children.map((child) => typeof child === "string" ? visible(child) : child));
return element;
}
function prose(sentence) {
return sentence.split("\`").map((part, at) => at % 2 === 1 ? make("code", {}, part) : part);
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
if (value > 0 && value < 0.05) return "< 0.1";
return (value < 9.95 ? tenths : ones).format(value);
}
function counted(number, one, more = \`\${one}s\`) {
return \`\${count(number)} \${number === 1 ? one : more}\`;
}
function size(bytes) {
const units = ["B", "kB", "MB", "GB", "TB"];
let at = 0;
for (; bytes >= 1_000 && at < units.length - 1; at++) bytes /= 1_000;
return \`\${count(at === 0 ? Math.round(bytes) : bytes)} \${units[at]}\`;
}
function duration(ms) {
if (ms === 0) return "0 s";
if (ms < 0.9995) return \`\${Math.round(ms * 1_000)} µs\`;
if (ms < 999.5) return \`\${count(ms)} ms\`;
if (ms < 59_500) return \`\${count(ms / 1_000)} s\`;
if (ms < 60 * MINUTE) return \`\${count(Math.max(1, Math.floor(ms / MINUTE)))} min\`;
return ms < 48 * 60 * MINUTE
? \`\${count(Math.floor(ms / MINUTE / 60))} h\`
: counted(Math.floor(ms / MINUTE / 60 / 24), "day");
}
let [second, written] = [0, ""];
function clock(time) {
const now = Math.floor(time / 1_000);
if (now !== second) [second, written] = [now, times.format(time)];
return written;
}
function percent(share) {
if (share > 0 && share < 0.001) return "< 0.1 %";
if (share < 1 && share > 0.995) {
return \`\${(Math.min(9_999, Math.floor(share * 10_000)) / 100).toFixed(2)} %\`;
}
return \`\${(100 * share).toFixed(1).replace(/\\.0$/, "")} %\`;
}
function opened(summary, contents) {
const details = make("details", {}, summary);
const open = () => details.append(make("div", { class: "detail" }, ...contents()));
details.addEventListener("toggle", open, { once: true });
return details;
}
let samples = [];
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
function part(sample, at) {
return sample?.[at] ?? 0;
}
function since(age) {
const last = samples.at(-1);
if (last === undefined) return undefined;
const first = samples.find((sample) => part(sample, 0) >= part(last, 0) - age);
const more = (at) => part(last, at) - part(first, at);
const requests = ENDS.reduce((sum, [at]) => sum + more(at), 0);
return { last, more, requests, seconds: more(0) / 1_000 };
}
function span() {
const age = part(samples.at(-1), 0) - part(samples[0], 0);
return SPANS.find((span) => span >= age) ?? 300_000;
}
function columns() {
const end = part(samples.at(-1), 0);
const width = span() / COLUMNS;
const found = new Array(COLUMNS).fill(undefined);
for (let at = 1; at < samples.length; at++) {
const [before, sample] = [samples[at - 1], samples[at]];
const seconds = (part(sample, 0) - part(before, 0)) / 1_000;
const place = COLUMNS - 1 - Math.floor((end - part(sample, 0)) / width);
if (place < 0 || seconds <= 0 || seconds > 5) continue;
const column = found[place] ??= { seconds: 0, counts: ENDS.map(() => 0) };
column.seconds += seconds;
ENDS.forEach(([end], index) => {
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
const stroke = points.length === 1 ? \`M\${path}h6\` : \`M\${path}\`;
return [
drawn("path", { class: "area", d: \`M\${x0},\${HEIGHT}L\${path}L\${x1},\${HEIGHT}Z\` }),
drawn("path", { class: "line", d: stroke }),
];
});
chart.replaceChildren(...gridLines(), ...shapes);
const minute = since(MINUTE);
const label = minute === undefined || minute.requests === 0
? "No request in the last minute"
: \`\${percent(minute.more(1) / minute.requests)} in the last minute; the least was \${percent(least)}\`;
chart.setAttribute("aria-label", label);
}
function scaleFor(most) {
const ten = 10 ** Math.floor(Math.log10(Math.max(1, most)));
return ten * ([1, 2, 4, 6, 8].find((times) => times * ten >= most) ?? 10);
}
function drawRates(found) {
const chart = byId("rate-chart");
const rates = found.map((column) => column?.counts.map((one) => one / column.seconds));
const most = scaleFor(Math.max(...rates.map((rate) => rate?.reduce((sum, one) => sum + one, 0) ?? 0)));
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
write(byId("rate-most"), \`\${count(most)}/s\`);
write(byId("rate-half"), \`\${count(most / 2)}/s\`);
const minute = since(MINUTE);
const parts = minute === undefined ? [] : ENDS.map(([at, , name]) => \`\${count(minute.more(at))} \${name}\`);
chart.setAttribute(
"aria-label",
parts.length === 0 ? "No request yet" : \`In the last minute: \${parts.join(", ")}\`,
);
}
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
write(byId("time-note"), state.running > 0 ? \`\${note}; \${state.running} running\` : note);
const isUnknown = state.savedBytes === 0 && part(minute.last, 1) + part(minute.last, 2) > 0;
write(byId("saved"), isUnknown ? "–" : size(state.savedBytes));
write(byId("saved-note"), isUnknown ? "no length is known" : "since the start");
write(byId("entries"), count(state.entries));
write(byId("entries-note"), \`\${counted(state.groups, "group")}, \${size(state.bytes)}\`);
const body = (byId("outcomes").querySelector("tbody"));
ENDS.forEach(([at, colour, name, reasons], index) => {
const total = reasons.reduce((sum, reason) => sum + (state.counters[reason] ?? 0), 0);
const swatch = () => make("span", { class: \`swatch \${colour}\`, "aria-hidden": "true" });
showRow(body, index, () => [swatch(), name], [count(total), count(minute.more(at))]);
});
}
function showRow(body, index, head, numbers, more) {
if (body.rows[index] === undefined) {
const cells = numbers.map(() => make("td", { class: "number" }));
const last = more === undefined ? [] : [make("td", {}, ...more())];
body.append(make("tr", {}, make("th", { scope: "row" }, ...head()), ...cells, ...last));
}
numbers.forEach((text, at) => {
write((body.rows[index]?.cells[at + 1]), text);
});
}
function familyOf(reason) {
if (ENDS.some(([, , , reasons]) => (reasons).includes(reason))) {
return "end";
}
const family = families[reason];
return family === "outcome" || family === "lookup" ? "run" : family;
}
let shownReasons = "";
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
(table.querySelector(\`[data-family="\${family}"]\`));
if (body === null) {
const heading = make("th", { scope: "rowgroup", colspan: "3" }, title);
body = (make(
"tbody",
{ "data-family": family },
make("tr", {}, heading),
));
table.append(body);
}
rows.forEach(([reason, times], at) => {
const { meaning = "", cure = "" } = causes[reason] ?? {};
showRow(
(body),
at + 1,
() => [make("code", {}, reason)],
[count(times)],
() => [...prose(meaning), make("p", { class: "quiet" }, ...prose(cure))],
);
});
}
}
function showState({ state, trouble, version }) {
byId("state").dataset["state"] = state;
write(byId("state-text"), STATES[state] + (version === undefined ? "" : \`, version \${version}\`));
document.title = \`\${trouble === undefined ? "" : \`\${state} – \`}Stillfresh inspector\`;
const banner = byId("trouble");
if (trouble !== undefined) {
banner.hidden = false;
write(byId("trouble-what"), trouble.what);
const advice = byId("trouble-advice");
if (advice.dataset["shown"] !== trouble.advice.join("\\n")) {
advice.dataset["shown"] = trouble.advice.join("\\n");
advice.replaceChildren(...trouble.advice.map((text) => make("li", {}, ...prose(text))));
}
} else if (!banner.hidden) {
banner.hidden = true;
write(byId("trouble-what"), "");
}
}
const changesOf = new Map();
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
feeds.forEach((feed, at) => showFeed((place.children[at]), feed, time));
}
function changeRate({ name, changes }, now) {
const told = (changesOf.get(name) ?? []).filter(([time]) => time < now).slice(-20);
changesOf.set(name, [...told, [now, changes]]);
const [[before, fewer] = [now, changes]] = told;
return now > before ? Math.max(0, changes - fewer) / (now - before) * 1_000 : 0;
}
function showFeed(card, feed, now) {
const { name, state, lag, maxLag, replicaLag, position, changes } = feed;
const { losses, recoveries, lostAt, lastReset, fault, faultAt } = feed;
const ago = (time) => \`\${clock(time)}, \${duration(Math.max(0, now - time))} ago\`;
const back = recoveries >= losses
? "and came back each time"
: \`and came back \${counted(recoveries, "time")}\`;
const pairs = [
[
"Lag",
(lag === undefined ? "no contact yet" : duration(lag)) +
(maxLag > 0 ? \`, at most \${duration(maxLag)}\` : ""),
],
["Position", position ?? "none"],
["Changes", \`\${count(changes)}, \${count(changeRate(feed, now))} a second\`],
["Losses", losses === 0 ? "none" : \`lost \${counted(losses, "time")}, \${back}\`],
["Last loss", lostAt === undefined ? "none" : ago(lostAt)],
["Last reset", lastReset === undefined ? "none" : \`\${lastReset.reason}, \${ago(lastReset.at)}\`],
["Fault", fault === undefined ? "none" : faultAt === undefined ? fault : \`\${fault}, \${ago(faultAt)}\`],
];
if (replicaLag > 0) pairs.push(["Replica lag", duration(replicaLag)]);
card.dataset["state"] = state;
if (card.querySelectorAll("dd").length !== pairs.length) {
const title = make("h3", {}, make("span", { class: "dot", "aria-hidden": "true" }), make("span"));
const facts = pairs.map(([key]) => make("div", {}, make("dt", {}, key), make("dd")));
card.replaceChildren(title, make("dl", { class: "facts" }, ...facts));
}
const title = (card.querySelector("h3 > span + span"));
write(title, \`\${name}: \${FEED_STATES[state]}\`);
card.querySelectorAll("dd").forEach((place, at) => write(place, pairs[at]?.[1] ?? ""));
}
let decisions = [];
let paused;
let waitsForRow = false;
let untold = 0;
const decisionOf = new WeakMap();
const narrow = matchMedia("(max-width: 30rem)");
function filter() {
const kind = field("kind").value;
const words = field("words").value.trim().toLowerCase();
return ({ method, path, end, reason, refusal, status = 0 }) => {
if (kind === "hit" && end !== "hit") return false;
if (kind === "run" && status === 0) return false;
if (kind === "refused" && refusal === undefined) return false;
if (kind === "errors" && status < 500 && BADGES[end]?.[1] !== "bad-ink") return false;
if (words === "") return true;
return \`\${method} \${path} \${readable(path)} \${end} \${reason} \${refusal ?? ""}\`.toLowerCase().includes(
words,
);
};
}
function decisionRow(decision) {
const { time, method, path, end, reason, refusal, status = 0, stored, text, sections } = decision;
const [badge, colour] = BADGES[end] ?? [\`\${status} handler\`, status >= 500 ? "bad-ink" : "run"];
const outcome = [reason === end ? [] : reason, refusal ?? (stored ? "registered" : [])].flat().join(", ");
const summary = make(
"summary",
{},
make(
"span",
{ class: "row" },
make("span", { class: "quiet" }, clock(time)),
make("span", { class: \`badge \${colour}\` }, badge),
make("code", {}, \`\${method} \${readable(path)}\`),
make("span", { class: "quiet" }, outcome),
),
);
const details = opened(summary, () => {
const links = sections.length === 0
? ["A rule of this library: docs/http.md and docs/consistency.md."]
: sections.flatMap((section) => [link(section), " "]);
const entry = make("button", { type: "button", class: "link" }, "Look for its entry");
entry.addEventListener("click", () => searchFor("url", path.replace(/…$/, "")));
return [make("p", {}, ...prose(text)), make("p", {}, ...links, entry)];
});
const row = make("li", {}, details);
decisionOf.set(row, decision);
return row;
}
function link(section) {
const [, rfc, place] = /^RFC (\\d+) §(.+)$/.exec(section) ?? [];
const href = \`https://www.rfc-editor.org/rfc/rfc\${rfc}.html#section-\${place}\`;
return make("a", { href, rel: "noreferrer noopener", target: "_blank" }, section);
}
function waitForRow({ target }) {
if ((target).open && paused === undefined) {
waitsForRow = true;
paused = decisions;
}
goOn();
}
function goOn() {
showDecisions();
if (!waitsForRow || byId("decisions").querySelector("details[open]") !== null) return;
waitsForRow = false;
paused = undefined;
showDecisions();
}
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
const isRead = row === focused || (row.firstElementChild).open;
if (isRead && isWanted(decision) && spared++ < MOST_SPARED) continue;
row.remove();
}
let next = list.firstElementChild;
const numberOf = (row) => decisionOf.get(row)?.number ?? 0;
for (const decision of wanted) {
while (next !== null && numberOf(next) > decision.number) next = next.nextElementSibling;
if (next !== null && numberOf(next) === decision.number) next = next.nextElementSibling;
else list.insertBefore(decisionRow(decision), next);
}
showDecisionNote(wanted.length, passing.length);
}
function showDecisionNote(shown, passing) {
const last = paused?.[0]?.number ?? 0;
const newer = paused === undefined
? 0
: decisions.filter(({ number }) => number > last).filter(filter()).length;
write(
(byId("pause").firstElementChild),
paused === undefined ? "Pause" : "Resume",
);
write(byId("waiting"), paused === undefined ? "" : \` (\${count(newer)} new)\`);
const noted = (paused ?? decisions).length;
if (noted === 0) return;
const isSifted = passing < noted;
const newest = shown < passing ? \`Newest \${count(shown)} of \` : "";
const matches = isSifted ? \`\${count(passing)} that match, of \` : "";
const more = untold > 0 ? \` \${count(untold)} more were not noted (at most 50 each half second).\` : "";
const state = paused === undefined ? "" : waitsForRow ? " Paused while a row is open." : " Paused.";
write(byId("decision-note"), \`\${newest}\${matches}\${count(noted)} noted.\${more}\${state}\`);
}
byId("decisions").addEventListener("toggle", waitForRow, true);
field("kind").addEventListener("change", goOn);
field("words").addEventListener("input", goOn);
narrow.addEventListener("change", showDecisions);
byId("pause").addEventListener("click", () => {
waitsForRow = false;
paused = paused === undefined ? decisions : undefined;
showDecisions();
});
let searching;
let chosen = { shown: "", name: "" };
const WANTED = {
url: "Part of the URL",
group: "Part of the name of a group",
dependents: "Whole name of the document or group",
};
function ask(parameters) {
const query = new URLSearchParams(location.search);
for (const name in parameters) query.set(name, parameters[name] ?? "");
return \`?\${query}\`;
}
function groupButton(name, text = name) {
const button = make("button", { type: "button", class: "group", title: "What depends on this?" }, text);
button.addEventListener("click", () => searchFor("dependents", name));
return button;
}
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
function entryRow(entry) {
const { resource, state, groupCount, caller, variant } = entry;
const marks = [...variant, ...(caller === undefined ? [] : [caller]), counted(groupCount, "group")];
const summary = make(
"summary",
{},
make(
"span",
{ class: "row" },
make("span", { class: \`badge \${state === "valid" ? "hit" : "run"}\` }, state),
make("code", {}, readable(resource)),
make("span", { class: "quiet" }, marks.join(" · ")),
),
);
return opened(summary, () => [entryFacts(entry)]);
}
function entryFacts(entry) {
const { etag, since: from, caller, variant, groups, groupCount, changed } = entry;
const { fields, length, expires, isPublic, resource } = entry;
const now = part(samples.at(-1), 0);
const age = from === undefined ? "not known" : \`\${duration(Math.max(0, now - from))}, since \${clock(from)}\`;
const more = groupCount > groups.length ? [\`and \${count(groupCount - groups.length)} more\`] : [];
const list = (...items) => make("ul", { class: "groups" }, ...items.map((item) => make("li", {}, item)));
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
...fields.map(([name, value]) => make("li", {}, make("code", {}, \`\${name}: \${value}\`))),
)],
],
["Content", [length > 0 ? \`\${size(length)}, which each 304 saves\` : "of unknown length"]],
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
const { entries, total, lookedAt } = (await response.json());
const what = by === "dependents"
? \`\${total === 1 ? "entry depends" : "entries depend"} on \${JSON.stringify(text)}\`
: total === 1
? "entry"
: "entries";
const shown = total > entries.length ? \` The newest \${count(entries.length)} are shown.\` : "";
const hint = by === "dependents" && total === 0
? " Only a whole name is found here: “entries whose groups contain” finds a part of one."
: "";
byId("found").replaceChildren(...entries.map(entryRow));
write(note, \`\${count(total)} \${what}, of \${count(lookedAt)}.\${shown}\${hint}\`);
if (by === "dependents") offerToVoid(text);
} catch (error) {
if (!signal.aborted) write(note, \`The search failed: \${(error).message.trim()}\`);
}
}
addEventListener("pageshow", showWanted);
field("by").addEventListener("change", showWanted);
byId("search").addEventListener("submit", (event) => {
event.preventDefault();
search();
});
let voidable;
function offerToVoid(name) {
const button = (document.getElementById("void"));
if (button === null) return;
voidable = name;
button.disabled = name === undefined;
const what = name === undefined
? "a document or group"
: JSON.stringify(name.length > 60 ? \`\${name.slice(0, 60)}…\` : name);
write(button, \`Void what depends on \${what}\`);
}
async function change(order, done) {
const note = byId("void-note");
try {
const response = await fetch(ask({}), {
method: "POST",
headers: { "content-type": "application/json" },
body: JSON.stringify(order),
});
if (response.status !== 204) {
throw new Error((await response.text()).trim() || \`status \${response.status}\`);
}
write(note, done);
await search();
} catch (error) {
write(note, \`Nothing was voided: \${(error).message}\`);
}
}
document.getElementById("void")?.addEventListener("click", () => {
if (voidable !== undefined) {
change({ void: voidable }, \`What depends on \${JSON.stringify(voidable)} is void.\`);
}
});
document.getElementById("clear")?.addEventListener("click", () => {
const question = \`Void all \${
byId("entries").textContent
} entries? The handler has to run again for each page.\`;
if (confirm(question)) change({ clear: true }, "All entries are void.");
});
let log;
let newest = 0;
let base = 0;
let toldAt = 0;
let askedAt = 0;
let asOf = "";
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
function showAway(why) {
byId("away").hidden = false;
byId("trouble").hidden = true;
write(byId("away-what"), why);
byId("main").classList.add("old");
if (asOf !== "") write(byId("as-of"), \`as of \${asOf}\`);
byId("state").dataset["state"] = "unknown";
write(byId("state-text"), "Not known now");
document.title = "not known now – Stillfresh inspector";
}
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
for (let end; (end = text.indexOf("\\n\\n")) >= 0; text = text.slice(end + 2)) {
const data = text.slice(0, end).split("\\n").find((line) => line.startsWith("data: "));
if (data === undefined || signal.aborted) continue;
show(JSON.parse(data.slice(6)), isFirst);
isFirst = false;
}
}
}
function refused({ status, type }, said) {
if (status === 204) return showAway("The inspector was closed. Reload the page to ask again.");
if (status === 401 || status === 403 || type === "opaqueredirect") {
return showAway(\`The server does not let you look any more: log in, and reload the page. \${said}\`);
}
showAway(\`\${said || \`The server answers \${status}.\`} Trying again every few seconds…\`);
return 3_000;
}
let listening;
async function listen() {
listening?.abort();
listening = undefined;
if (document.visibilityState === "hidden") return;
const { signal } = listening = new AbortController();
for (let pause; (pause = await hear(signal)) !== undefined && !signal.aborted;) {
await new Promise((resolve) => setTimeout(resolve, pause));
if (signal.aborted) return;
}
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
if (now - Math.max(toldAt, askedAt) > SILENCE) listen();
}, 500);
document.addEventListener("visibilitychange", begin);
addEventListener("pagehide", () => listening?.abort());
addEventListener("pageshow", begin);</script>
</body>
</html>
`;
}
