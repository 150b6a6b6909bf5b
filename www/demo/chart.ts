/** Bytes by source over the last two minutes: taken in above the line, given away below it. */

import type { Scene } from './scene.js';
import { Surface } from './surface.js';
import { rate } from './words.js';

interface Second {
  readonly peers: number;
  readonly http: number;
  readonly store: number;
  readonly given: number;
}

export class ChartView {
  readonly #surface: Surface;
  readonly #tip: HTMLElement;
  /** Newest last. */
  readonly #seconds: Second[] = [];
  #open: Second = EMPTY;
  #openSinceMs = 0;
  #last: Scene | null = null;
  #pointerX: number | null = null;

  constructor(host: HTMLElement) {
    this.#surface = new Surface(host, () => {
      this.#draw();
    });
    this.#tip = document.createElement('div');
    this.#tip.className = 'tip';
    this.#tip.hidden = true;
    host.append(this.#tip);
    host.addEventListener('pointermove', (event) => {
      this.#pointerX = event.clientX - host.getBoundingClientRect().left;
      this.#draw();
    });
    host.addEventListener('pointerleave', () => {
      this.#pointerX = null;
      this.#draw();
    });
  }

  update(scene: Scene): void {
    const last = this.#last;
    this.#last = scene;
    if (!last) {
      this.#openSinceMs = scene.atMs;
      return;
    }
    this.#open = {
      peers: this.#open.peers + scene.totals.fromPeers - last.totals.fromPeers,
      http: this.#open.http + scene.totals.fromHttp - last.totals.fromHttp,
      store: this.#open.store + scene.totals.fromStore - last.totals.fromStore,
      given: this.#open.given + scene.totals.given - last.totals.given,
    };
    if (scene.atMs - this.#openSinceMs < 1000) return;
    // A page that slept owes the chart its silent seconds too.
    const passed = Math.min(Math.floor((scene.atMs - this.#openSinceMs) / 1000), WINDOW_S);
    for (let silent = 1; silent < passed; silent += 1) this.#seconds.push(EMPTY);
    this.#seconds.push(this.#open);
    this.#seconds.splice(0, this.#seconds.length - WINDOW_S);
    this.#open = EMPTY;
    this.#openSinceMs += passed * 1000;
    if (scene.atMs - this.#openSinceMs > 1000) this.#openSinceMs = scene.atMs;
    this.#draw();
  }

  #draw(): void {
    const { context, width, height, palette } = this.#surface;
    if (width === 0) return;
    this.#surface.clear();
    const plot = width - AXIS;
    const shown = width < 500 ? WINDOW_S / 2 : WINDOW_S;
    const step = plot / shown;
    const body = height - 20;
    const above = usualMost(this.#seconds.map((each) => each.peers + each.http + each.store));
    const below = usualMost(this.#seconds.map((each) => each.given));
    const top = niceCeiling(Math.max(above, below * 2, 12_500));
    const zero = 8 + ((body - 8) * 2) / 3;
    const scale = (zero - 8) / top;

    this.#grid(plot, zero, scale, top, shown, step, body);
    const visible = this.#seconds.slice(-shown);
    for (const [slot, each] of visible.entries()) {
      const x = plot - (visible.length - slot) * step;
      const wide = Math.max(step - 1, 1);
      let y = zero;
      for (const [amount, colour] of [
        [each.peers, palette.peer],
        [each.http, palette.origin],
        [each.store, palette.store],
      ] as const) {
        if (amount === 0) continue;
        const tall = Math.min(Math.max(amount * scale, 1), y);
        context.fillStyle = colour;
        context.fillRect(x, y - tall, wide, tall);
        y -= tall;
      }
      if (y <= 0) this.#tear(x, 6, wide);
      if (each.given > 0) {
        const deep = Math.min(Math.max(each.given * scale, 1), body - zero);
        context.fillStyle = palette.given;
        context.fillRect(x, zero + 1, wide, deep);
        if (each.given * scale > body - zero) this.#tear(x, body - 8, wide);
      }
    }
    this.#point(visible, plot, step, zero);
  }

  #grid(
    plot: number,
    zero: number,
    scale: number,
    top: number,
    shown: number,
    step: number,
    body: number,
  ): void {
    const { context, palette } = this.#surface;
    this.#surface.font(12);
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (const [value, colour] of [
      [top, palette.faint],
      [top / 2, palette.faint],
      [0, palette.soft],
      [-top / 2, palette.faint],
    ] as const) {
      const y = Math.round(zero - value * scale) + 0.5;
      context.fillStyle = colour;
      context.fillRect(0, y - 0.5, plot, 1);
      context.fillStyle = palette.soft;
      context.fillText(value === 0 ? '0' : rate(Math.abs(value)), plot + 8, y);
    }
    const cap = this.#last?.uplinkCap;
    if (cap && (cap / 8) * scale < body - zero) {
      context.fillStyle = palette.given;
      for (let x = 0; x < plot; x += 8) context.fillRect(x, zero + (cap / 8) * scale, 4, 1);
    }
    context.textBaseline = 'alphabetic';
    context.fillStyle = palette.soft;
    for (let ago = 30; ago < shown; ago += 30) {
      const x = plot - ago * step;
      context.textAlign = 'center';
      context.fillText(`${ago} s ago`, x, body + 16);
    }
    context.textAlign = 'right';
    context.fillText('now', plot, body + 16);
  }

  /** The sign of a bar that goes on beyond the chart. */
  #tear(x: number, y: number, wide: number): void {
    const { context, palette } = this.#surface;
    context.fillStyle = palette.ground;
    context.beginPath();
    context.moveTo(x, y + 3);
    context.lineTo(x + wide, y);
    context.lineTo(x + wide, y + 2);
    context.lineTo(x, y + 5);
    context.fill();
  }

  #point(visible: readonly Second[], plot: number, step: number, zero: number): void {
    const ago = this.#pointerX === null ? -1 : Math.floor((plot - this.#pointerX) / step);
    const each = ago < 0 ? undefined : visible[visible.length - 1 - ago];
    this.#tip.hidden = !each;
    if (!each) return;
    const { context, palette, width } = this.#surface;
    const x = plot - (ago + 1) * step;
    context.fillStyle = palette.ink;
    context.globalAlpha = 0.12;
    context.fillRect(x, 0, Math.max(step - 1, 1), zero * 1.5);
    context.globalAlpha = 1;
    const parts = [`viewers ${rate(each.peers)}`, `origin ${rate(each.http)}`];
    if (each.store > 0) parts.push(`own memory ${rate(each.store)}`);
    parts.push(`given ${rate(each.given)}`);
    const title = document.createElement('b');
    title.textContent = ago === 0 ? 'Just now' : `${ago} s ago`;
    this.#tip.replaceChildren(title, parts.join(' · '));
    this.#tip.style.left = `${Math.max(0, Math.min(x - 80, width - 300))}px`;
    this.#tip.style.bottom = '100%';
  }
}

/** The most, but for a few bursts that would press everything else to the ground. */
function usualMost(amounts: readonly number[]): number {
  const some = amounts.filter((amount) => amount > 0).sort((a, b) => a - b);
  const most = some.at(-1) ?? 0;
  const usual = some[Math.floor(some.length * 0.75)] ?? 0;
  return some.length >= 4 ? Math.min(most, usual * 3) : most;
}

/** The next round number of bits a second whose half is round too, in bytes. */
function niceCeiling(bytesPerSecond: number): number {
  const bits = bytesPerSecond * 8;
  const power = 10 ** Math.floor(Math.log10(bits));
  const factor = [1, 2, 3, 4, 6, 8, 10].find((each) => each * power >= bits) ?? 10;
  return (factor * power) / 8;
}

const EMPTY: Second = { peers: 0, http: 0, store: 0, given: 0 };
const WINDOW_S = 120;
const AXIS = 78;
