/** The connections as a table: the same as the picture, for reading. */

import type { Scene, Viewer } from './scene.js';
import { bytes, shortHandle } from './words.js';

export class ViewersView {
  readonly #body: HTMLElement;
  #shown = '';

  constructor(body: HTMLElement) {
    this.#body = body;
  }

  update({ viewers, sharing }: Scene): void {
    const rows = viewers.map((viewer) => [
      shortHandle(viewer.handle),
      viewer.state === 'ready' ? round(viewer) : STATES[viewer.state],
      String(viewer.holds),
      bytes(viewer.received),
      bytes(viewer.given),
    ]);
    const text = JSON.stringify([rows, sharing.state]);
    if (text === this.#shown) return;
    this.#shown = text;
    this.#body.replaceChildren(...(rows.length > 0 ? rows.map(row) : [nobody(sharing.state)]));
  }
}

function round(viewer: Viewer): string {
  return viewer.roundTripMs === null ? 'connected' : `connected, ${viewer.roundTripMs} ms`;
}

function row(cells: readonly string[]): HTMLTableRowElement {
  const line = document.createElement('tr');
  for (const [place, text] of cells.entries()) {
    const cell = document.createElement(place === 0 ? 'th' : 'td');
    if (place === 0) cell.setAttribute('scope', 'row');
    if (place > 1) cell.className = 'number';
    cell.textContent = text;
    line.append(cell);
  }
  return line;
}

function nobody(state: Scene['sharing']['state']): HTMLTableRowElement {
  const line = document.createElement('tr');
  const cell = document.createElement('td');
  cell.colSpan = 5;
  cell.className = 'empty';
  cell.textContent = NOBODY[state];
  line.append(cell);
  return line;
}

const NOBODY = {
  ask: 'Nobody: you have not answered yet.',
  on: 'Nobody yet. Open a second viewer to see them feed each other.',
  paused: 'Nobody yet. Open a second viewer to see them feed each other.',
  off: 'Nobody: sharing is off.',
} as const;
const STATES = { connecting: 'connecting', proving: 'proving itself' } as const;
