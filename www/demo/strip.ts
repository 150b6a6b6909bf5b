/** Every segment of every track as a cell: its source, how much of it is checked, and the playhead across. */

import { type Scene, type Segment, type Track, sourceShares } from './scene.js';
import { Surface } from './surface.js';
import { clock, count, httpReason } from './words.js';

interface Cell {
  readonly track: number;
  readonly segment: number;
}

export class StripView {
  readonly #host: HTMLElement;
  readonly #surface: Surface;
  readonly #tip: HTMLElement;
  readonly #seek: (seconds: number) => void;
  #scene: Scene | null = null;
  #cursor: Cell | null = null;

  constructor(host: HTMLElement, seek: (seconds: number) => void) {
    this.#host = host;
    this.#seek = seek;
    this.#surface = new Surface(host, () => {
      this.#draw();
    });
    this.#tip = document.createElement('div');
    this.#tip.className = 'tip';
    this.#tip.hidden = true;
    host.append(this.#tip);
    host.tabIndex = 0;
    host.setAttribute('role', 'slider');
    host.setAttribute('aria-label', 'Segments: arrow keys move, Enter plays from there');
    host.setAttribute('aria-valuemin', '0');
    host.addEventListener('pointermove', (event) => {
      this.#show(this.#cellAt(event));
    });
    host.addEventListener('pointerleave', () => {
      this.#show(null);
    });
    host.addEventListener('focus', () => {
      if (host.matches(':focus-visible')) this.#show(this.#cursor ?? this.#cellAtPlayhead());
    });
    host.addEventListener('blur', () => {
      this.#show(null);
    });
    host.addEventListener('click', (event) => {
      this.#play(this.#cellAt(event));
    });
    host.addEventListener('keydown', (event) => {
      this.#key(event);
    });
  }

  update(scene: Scene): void {
    const rows = this.#scene?.tracks.length;
    this.#scene = scene;
    if (rows !== scene.tracks.length)
      this.#host.style.height = `${Math.max(1, scene.tracks.length) * PITCH + AXIS}px`;
    this.#host.setAttribute('aria-valuemax', String(Math.round(scene.durationS)));
    if (!this.#cursor) this.#value(scene.playheadS, `playing at ${clock(scene.playheadS)}`);
    this.#draw();
  }

  #draw(): void {
    const scene = this.#scene;
    const { context, width, palette } = this.#surface;
    if (!scene || width === 0) return;
    this.#surface.clear();
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    const plot = width - LABEL;
    for (const [row, track] of scene.tracks.entries()) {
      const y = row * PITCH;
      this.#surface.font(13, track.playing ? 600 : 400);
      context.fillStyle = track.playing ? palette.ink : palette.soft;
      context.fillText(track.label, 0, y + ROW / 2 + 1);
      this.#row(track, y, plot);
    }
    this.#axis(scene, plot);
    this.#mark(scene, plot);
  }

  #row(track: Track, y: number, plot: number): void {
    const { context, palette } = this.#surface;
    const total = track.segments.length;
    const perCell = Math.max(1, Math.ceil((total * MIN_CELL) / plot));
    const cells = Math.ceil(total / perCell);
    for (let cell = 0; cell < cells; cell += 1) {
      const members = track.segments.slice(cell * perCell, (cell + 1) * perCell);
      const left = LABEL + Math.round((cell * perCell * plot) / total);
      const right = LABEL + Math.round((Math.min(total, (cell + 1) * perCell) * plot) / total);
      const gap = right - left > 5 ? 2 : right - left > 2 ? 1 : 0;
      this.#cell(members, left, y, Math.max(1, right - left - gap));
    }
    if (total === 0) {
      context.fillStyle = palette.faint;
      context.fillRect(LABEL, y, plot, ROW);
    }
  }

  /** Empty, then filling from below as chunks are checked, in the colours of their sources. */
  #cell(members: readonly Segment[], x: number, y: number, wide: number): void {
    const { context, palette } = this.#surface;
    const evicted = members.every((each) => each.state === 'evicted');
    const arriving = members.some((each) => each.state === 'arriving');
    context.fillStyle = palette.faint;
    context.fillRect(x, y, wide, ROW);
    const held = members.filter((each) => each.done > 0);
    const counted = evicted ? members : held;
    const shares = counted.map(sourceShares);
    const done = evicted ? 1 : held.reduce((sum, each) => sum + each.done, 0) / members.length;
    const all = shares.reduce((sum, share) => sum + share.peers + share.http, 0) || 1;
    const peers = shares.reduce((sum, share) => sum + share.peers, 0) / all;
    const http = shares.reduce((sum, share) => sum + share.http, 0) / all;
    if (evicted) {
      context.strokeStyle = peers >= http ? palette.peer : palette.origin;
      context.strokeRect(x + 0.5, y + 0.5, wide - 1, ROW - 1);
      return;
    }
    let bottom = y + ROW;
    const tallPeers = peers * done * ROW;
    const tallHttp = http * done * ROW;
    context.fillStyle = palette.peer;
    context.fillRect(x, bottom - tallPeers, wide, tallPeers);
    bottom -= tallPeers;
    context.fillStyle = palette.origin;
    context.fillRect(x, bottom - tallHttp, wide, tallHttp);
    // Lines, as on the origin's own sign: colour alone should not have to tell them apart.
    context.fillStyle = palette.ground;
    for (let line = y + 3; line < y + ROW; line += 4) {
      if (line >= bottom - tallHttp && line < bottom) context.fillRect(x, line, wide, 1);
    }
    if (arriving) {
      context.strokeStyle = palette.soft;
      context.strokeRect(x + 0.5, y + 0.5, wide - 1, ROW - 1);
    }
  }

  #axis(scene: Scene, plot: number): void {
    const { context, palette } = this.#surface;
    if (scene.durationS <= 0) return;
    const y = scene.tracks.length * PITCH + 9;
    const step = TICKS_S.find((each) => (each / scene.durationS) * plot >= 64) ?? 3600;
    this.#surface.font(12);
    context.fillStyle = palette.soft;
    const xOf = (at: number): number => LABEL + ((at - scene.fromS) / scene.durationS) * plot;
    const playheadX = Math.max(LABEL, xOf(scene.playheadS));
    for (let at = Math.ceil(scene.fromS / step) * step; at < scene.fromS + scene.durationS; at += step) {
      const x = xOf(at);
      // The playhead's own time stands in this place.
      if (Math.abs(x - playheadX + 8) < 42) continue;
      context.fillText(clock(at), x, y);
    }
    context.fillStyle = palette.ink;
    context.fillRect(Math.round(playheadX) - 1, -2, 2, y - 4);
    this.#surface.font(12, 600);
    context.textAlign = playheadX > LABEL + plot - 24 ? 'right' : 'center';
    context.fillText(clock(scene.playheadS), Math.max(playheadX, LABEL + 12), y);
    context.textAlign = 'left';
  }

  #mark(scene: Scene, plot: number): void {
    const cursor = this.#cursor;
    const track = cursor ? scene.tracks[cursor.track] : undefined;
    const segment = cursor ? track?.segments[cursor.segment] : undefined;
    this.#tip.hidden = !segment;
    if (!cursor || !track || !segment) return;
    const { context, palette, width } = this.#surface;
    const left = LABEL + (cursor.segment / track.segments.length) * plot;
    const wide = Math.max(3, plot / track.segments.length - 2);
    context.strokeStyle = palette.ink;
    context.lineWidth = 2;
    context.strokeRect(left - 1, cursor.track * PITCH - 1, wide + 2, ROW + 2);
    context.lineWidth = 1;
    const title = document.createElement('b');
    title.textContent = `${track.label}, segment ${track.first + cursor.segment + 1} of ${track.first + track.segments.length}, from ${clock(segment.startS)}`;
    this.#tip.replaceChildren(title, describe(segment));
    this.#tip.style.left = `${Math.max(0, Math.min(left - 100, width - 290))}px`;
    this.#tip.style.top = `${(cursor.track + 1) * PITCH + 4}px`;
  }

  #cellAt(event: MouseEvent): Cell | null {
    const box = this.#host.getBoundingClientRect();
    const track = Math.floor((event.clientY - box.top) / PITCH);
    const segments = this.#scene?.tracks[track]?.segments.length ?? 0;
    const along = (event.clientX - box.left - LABEL) / (box.width - LABEL);
    if (segments === 0 || along < 0 || along >= 1) return null;
    return { track, segment: Math.floor(along * segments) };
  }

  #cellAtPlayhead(): Cell | null {
    const scene = this.#scene;
    if (!scene) return null;
    const track = Math.max(
      0,
      scene.tracks.findIndex((each) => each.playing),
    );
    const segments = scene.tracks[track]?.segments.length ?? 0;
    if (segments === 0 || scene.durationS <= 0) return null;
    return {
      track,
      segment: Math.max(
        0,
        Math.min(segments - 1, Math.floor(((scene.playheadS - scene.fromS) / scene.durationS) * segments)),
      ),
    };
  }

  #show(cell: Cell | null): void {
    this.#cursor = cell;
    const track = cell ? this.#scene?.tracks[cell.track] : undefined;
    const segment = cell ? track?.segments[cell.segment] : undefined;
    if (cell && track && segment) {
      this.#value(
        segment.startS,
        `${track.label}, segment ${track.first + cell.segment + 1}, ${clock(segment.startS)}: ${describe(segment)}`,
      );
    }
    this.#draw();
  }

  #value(seconds: number, text: string): void {
    this.#host.setAttribute('aria-valuenow', String(Math.round(seconds)));
    this.#host.setAttribute('aria-valuetext', text);
  }

  #play(cell: Cell | null): void {
    const segment = cell ? this.#scene?.tracks[cell.track]?.segments[cell.segment] : undefined;
    if (segment) this.#seek(segment.startS);
  }

  #key(event: KeyboardEvent): void {
    const scene = this.#scene;
    const cursor = this.#cursor ?? this.#cellAtPlayhead();
    if (!scene || !cursor) return;
    const move = MOVES[event.key];
    if (move) {
      const track = Math.max(0, Math.min(scene.tracks.length - 1, cursor.track + move.rows));
      const last = (scene.tracks[track]?.segments.length ?? 1) - 1;
      this.#show({ track, segment: Math.max(0, Math.min(last, cursor.segment + move.cells)) });
    } else if (event.key === 'Enter' || event.key === ' ') {
      this.#play(cursor);
    } else if (event.key === 'Escape') {
      this.#show(null);
    } else {
      return;
    }
    event.preventDefault();
  }
}

function describe(segment: Segment): string {
  const checked = count(segment.chunks, 'chunk');
  if (segment.state === 'missing') return 'not fetched yet';
  const { peers, http } = sourceShares(segment);
  const parts: string[] = [];
  if (peers > 0) parts.push(http > 0 ? `${Math.round(peers * 100)} % from viewers` : 'from other viewers');
  if (http > 0) parts.push(peers > 0 ? `${Math.round(http * 100)} % from the origin` : 'from the origin');
  if (segment.reason) parts.push(httpReason(segment.reason));
  if (segment.state === 'arriving')
    parts.push(`${Math.round(segment.done * segment.chunks)} of ${checked} checked`);
  else if (segment.state === 'evicted') parts.push(`all ${checked} checked, no longer in memory`);
  else parts.push(segment.chunks === 1 ? 'checked' : `all ${checked} checked`);
  return parts.join(' · ');
}

const MOVES: Readonly<Record<string, { rows: number; cells: number }>> = {
  ArrowLeft: { rows: 0, cells: -1 },
  ArrowRight: { rows: 0, cells: 1 },
  ArrowUp: { rows: -1, cells: 0 },
  ArrowDown: { rows: 1, cells: 0 },
  PageUp: { rows: 0, cells: -10 },
  PageDown: { rows: 0, cells: 10 },
  Home: { rows: 0, cells: -1e9 },
  End: { rows: 0, cells: 1e9 },
};
const TICKS_S = [5, 10, 15, 30, 60, 120, 300, 600, 1800] as const;
const ROW = 20;
const PITCH = 26;
const AXIS = 20;
const LABEL = 56;
// Narrower cells than this are drawn as one.
const MIN_CELL = 3;
