// A table that is redrawn in place on a terminal, and printed now and then where there is none.

import { bold } from './say.mjs';

const PRINT_EVERY_MS = 10_000;

export class LiveTable {
  #columns;
  #drawn = 0;
  #printedAt = 0;

  /** `columns` are {title, width, value(row)}. */
  constructor(columns) {
    this.#columns = columns;
  }

  /** Draws the table; `last` prints it even where there is no terminal. */
  show(rows, { last = false } = {}) {
    const lines = [
      bold(this.#columns.map(({ title, width }) => pad(title, width)).join('  ')),
      ...rows.map((row) =>
        this.#columns.map(({ value, width }) => pad(String(value(row)), width)).join('  '),
      ),
    ];
    if (process.stdout.isTTY === true) {
      const up = this.#drawn > 0 ? `\u001b[${this.#drawn}A` : '';
      process.stdout.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}`);
      this.#drawn = lines.length;
    } else if (last || Date.now() - this.#printedAt >= PRINT_EVERY_MS) {
      this.#printedAt = Date.now();
      process.stdout.write(`${lines.join('\n')}\n`);
    }
  }
}

// Numbers to the right, words to the left.
function pad(text, width) {
  return /^[\d.,–-]/.test(text) ? text.padStart(width) : text.padEnd(width);
}
