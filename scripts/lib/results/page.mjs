// The page of results: everything on it comes from the files it is given.

import { readFileSync } from 'node:fs';

import { LIVE_TABLE } from '../live-table.mjs';
import { asIs, html } from './html.mjs';
import { benchParts } from './bench-part.mjs';
import { WITH_GOALS } from './goals.mjs';
import { goalTable } from './goal-table.mjs';
import { livePart, titlePart } from './live-part.mjs';

/** `files` are {name, json} in the order of their names; the text of the page. */
export function resultsPage(files) {
  const parts = { bench: [], live: [], title: [] };
  for (const { name, json } of files) {
    if (json.scenarios !== undefined) {
      parts.bench.push(...benchParts(name, json));
    } else if (LIVE_TABLE.some((row) => `${row.name}.json` === name)) {
      parts.live.push(livePart(name, json));
    } else {
      parts.title.push(titlePart(name, json));
    }
  }
  const groups = [
    { id: 'rivals', title: 'Beside what people would use instead', parts: parts.bench },
    { id: 'live', title: 'Live streams, with and without peers', parts: parts.live },
    { id: 'titles', title: 'A small swarm', parts: parts.title },
  ].filter((group) => group.parts.length > 0);
  const goals = groups
    .flatMap((group) => group.parts)
    .flatMap((part) => part.goals.map((goal) => ({ ...goal, part })));
  const unknown = WITH_GOALS.filter((id) => !parts.bench.some((part) => part.id === id));
  const missed = goals.filter(({ holds }) => !holds);
  const reached = goals.length - missed.length;
  return String(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width, initial-scale=1" />
          <meta name="color-scheme" content="light dark" />
          <title>swarmseal, measured</title>
          <style>
            ${asIs(STYLE)}
          </style>
        </head>
        <body>
          <header>
            <h1>swarmseal, measured</h1>
            <p>
              Every figure here is drawn from the files beside this page, by <code>npm run results</code>. A
              dot is a round, a bar goes from the lowest to the highest, the upright line is the median.
              Scales begin at zero. “×” is what swarmseal has over that contender, median over the rounds. A
              round that failed is a red cross, and what went wrong is told above it. One machine runs
              viewers, origin and tracker: look at ratios.
            </p>
            <nav>${groups.map((group) => html`<a href="#${group.id}">${group.title}</a>`)}</nav>
          </header>
          <main>
            <section id="goals">
              <h2>${reached} goals reached, ${missed.length} missed</h2>
              ${unknown.length === 0 ? '' : html`<p>No measurement is kept of ${unknown.join(', ')}, which have goals too.</p>`}
              ${missed.length === 0 ? '' : html`<p>Missed, each with the measurement that it is about; the goals that were reached stand there.</p>`}
              ${goalTable(missed, ({ part }) => html`<a href="#${part.id}">${part.title}</a>`)}
            </section>
            ${groups.map(
              (group) =>
                html`<section id="${group.id}">
                  <h2>${group.title}</h2>
                  ${group.parts.map((part) => part.article)}
                </section> `,
            )}
          </main>
          <footer>
            <p>
              What was tried, and how to repeat each figure: docs/PERFORMANCE.md. How contenders are set up:
              bench/README.md.
            </p>
          </footer>
        </body>
      </html> `,
  );
}

const STYLE = readFileSync(new URL('page.css', import.meta.url), 'utf8').trim();
