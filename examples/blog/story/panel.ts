/**
 * The story at the top of each page, as it was when the page was built. The script of `script.js` puts what has happened
 * since in its place: that is no part of the page, and of no tag.
 */
import type { Dependency } from "../../../mod.ts";
import { type Html, html } from "../html.ts";
import { changeInWords, runInWords, shortRevision } from "./sentences.ts";
import type { Run } from "./story.ts";

/** A post that the page offers to change. */
export interface Offer {
  readonly id: string;
  readonly label: string;
}

/** How many sources are shown without a click. */
const fewSources = 3;

/** The story of the run that builds the page. `data-documents` names the documents it is built from, with revisions. */
export function panel(run: Run, offer: Offer | undefined): Html {
  const documents = run.sources.filter(hasRevision).map(({ _id, _rev }) => `${_id}@${_rev}`).join(" ");
  const isBuilt = run.sources.length > 0;
  const why = isBuilt
    ? "Reload: the number stays until something it was built from changes."
    : "It is built from no document, so it is not registered: each request runs the handler.";
  return html`
    <section class="story" aria-labelledby="story" data-built="${Number(
      run.time,
    )}" data-documents="${documents}">
      <div class="measure">
        <h2 id="story" data-tell="title">The request that built this page</h2>
        <div class="answer" role="status">
          <p class="status" data-tell="status">№ ${run.number}</p>
          <p class="how" data-tell="how">Built by run № ${run.number} of the handler.</p>
          <p class="why">
            <span data-tell="why">${why}</span>
            <a href="/story/why?path=${encodeURIComponent(run.path)}">Explain</a>
          </p>
        </div>
        ${isBuilt ? facts(run) : ""}
        <div class="actions">${offer === undefined ? "" : edit(run, offer)}
          <a href="">Ask again</a>
          <a href="/_stillfresh">Inspector</a>
          <a href="/stats">Statistics</a>
        </div>
        ${offer === undefined ? "" : html`
          <p class="terminal" hidden>
            From a terminal: <code data-edit="/edit/${offer.id}"></code>
          </p>
        `}
      </div>
    </section>
  `;
}

function facts(run: Run): Html {
  const { what, state, time } = changeInWords(run.lastChange);
  return html`
    <dl>
      <div>
        <dt>This copy</dt>
        <dd>
          ${runInWords(run)}
          <span data-tell="copy">Good until what it was built from changes.</span>
          <span class="aside" data-tell="contact"></span>
        </dd>
      </div>
      <div>
        <dt>Built from</dt>
        <dd>${sourcesOf(run)}</dd>
      </div>
      <div>
        <dt>Last change in the feed</dt>
        <dd>
          <code data-tell="change">${what}</code>
          <span data-tell="state">${state}</span>
          <span class="aside" data-tell="brought">${time === "" ? "" : `${time}, `}as of run № ${run
            .number}</span>
        </dd>
      </div>
    </dl>
  `;
}

function sourcesOf({ sources }: Run): Html {
  const items = sources.map((source) => {
    const [name, state] = typeof source === "string"
      ? [source, "a group"]
      : [source._id, shortRevision(source._rev ?? "")];
    return html`<li><code>${name}</code> <code class="aside">${state}</code></li>`;
  });
  if (sources.length <= fewSources) return html`<ul>${items}</ul>`;
  const documents = sources.filter(hasRevision).length;
  const groups = sources.length - documents;
  const summary = `${documents} documents and ${groups === 1 ? "a group" : `${groups} groups`}`;
  // The list scrolls, with the keyboard as well.
  const list = html`<ul tabindex="0" aria-label="${summary}">${items}</ul>`;
  return html`<details><summary>${summary}</summary>${list}</details>`;
}

function hasRevision(source: Dependency): source is { readonly _id: string; readonly _rev: string } {
  return typeof source !== "string" && source._rev !== undefined;
}

/** A form, and no link: it changes something. */
function edit(run: Run, { id, label }: Offer): Html {
  const action = `/edit/${id}?back=${encodeURIComponent(run.path)}`;
  return html`<form method="post" action="${action}"><button>${label}</button></form>`;
}
