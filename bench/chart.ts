/**
 * Draws `docs/performance.svg` from `bench/figures.json`: what a hit costs over HTTP, next to the least possible and to
 * what others do. `deno run -A bench/chart.ts` writes the file; a test compares the two.
 *
 * The figures are those of one run of `deno task bench http`, copied by hand into the JSON and into the table of
 * docs/performance.md.
 *
 * @module
 */
import { root } from "../scripts/run.ts";

/** What the chart shows: microseconds by server and contestant. */
export interface Figures {
  readonly title: string;
  readonly unit: string;
  readonly servers: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** The contestant that is drawn in colour. */
const OURS = "Stillfresh";

/** Not a way to answer right, but what any way is measured by. */
const BOUNDS: ReadonlySet<string> = new Set(["constant 304", "only reads, then 304", "least by hand"]);

// In pixels of an image that is 760 wide.
const WIDTH = 760;
const PANEL = WIDTH / 2;
const LABEL = 168;
const BAR = PANEL - LABEL - 56;
const ROW = 20;
const HEADING = 34;
const TOP = 36;

/** Readable on white and on black: an image has no other way to learn which it stands on. As `deno fmt` would have it. */
const STYLE = `  <style>
  text {
    font: 12px system-ui,sans-serif;
    fill: #1f2328;
  }
  .title {
    font-size: 14px;
    font-weight: 600;
  }
  .server {
    font-size: 13px;
    font-weight: 600;
  }
  .ours {
    fill: #0969da;
  }
  .bound {
    fill: #8c959f;
  }
  .peer {
    fill: #c3c9d0;
  }
  text.ours {
    font-weight: 600;
  }
  @media (prefers-color-scheme:dark) {
    text {
      fill: #e6edf3;
    }
    .ours {
      fill: #58a6ff;
    }
    .bound {
      fill: #8b949e;
    }
    .peer {
      fill: #4b535d;
    }
  }
  </style>`;

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");

/** The chart as an SVG document. All panels have the same scale. */
export function chart({ title, unit, servers }: Figures): string {
  const panels = Object.entries(servers);
  const most = Math.max(...panels.flatMap(([, rows]) => Object.values(rows)));
  const elements: string[] = [];
  let top = TOP;
  for (let at = 0; at < panels.length; at += 2) {
    const pair = panels.slice(at, at + 2);
    pair.forEach(([server, rows], column) =>
      elements.push(...panel(server, rows, column * PANEL, top, most))
    );
    top += HEADING + ROW * Math.max(...pair.map(([, rows]) => Object.keys(rows).length)) + 14;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" role="img">`,
    `  <title>${escaped(title)}, in ${escaped(unit)}</title>`,
    STYLE,
    `  <text class="title" x="0" y="18">${escaped(title)}, in ${escaped(unit)}</text>`,
    ...elements,
    "</svg>\n",
  ].join("\n");
}

function panel(
  server: string,
  rows: Readonly<Record<string, number>>,
  left: number,
  top: number,
  most: number,
): string[] {
  const elements = [`  <text class="server" x="${left}" y="${top + 18}">${escaped(server)}</text>`];
  Object.entries(rows).forEach(([name, figure], at) => {
    const kind = name === OURS ? "ours" : BOUNDS.has(name) ? "bound" : "peer";
    const y = top + HEADING + at * ROW;
    const length = Math.max(1, BAR * figure / most).toFixed(1);
    const label = kind === "ours" ? ' class="ours"' : "";
    elements.push(
      `  <text${label} x="${left + LABEL - 8}" y="${y + 4}" text-anchor="end">${escaped(name)}</text>`,
      `  <rect class="${kind}" x="${left + LABEL}" y="${y - 6}" width="${length}" height="13" rx="2" />`,
      `  <text${label} x="${(left + LABEL + 6 + Number(length)).toFixed(1)}" y="${y + 4}">${
        figure.toFixed(1)
      }</text>`,
    );
  });
  return elements;
}

if (import.meta.main) {
  const figures: Figures = JSON.parse(Deno.readTextFileSync(`${root}bench/figures.json`));
  Deno.writeTextFileSync(`${root}docs/performance.svg`, chart(figures));
}
