// Prints a scenario's result: a line for each figure, a column for each contender.

import { bold, dim, red } from '../../scripts/lib/say.mjs';

const NAME_WIDTH = 42;
const COLUMN_WIDTH = 34;

export function report({ title, figures, summary, subject }) {
  console.log(`\n${bold(title)}`);
  console.log(
    dim(
      `${'median (lowest – highest)'.padEnd(NAME_WIDTH)}${summary.map(({ contender }) => contender.padEnd(COLUMN_WIDTH)).join('')}`,
    ),
  );
  for (const { key, title: name, digits = 1 } of figures) {
    const cells = summary.map(({ figures: own, ratios }) => cell(own[key], ratios[key], digits));
    if (cells.some((text) => text !== '–')) {
      console.log(`${name.padEnd(NAME_WIDTH)}${cells.map((text) => text.padEnd(COLUMN_WIDTH)).join('')}`);
    }
  }
  for (const { contender, failed, rounds, failures } of summary) {
    if (failed > 0) {
      console.log(red(`${contender} failed in ${failed} of ${rounds} rounds:`));
      failures.forEach((failure) => console.log(red(`  ${failure}`)));
    }
  }
  if (summary.some(({ ratios }) => Object.keys(ratios).length > 0)) {
    console.log(dim(`×: what ${subject} has over this contender, median over the rounds`));
  }
}

function cell(spread, ratio, digits) {
  if (spread === undefined) {
    return '–';
  }
  const { median, lowest, highest, rounds } = spread;
  const range = rounds > 1 ? ` (${lowest.toFixed(digits)} – ${highest.toFixed(digits)})` : '';
  const times = ratio === undefined ? '' : ` ×${ratio.toFixed(2)}`;
  return `${median.toFixed(digits)}${range}${times}`;
}
