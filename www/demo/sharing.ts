/** Whether this viewer shares, how fast, and how much of that is used. */

import { element, setText } from './element.js';
import type { Controls, Scene } from './scene.js';
import { count, plain, rate } from './words.js';

export class SharingView {
  readonly #switch = element('switch', HTMLButtonElement);
  readonly #state = element('sharing-state', HTMLElement);
  readonly #consent = element('consent', HTMLElement);
  readonly #uplink = element('uplink', HTMLElement);
  readonly #rate = element('uplink-rate', HTMLElement);
  readonly #meter = element('meter', HTMLElement);
  readonly #bar = this.#meter.firstElementChild as HTMLElement;
  #peak = 0;

  constructor(controls: Controls, cap: number | null) {
    this.#switch.addEventListener('click', () => {
      controls.setSharing(this.#switch.getAttribute('aria-checked') !== 'true');
    });
    element('consent-yes', HTMLButtonElement).addEventListener('click', () => {
      this.#answer(controls, true);
    });
    element('consent-no', HTMLButtonElement).addEventListener('click', () => {
      this.#answer(controls, false);
    });
    const caps = element('caps', HTMLFieldSetElement);
    for (const choice of caps.querySelectorAll('input')) {
      choice.checked = choice.value === (cap === null ? 'none' : String(cap / 1000));
    }
    caps.addEventListener('change', (event) => {
      if (!(event.target instanceof HTMLInputElement)) return;
      const { value } = event.target;
      controls.setUplinkCap(value === 'none' ? null : Number(value) * 1000);
    });
  }

  update(scene: Scene): void {
    const { state } = scene.sharing;
    this.#consent.hidden = state !== 'ask';
    this.#uplink.hidden = state === 'ask';
    this.#switch.disabled = state === 'ask';
    this.#switch.setAttribute('aria-checked', String(state === 'on' || state === 'paused'));
    setText(this.#state, stateText(scene));
    const cap = scene.uplinkCap;
    // Without a cap the bar is measured against the most that was seen.
    this.#peak = Math.max(this.#peak, scene.uplink, 12_500);
    const used = Math.min(1, scene.uplink / (cap === null ? this.#peak : cap / 8));
    setText(this.#rate, cap === null ? rate(scene.uplink) : `${rate(scene.uplink)} of ${rate(cap / 8)}`);
    this.#bar.style.transform = `scaleX(${used.toFixed(3)})`;
    this.#meter.setAttribute('aria-valuenow', String(Math.round(used * 100)));
    this.#meter.setAttribute('aria-valuetext', this.#rate.textContent);
  }

  #answer(controls: Controls, share: boolean): void {
    controls.consent(share);
    this.#switch.focus();
  }
}

function stateText(scene: Scene): string {
  const ready = scene.viewers.filter((viewer) => viewer.state === 'ready').length;
  switch (scene.sharing.state) {
    case 'ask':
      return 'waiting for your answer';
    case 'off':
      return 'off: everything comes from the origin';
    case 'paused':
      return `on, but giving nothing${scene.sharing.why ? `: ${plain(scene.sharing.why)}` : ''}`;
    case 'on':
      if (scene.tracker === 'alone') return 'not possible here';
      if (ready > 0) return `with ${count(ready, 'viewer')}`;
      return scene.tracker === 'joined' ? 'on, nobody else is here yet' : 'on, looking for the tracker';
  }
}
