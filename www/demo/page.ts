/** The page: every view, fed with one scene after another. */

import { ChartView } from './chart.js';
import { element, setText } from './element.js';
import { Journal } from './journal.js';
import { LiveView } from './live.js';
import type { Controls, Scene } from './scene.js';
import { SealView } from './seal.js';
import { SharingView } from './sharing.js';
import { StripView } from './strip.js';
import { mountTheme } from './theme.js';
import { ViewersView } from './viewers.js';
import { bytes, count, httpReason, percent } from './words.js';

export class Page {
  readonly journal = new Journal(element('journal', HTMLOListElement));
  readonly #seal = new SealView(element('seal', HTMLElement));
  readonly #chart = new ChartView(element('chart', HTMLElement));
  readonly #viewers = new ViewersView(element('viewers', HTMLTableSectionElement));
  readonly #live: LiveView;
  readonly #strip: StripView;
  readonly #sharing: SharingView;
  readonly #summary = element('summary', HTMLElement);
  #saidMs = -Infinity;
  #said = '';

  constructor(controls: Controls, uplinkCap: number | null) {
    mountTheme(element('theme', HTMLButtonElement));
    element('second', HTMLAnchorElement).href = location.href;
    this.#strip = new StripView(element('strip', HTMLElement), (seconds) => {
      controls.seek(seconds);
    });
    this.#live = new LiveView(() => {
      controls.toLiveEdge();
    });
    this.#sharing = new SharingView(controls, uplinkCap);
  }

  update(scene: Scene): void {
    this.#seal.update(scene);
    this.#live.update(scene);
    this.#strip.update(scene);
    this.#chart.update(scene);
    this.#sharing.update(scene);
    this.#viewers.update(scene);
    const { fromPeers, fromHttp, fromStore, given, rejected } = scene.totals;
    const all = fromPeers + fromHttp;
    setText(element('share-figure', HTMLElement), percent(fromPeers, all));
    setText(element('total-peers', HTMLElement), bytes(fromPeers));
    setText(element('total-origin', HTMLElement), bytes(fromHttp));
    setText(element('total-store', HTMLElement), bytes(fromStore));
    setText(element('total-given', HTMLElement), bytes(given));
    setText(element('verdict', HTMLElement), verdict(all, given, rejected));
    setText(element('reasons', HTMLElement), reasons(scene));
    this.#say(scene);
  }

  title(text: string): void {
    setText(element('title', HTMLElement), text);
    document.title = `${text} · swarmseal`;
  }

  version(text: string): void {
    setText(element('version', HTMLElement), text);
  }

  /** Something the viewer has to know to go on. */
  notice(text: string): void {
    const notice = element('notice', HTMLElement);
    notice.textContent = text;
    notice.hidden = false;
  }

  /** A sentence for screen readers when the company changes, and otherwise now and then. */
  #say(scene: Scene): void {
    const ready = scene.viewers.filter((viewer) => viewer.state === 'ready').length;
    const company = `${scene.sharing.state} ${ready}`;
    const waited = scene.atMs - this.#saidMs;
    if (waited < QUIET_MS && (company === this.#said || waited < SETTLE_MS)) return;
    this.#said = company;
    this.#saidMs = scene.atMs;
    const { fromPeers, fromHttp } = scene.totals;
    const shared = {
      ask: 'Sharing waits for your answer.',
      off: 'Sharing is off.',
      on: `Connected to ${count(ready, 'viewer')}.`,
      paused: `Connected to ${count(ready, 'viewer')}, giving nothing.`,
    }[scene.sharing.state];
    const share =
      fromPeers + fromHttp > 0 ? ` ${percent(fromPeers, fromPeers + fromHttp)} came from other viewers.` : '';
    setText(this.#summary, shared + share);
  }
}

function verdict(all: number, given: number, rejected: number): string {
  if (all === 0) return 'Waiting for the first bytes';
  const checked = `${bytes(all)} received, all of it checked`;
  const passed = rejected === 0 ? 'nothing rejected' : `${bytes(rejected)} rejected and not used`;
  return given === 0 ? `${checked}, ${passed}` : `${checked}, ${passed}; ${bytes(given)} given`;
}

function reasons(scene: Scene): string {
  const told = scene.reasons.filter(([reason]) => reason !== 'asset').sort((a, b) => b[1] - a[1]);
  if (told.length === 0) return '';
  return `From the origin because: ${told.map(([reason, segments]) => `${httpReason(reason)} (${segments})`).join(', ')}.`;
}

const QUIET_MS = 60_000;
const SETTLE_MS = 3_000;
