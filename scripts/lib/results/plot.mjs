// One figure as a plot: a line for each contender, a dot for each round, on one scale that begins at zero.

import { html } from './html.mjs';
import { spread } from '../../../bench/lib/statistics.mjs';

/**
 * `rows` are {name, points: [{value, failed}], note, emphasis, absent}; `better` is `more`, `less` or undefined; `mark` is
 * {value, title}, a line through all rows. Null if no row has a point.
 */
export function plot({ title, digits = 1, better, mark, rows }) {
  const drawn = rows.map((row) => ({ ...row, spread: spread(row.points.map(({ value }) => value)) }));
  const known = drawn.filter((row) => row.spread !== null);
  if (known.length === 0) {
    return null;
  }
  const ends = known.flatMap((row) => [row.spread.lowest, row.spread.highest]);
  const scale = scaleOf([...ends, ...(mark === undefined ? [] : [mark.value])]);
  return html`<figure class="plot">
    <figcaption>${title}${better === undefined ? '' : html` <small>${better} is better</small>`}</figcaption>
    <div class="rows">${drawn.map((row) => line(row, scale, digits, mark))}</div>
    <p class="scale" aria-hidden="true">
      <span>${number(scale.from, digits)}</span><span>${number(scale.to, digits)}</span>
    </p>
    ${mark === undefined ? '' : html`<p class="mark">${mark.title}: ${number(mark.value, digits)}</p>`}
  </figure> `;
}

/** Written as people read it: thousands apart, as many digits as the figure is worth. */
export function number(value, digits) {
  const rounded = Number(value.toFixed(digits));
  // Not minus zero.
  const text = (rounded === 0 ? 0 : rounded).toFixed(digits);
  const [whole, fraction] = text.split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

function line(
  { name, points, note, emphasis = false, spread: own, absent = 'not measured' },
  scale,
  digits,
  mark,
) {
  const kind = emphasis ? 'line own' : 'line';
  if (own === null) {
    return html`<div class="${kind}">
      <span class="name">${name}</span><span class="absent">${absent}</span>
    </div>`;
  }
  const { median, lowest, highest, rounds } = own;
  const range = rounds > 1 ? `${number(lowest, digits)} – ${number(highest, digits)}` : 'one round';
  const label = `${name}: median ${number(median, digits)}, ${range}`;
  return html`<div class="${kind}">
    <span class="name">${name}</span>
    <svg role="img" aria-label="${label}">
      <line class="ground" x1="0" x2="100%" y1="50%" y2="50%" />
      ${mark === undefined ? '' : html`<line class="goal" x1="${scale.at(mark.value)}" x2="${scale.at(mark.value)}" y1="0" y2="100%" />`}
      <line class="range" x1="${scale.at(lowest)}" x2="${scale.at(highest)}" y1="50%" y2="50%" />
      ${points.filter(({ value }) => Number.isFinite(value)).map((point) => dot(point, scale))}
      <line class="median" x1="${scale.at(median)}" x2="${scale.at(median)}" y1="2" y2="20" />
    </svg>
    <span class="value"
      ><b>${number(median, digits)}</b>
      <small>${range}</small>${note === undefined ? '' : html` <small class="ratio">${note}</small>`}</span
    >
  </div> `;
}

/** Rounds that failed have a shape of their own. */
function dot({ value, failed }, scale) {
  const x = scale.at(value);
  return failed
    ? html`<svg class="cross" x="${x}" y="50%" overflow="visible"><path d="M-4-4L4 4M-4 4L4-4" /></svg>`
    : html`<circle class="dot" cx="${x}" cy="50%" r="3" />`;
}

/** From zero, or from below it if something is, to the largest. */
function scaleOf(values) {
  const from = Math.min(0, ...values);
  const largest = Math.max(0, ...values);
  const to = largest === from ? from + 1 : largest;
  const at = (value) => `${(LEFT + ((value - from) / (to - from)) * (100 - 2 * LEFT)).toFixed(2)}%`;
  return { from, to, at };
}

/** Percent of the width that stay free on each side, for the dots at the ends. */
const LEFT = 2;
