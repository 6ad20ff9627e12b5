/** The one stylesheet, sent inside each page. */
import { Html } from "./html.ts";

export const style: Html = new Html(`
:root {
  color-scheme: light dark;
  --paper: #fbf8f2; --ink: #22201c; --quiet: #6a645a; --rule: #ddd6c9; --accent: #1f5f6b;
  --band: #f1ece1; --band-rule: #d9d1c1; --hit: #1d6b52; --run: #94501a; --button: #22201c; --on-button: #fbf8f2;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "P052", Charter, Georgia, serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  --sans: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191b; --ink: #e2ddd3; --quiet: #98938a; --rule: #30363a; --accent: #86c5cf;
    --band: #1e2325; --band-rule: #343b3f; --hit: #7fcbac; --run: #e2a970; --button: #e2ddd3; --on-button: #16191b; }
}
*, ::before, ::after { box-sizing: border-box; }
html { background: var(--paper); font: clamp(1.06rem, 0.98rem + 0.4vw, 1.25rem)/1.62 var(--serif); -webkit-text-size-adjust: 100%; }
body {
  margin: 0; min-height: 100vh; display: flex; flex-direction: column;
  color: var(--ink); hanging-punctuation: first; font-kerning: normal;
  text-rendering: optimizeLegibility;
}
.measure { width: 100%; max-width: 37.5rem; margin: 0 auto; padding: 0 1.25rem; }
.story + .measure { flex: 1; display: flex; flex-direction: column; }
main { flex: 1; }
a { color: inherit; text-decoration-color: var(--rule); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
a:hover { color: var(--accent); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 2px; }
h1, h2 { font-weight: 600; line-height: 1.18; letter-spacing: -0.012em; text-wrap: balance; margin: 0; }
p { margin: 0; text-wrap: pretty; overflow-wrap: break-word; }
.masthead { padding: 1.9rem 0 1.6rem; display: flex; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
.masthead > :first-child { font-style: italic; font-size: 1.15rem; font-weight: 400; letter-spacing: 0; }
.masthead a { text-decoration: none; }
.motto, .meta, footer, .tags, .older {
  font: 0.72rem/1.6 var(--sans); color: var(--quiet); letter-spacing: 0.015em;
}
.masthead .motto { margin-left: auto; }
.meta time { font-variant-numeric: oldstyle-nums; }
.list { list-style: none; margin: 0; padding: 0; }
.list li { padding: 1.55rem 0; border-top: 1px solid var(--rule); }
.list h2 { font-size: 1.34rem; margin: 0.15rem 0 0.45rem; }
.list h2 a { text-decoration: none; }
.list p.excerpt { color: var(--quiet); font-size: 0.94rem; }
.list li:first-child h2 { font-size: 1.9rem; }
.list li:first-child p.excerpt { font-size: 1rem; color: inherit; }
.older { display: block; padding: 1.4rem 0 0; border-top: 1px solid var(--rule); }
article h1 { font-size: clamp(2rem, 1.5rem + 2.6vw, 2.9rem); margin: 0.5rem 0 1.1rem; }
article .meta { border-bottom: 1px solid var(--rule); padding-bottom: 1.1rem; margin-bottom: 1.7rem; }
.prose p + p { margin-top: 1.05em; }
.prose p:first-child::first-letter { -webkit-initial-letter: 2; initial-letter: 2; margin-right: 0.12em; color: var(--accent); }
.author { margin: 2.6rem 0 0; padding: 1.1rem 0 0; border-top: 1px solid var(--rule); font-style: italic; }
.tags { margin-top: 0.5rem; display: flex; gap: 0.9rem; }
.tags span::before { content: "#"; }
footer { margin-top: 3.4rem; padding: 1.1rem 0 2.4rem; border-top: 1px solid var(--rule); }
@media print { .story, .motto, footer, .older { display: none; } }

.story { background: var(--band); border-bottom: 1px solid var(--band-rule); font: 0.8125rem/1.5 var(--sans); padding: 1.2rem 0 1.1rem; }
.story h2 { font: 400 0.8125rem/1.4 var(--sans); letter-spacing: 0; color: var(--quiet); }
.answer { display: grid; grid-template-columns: auto 1fr; column-gap: 0.9rem; align-items: baseline; align-content: start; margin-top: 0.3rem; min-height: 4rem; }
.status { font: 400 2.4rem/1.1 var(--serif); font-variant-numeric: lining-nums tabular-nums; letter-spacing: -0.02em; white-space: nowrap; color: var(--run); }
.how { font: 400 1.06rem/1.35 var(--serif); }
.why { grid-column: 2; color: var(--quiet); }
[data-answer="hit"] .status { color: var(--hit); }
.story dl { display: grid; gap: 0.55rem 1.5rem; margin: 0.8rem 0 0; padding-top: 0.8rem; border-top: 1px solid var(--band-rule); }
.story dl > div { display: grid; grid-template-columns: 5.4rem 1fr; }
.story dt, .story .aside { color: var(--quiet); }
.story dd { margin: 0; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.story dd > span { display: block; }
.story ul { list-style: none; margin: 0; padding: 0; }
.story code { font: 0.8em/1.4 var(--mono); overflow-wrap: anywhere; }
.story li code { overflow-wrap: normal; white-space: nowrap; }
.story summary { cursor: pointer; }
.story details ul { max-height: 9rem; overflow-y: auto; margin-top: 0.3rem; }
[data-copy="good"] [data-tell="copy"] { color: var(--hit); }
[data-copy="void"] [data-tell="copy"] { color: var(--run); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 0.3rem 0.9rem; margin-top: 0.9rem; }
.actions a { padding: 0.45rem 0; }
.story a { text-decoration-color: var(--quiet); }
.story button {
  font: 600 0.8125rem/1.4 var(--sans); color: var(--on-button); background: var(--button);
  border: 0; border-radius: 0.35rem; padding: 0.55rem 0.9rem; cursor: pointer;
}
.story button:hover { background: var(--accent); color: var(--paper); }
.terminal { display: none; margin-top: 0.5rem; color: var(--quiet); }
@media (min-width: 44rem) {
  .story { padding: 1.5rem 0 1.4rem; }
  .story dl { grid-template-columns: 4fr 5fr 4fr; }
  .story dl > div { display: block; }
  .actions { column-gap: 1.4rem; }
  .terminal:not([hidden]) { display: block; }
}
`);
