// What `npm run bench` has measured: a scenario is an article, a figure is a plot.

import { goalsOf } from './goals.mjs';
import { goalTable } from './goal-table.mjs';
import { html } from './html.mjs';
import { number, plot } from './plot.mjs';

/** {id, title, article, goals} of each scenario in `json`, which is the file `name`. */
export function benchParts(name, json) {
  return Object.entries(json.scenarios).map(([id, scenario]) => {
    const { title, subject, figures, summary, results } = scenario;
    if (figures === undefined) {
      throw new Error(
        `${name} was measured before figures were kept with it: npm run bench -- ${id} --json docs/results/${name}`,
      );
    }
    const goals = goalsOf(id, scenario);
    const order = summary
      .map(({ contender }) => contender)
      .sort((a, b) => Number(b === subject) - Number(a === subject));
    const plots = figures
      .map((figure) => plot({ ...figure, rows: order.map((contender) => row(contender, figure, scenario)) }))
      .filter((drawn) => drawn !== null);
    const article = html`<article id="${id}">
      <h3>${title}</h3>
      <p class="how"><code>npm run bench -- ${id}</code> <a href="${name}">every round</a></p>
      ${failures(summary)} ${goalTable(goals)}
      <div class="plots">${plots}</div>
      ${madeWith(json.machine, results)}
    </article> `;
    return { id, title, article, goals };
  });
}

function row(contender, { key }, { subject, summary, results }) {
  const { ratios, rounds, failed } = summary.find((each) => each.contender === contender);
  const ratio = ratios[key];
  return {
    name: contender,
    emphasis: contender === subject,
    points: results
      .filter((result) => result.contender === contender)
      .map(({ figures, failure }) => ({ value: figures[key], failed: failure !== undefined })),
    note: ratio === undefined ? undefined : `${subject} ×${number(ratio, 2)}`,
    absent: failed === rounds ? 'failed' : 'none',
  };
}

function failures(summary) {
  const failing = summary.filter(({ failed }) => failed > 0);
  return failing.map(
    ({ contender, failed, rounds, failures: said }) =>
      html`<div class="failing">
        <p>
          <b>${contender} failed in ${failed} of ${rounds} rounds.</b> Crosses are what could be measured in
          them all the same.
        </p>
        <ul>
          ${said.map((text) => html`<li>${text}</li>`)}
        </ul>
      </div> `,
  );
}

function madeWith(machine, results) {
  const loads = results.map(({ load }) => load);
  const each = (of) => [...new Set(results.map(of).filter((value) => value !== undefined))].join(', ');
  const rounds = new Set(results.map(({ round }) => round)).size;
  const rows = [
    ['Rounds', `${rounds}, contenders in turn`],
    ['swarmseal', each(({ swarmseal }) => swarmseal)],
    [
      'Rivals',
      Object.entries(machine.rivals)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['Browser', each(({ browser }) => browser) || 'none'],
    [
      'Machine',
      `${machine.cores} cores of ${machine.cpu}, ${machine.memoryGiB} GiB, ${machine.system}, node ${machine.node}`,
    ],
    ['Load when a turn began', `${number(Math.min(...loads), 2)} – ${number(Math.max(...loads), 2)}`],
    ['Measured on', machine.at],
  ];
  return facts('Machine, versions, load', rows);
}

/** Rows of [term, text] that are shown when somebody asks. */
export function facts(title, rows) {
  return html`<details>
    <summary>${title}</summary>
    <dl>
      ${rows.map(
        ([term, text]) =>
          html`<dt>${term}</dt>
            <dd>${text}</dd>`,
      )}
    </dl>
  </details>`;
}
