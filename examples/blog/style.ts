/** The one stylesheet, sent inside each page. */
import { Html } from "./html.ts";

export const style: Html = new Html(`
:root {
  color-scheme: light dark;
  --paper: #fbf8f2; --ink: #22201c; --quiet: #6d675d; --rule: #ddd6c9; --accent: #1f5f6b;
  --serif: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "P052", Charter, Georgia, serif;
  --sans: system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "Liberation Sans", sans-serif;
}
@media (prefers-color-scheme: dark) {
  :root { --paper: #16191b; --ink: #e2ddd3; --quiet: #98938a; --rule: #30363a; --accent: #86c5cf; }
}
*, ::before, ::after { box-sizing: border-box; }
html { background: var(--paper); font: clamp(1.06rem, 0.98rem + 0.4vw, 1.25rem)/1.62 var(--serif); -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; max-width: 35rem; min-height: 100vh; padding: 0 1.25rem; display: flex; flex-direction: column;
  color: var(--ink); hanging-punctuation: first; font-kerning: normal;
  text-rendering: optimizeLegibility;
}
main { flex: 1; }
a { color: inherit; text-decoration-color: var(--rule); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
a:hover { color: var(--accent); text-decoration-color: currentColor; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 4px; border-radius: 2px; }
h1, h2 { font-weight: 600; line-height: 1.18; letter-spacing: -0.012em; text-wrap: balance; margin: 0; }
p { margin: 0; text-wrap: pretty; overflow-wrap: break-word; }
.masthead { padding: 2.6rem 0 2.2rem; display: flex; align-items: baseline; gap: 1rem; flex-wrap: wrap; }
.masthead a { font-style: italic; font-size: 1.15rem; text-decoration: none; }
.masthead span, .meta, footer, .tags, .older {
  font: 0.72rem/1.6 var(--sans); color: var(--quiet); letter-spacing: 0.015em;
}
.masthead span { margin-left: auto; }
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
.tags span::before { content: "#"; opacity: 0.55; }
footer { margin-top: 3.4rem; padding: 1.1rem 0 2.4rem; border-top: 1px solid var(--rule); }
footer b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
@media print { .masthead span, footer, .older { display: none; } }
`);
