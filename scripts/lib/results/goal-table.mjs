// Goals and what was measured for them.

import { html } from './html.mjs';

/** A row for each of `goals`, which are {what, reached, goal, holds}; nothing if there is none. `under` is told below it. */
export function goalTable(goals, under = () => undefined) {
  if (goals.length === 0) {
    return undefined;
  }
  return html`<table class="goals">
    <thead>
      <tr>
        <th scope="col">Goal</th>
        <th scope="col">Measured</th>
        <th scope="col">Must be</th>
        <th scope="col"></th>
      </tr>
    </thead>
    <tbody>
      ${goals.map((goal) => row(goal, under(goal)))}
    </tbody>
  </table> `;
}

function row({ what, reached, goal, holds }, below) {
  return html`<tr class="${holds ? 'holds' : 'misses'}">
    <td>${what}${below === undefined ? '' : html` <small>${below}</small>`}</td>
    <td>${reached}</td>
    <td>${goal}</td>
    <td>${holds ? 'reached' : 'missed'}</td>
  </tr> `;
}
