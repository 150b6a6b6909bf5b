/** What happened, in plain words, newest first. */

import { clock } from './words.js';

export type Mark = 'peer' | 'origin' | 'given' | 'alarm' | 'note';

/** A line about a run of segments, kept open while the next one of the run may follow. */
interface Run {
  readonly words: HTMLElement;
  readonly first: number;
  last: number;
}

export class Journal {
  readonly #list: HTMLElement;
  readonly #startedMs = performance.now();
  readonly #runs = new Map<string, Run>();

  constructor(list: HTMLElement) {
    this.#list = list;
  }

  write(mark: Mark, text: string): void {
    this.#runs.clear();
    this.#add(mark, text);
  }

  /** Segments of one track that came the same way one after another share a line. `index` counts from 0. */
  segment(mark: Mark, track: string, index: number, how: string): void {
    const key = `${mark} ${track} ${how}`;
    const run = this.#runs.get(key);
    if (run && index === run.last + 1) {
      run.last = index;
      run.words.textContent = `${track}: segments ${run.first + 1} to ${index + 1} ${how}.`;
      return;
    }
    const words = this.#add(mark, `${track}: segment ${index + 1} ${how}.`);
    this.#runs.set(key, { words, first: index, last: index });
  }

  #add(mark: Mark, text: string): HTMLElement {
    const line = document.createElement('li');
    const time = document.createElement('time');
    time.textContent = clock((performance.now() - this.#startedMs) / 1000);
    const sign = document.createElement('i');
    sign.className = mark;
    const words = document.createElement('span');
    words.textContent = text;
    line.append(time, sign, words);
    // Whoever has scrolled back keeps their place.
    const reading = this.#list.scrollTop > 4;
    const before = this.#list.scrollHeight;
    this.#list.prepend(line);
    while (this.#list.childElementCount > MAX_LINES) this.#list.lastElementChild?.remove();
    if (reading) this.#list.scrollTop += this.#list.scrollHeight - before;
    return words;
  }
}

const MAX_LINES = 200;
