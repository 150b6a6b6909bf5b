/**
 * The swarm in one picture: this viewer's copy of the video as a seal in the middle, inked segment by segment in the
 * colour of its source; the origin above, other viewers around; and on the lines between them one dot per chunk.
 */

import { type Scene, type Segment, type Viewer, sourceShares } from './scene.js';
import { type Palette, Surface, stillness } from './surface.js';
import { rate, shortHandle } from './words.js';

type Ink = 'peer' | 'origin' | 'given';

interface Node {
  readonly name: string;
  readonly petals: number;
  readonly turn: number;
  angle: number;
  target: number;
  presence: number;
  leaving: boolean;
  settled: boolean;
  readonly inward: Lane;
  readonly outward: Lane;
}

/** One direction of one line. */
interface Lane {
  readonly ink: Ink;
  total: number;
  rate: number;
  unsent: number;
}

interface Dot {
  readonly node: Node;
  readonly lane: Lane;
  readonly startMs: number;
}

/** One arc of the ring: a segment, or several where there are too many to tell apart. */
interface Arc {
  readonly done: number;
  readonly peers: number;
  readonly http: number;
  readonly held: boolean;
}

export class SealView {
  readonly #surface: Surface;
  readonly #nodes = new Map<string, Node>();
  #dots: Dot[] = [];
  #arcs: readonly Arc[] = [];
  #arcsKey = '';
  #print: HTMLCanvasElement | null = null;
  #playhead = 0;
  #scene: Scene | null = null;
  #frame = 0;
  #lastFrameMs = 0;

  constructor(host: HTMLElement) {
    this.#surface = new Surface(host, () => {
      this.#print = null;
      this.#wake();
    });
  }

  update(scene: Scene): void {
    const elapsedMs = this.#scene ? scene.atMs - this.#scene.atMs : 0;
    this.#scene = scene;
    this.#playhead = scene.durationS > 0 ? Math.max(0, scene.playheadS - scene.fromS) / scene.durationS : 0;
    const track = scene.tracks.find((each) => each.playing && each.kind === 'video') ?? scene.tracks[0];
    const arcs = arcsOf(track?.segments ?? []);
    const key = arcs
      .map((arc) => `${arc.done.toFixed(2)},${arc.peers.toFixed(2)},${arc.http.toFixed(2)},${arc.held}`)
      .join(';');
    if (key !== this.#arcsKey) {
      this.#arcs = arcs;
      this.#arcsKey = key;
      this.#print = null;
    }
    const viewers = scene.viewers.slice(0, MAX_SHOWN);
    this.#meet(viewers);
    this.#count(this.#node(ORIGIN), scene.totals.fromHttp, 0, elapsedMs);
    for (const viewer of viewers)
      this.#count(this.#node(viewer.handle), viewer.received, viewer.given, elapsedMs);
    this.#wake();
  }

  #meet(viewers: readonly Viewer[]): void {
    const present = new Set([ORIGIN, ...viewers.map((viewer) => viewer.handle)]);
    for (const handle of present) this.#node(handle).leaving = false;
    for (const [handle, node] of this.#nodes) if (!present.has(handle)) node.leaving = true;
    const placed = [...this.#nodes].filter(([, node]) => !node.leaving);
    for (const [slot, [handle, node]] of placed.entries()) {
      node.target = (slot / placed.length) * 2 * Math.PI;
      if (node.presence === 0) node.angle = node.target;
      node.settled =
        handle === ORIGIN || viewers.some((viewer) => viewer.handle === handle && viewer.state === 'ready');
    }
  }

  #node(handle: string): Node {
    const known = this.#nodes.get(handle);
    if (known) return known;
    const seed = Array.from(handle).reduce((sum, letter) => (sum * 33 + letter.charCodeAt(0)) % 65521, 7);
    const node: Node = {
      name: handle === ORIGIN ? ORIGIN_NAME : shortHandle(handle),
      petals: 3 + (seed % 5),
      turn: (seed % 360) / 57.3,
      angle: 0,
      target: 0,
      presence: 0,
      leaving: false,
      settled: false,
      inward: { ink: handle === ORIGIN ? 'origin' : 'peer', total: -1, rate: 0, unsent: 0 },
      outward: { ink: 'given', total: -1, rate: 0, unsent: 0 },
    };
    this.#nodes.set(handle, node);
    return node;
  }

  #count(node: Node, received: number, given: number, elapsedMs: number): void {
    this.#flow(node, node.inward, received, elapsedMs);
    this.#flow(node, node.outward, given, elapsedMs);
  }

  #flow(node: Node, lane: Lane, total: number, elapsedMs: number): void {
    const grown = lane.total < 0 ? 0 : Math.max(0, total - lane.total);
    lane.total = total;
    if (elapsedMs <= 0) return;
    lane.rate += ((grown * 1000) / elapsedMs - lane.rate) * Math.min(1, elapsedMs / RATE_WINDOW_MS);
    if (lane.rate < 40) lane.rate = 0;
    // A hidden page draws nothing, so its dots would pile up.
    if (stillness() || document.hidden) return;
    lane.unsent += grown / DOT_BYTES;
    const dots = Math.min(Math.floor(lane.unsent), MAX_DOTS_AT_ONCE);
    lane.unsent -= Math.floor(lane.unsent);
    const nowMs = performance.now();
    for (let dot = 0; dot < dots; dot += 1) {
      this.#dots.push({ node, lane, startMs: nowMs + (dot / dots) * elapsedMs });
    }
  }

  #wake(): void {
    if (this.#frame === 0)
      this.#frame = requestAnimationFrame((nowMs) => {
        this.#draw(nowMs);
      });
  }

  #draw(nowMs: number): void {
    this.#frame = 0;
    const { width, height } = this.#surface;
    if (width === 0) return;
    const stepMs = Math.min(nowMs - this.#lastFrameMs, 100);
    this.#lastFrameMs = nowMs;
    const moving = this.#settle(stepMs);
    this.#dots = this.#dots.filter((dot) => nowMs - dot.startMs < TRAVEL_MS && !dot.node.leaving);

    this.#surface.clear();
    const frame: Frame = {
      context: this.#surface.context,
      palette: this.#surface.palette,
      x: width / 2,
      y: height / 2,
      seal: Math.min(width * 0.24, height * 0.26),
      reachX: Math.min(width / 2 - (width < 420 ? 42 : 64), height * 0.7),
      reachY: height / 2 - 30,
    };
    if (this.#nodes.size === 1) this.#drawVacancy(frame);
    for (const node of this.#nodes.values()) drawLine(frame, node);
    for (const dot of this.#dots) drawDot(frame, dot, (nowMs - dot.startMs) / TRAVEL_MS);
    this.#print ??= printSeal(frame, this.#arcs);
    frame.context.drawImage(
      this.#print,
      frame.x - this.#print.width / 2 / PRINT_SCALE,
      frame.y - this.#print.height / 2 / PRINT_SCALE,
      this.#print.width / PRINT_SCALE,
      this.#print.height / PRINT_SCALE,
    );
    drawPlayhead(frame, this.#playhead);
    for (const node of this.#nodes.values()) this.#drawNode(frame, node);
    if (moving || this.#dots.length > 0) this.#wake();
  }

  #settle(stepMs: number): boolean {
    let moving = false;
    const ease = stillness() ? 1 : 1 - Math.exp(-stepMs / 160);
    for (const [handle, node] of this.#nodes) {
      const goal = node.leaving ? 0 : 1;
      node.presence += (goal - node.presence) * ease;
      node.angle += (node.target - node.angle) * ease;
      if (node.leaving && node.presence < 0.02) this.#nodes.delete(handle);
      if (Math.abs(goal - node.presence) > 0.01 || Math.abs(node.target - node.angle) > 0.002) moving = true;
    }
    return moving;
  }

  #drawNode(frame: Frame, node: Node): void {
    const { context, palette } = frame;
    const { x, y } = place(frame, node);
    const origin = node.inward.ink === 'origin';
    context.save();
    context.globalAlpha = node.presence;
    context.strokeStyle = origin ? palette.origin : node.settled ? palette.peer : palette.soft;
    context.lineWidth = 1.4;
    context.setLineDash(node.settled ? [] : [3, 3]);
    context.fillStyle = palette.ground;
    context.beginPath();
    if (origin) context.rect(x - 13, y - 13, 26, 26);
    else context.arc(x, y, NODE, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.setLineDash([]);
    context.lineWidth = 1;
    if (origin) drawShelves(context, x, y);
    else drawRosette(context, x, y, node);
    this.#label(frame, node, x, y);
    context.restore();
  }

  /** Beside the node where there is room to its side, else under it; with many viewers names alone. */
  #label(frame: Frame, node: Node, x: number, y: number): void {
    const { context, palette } = frame;
    const beside = Math.abs(Math.cos(node.angle)) > 0.6;
    const rightward = Math.sin(node.angle) > -0.1;
    const rates = [
      [node.inward, '↓'],
      [node.outward, '↑'],
    ] as const;
    const told: [text: string, colour: string][] = rates
      .filter(([lane]) => lane.rate > 0 && this.#nodes.size <= MAX_WITH_RATES)
      .map(([lane, arrow]) => [`${arrow} ${rate(lane.rate)}`, palette[lane.ink]]);
    if (!node.settled && !node.leaving) told.push(['meeting', palette.soft]);
    const left = beside ? x + (rightward ? NODE + 8 : -NODE - 8) : x;
    let top = beside ? y + 5 - told.length * 7.5 : y + NODE + 15;
    context.textAlign = beside ? (rightward ? 'left' : 'right') : 'center';
    context.fillStyle = palette.ink;
    this.#surface.font(13, 600);
    context.fillText(node.name, left, top);
    this.#surface.font(12);
    for (const [text, colour] of told) {
      top += 15;
      context.fillStyle = colour;
      context.fillText(text, left, top);
    }
  }

  /** The place that the first other viewer will take. */
  #drawVacancy(frame: Frame): void {
    const { context, palette } = frame;
    const y = frame.y + frame.reachY;
    context.strokeStyle = palette.soft;
    context.setLineDash([2, 4]);
    context.beginPath();
    context.arc(frame.x, y, NODE, 0, 2 * Math.PI);
    context.moveTo(frame.x, y - NODE - 3);
    context.lineTo(frame.x, frame.y + frame.seal + 14);
    context.stroke();
    context.setLineDash([]);
    context.textAlign = 'left';
    context.fillStyle = palette.soft;
    this.#surface.font(13);
    const sharing = this.#scene?.sharing.state;
    context.fillText(VACANCY[sharing ?? 'off'], frame.x + NODE + 8, y + 5);
  }
}

interface Frame {
  readonly context: CanvasRenderingContext2D;
  readonly palette: Palette;
  readonly x: number;
  readonly y: number;
  readonly seal: number;
  readonly reachX: number;
  readonly reachY: number;
}

function place(frame: Frame, node: Node): { x: number; y: number } {
  return {
    x: frame.x + frame.reachX * Math.sin(node.angle),
    y: frame.y - frame.reachY * Math.cos(node.angle),
  };
}

/** Both ends of a line, from the node's rim to the seal's. */
function ends(
  frame: Frame,
  node: Node,
): { fromX: number; fromY: number; toX: number; toY: number; unitX: number; unitY: number } {
  const { x, y } = place(frame, node);
  const length = Math.hypot(frame.x - x, frame.y - y) || 1;
  const unitX = (frame.x - x) / length;
  const unitY = (frame.y - y) / length;
  return {
    fromX: x + unitX * (NODE + 3),
    fromY: y + unitY * (NODE + 3),
    toX: frame.x - unitX * (frame.seal + 14),
    toY: frame.y - unitY * (frame.seal + 14),
    unitX,
    unitY,
  };
}

function drawLine(frame: Frame, node: Node): void {
  const { context, palette } = frame;
  const { fromX, fromY, toX, toY, unitX, unitY } = ends(frame, node);
  const lanes = node.inward.ink === 'origin' ? [node.inward] : [node.inward, node.outward];
  for (const lane of lanes) {
    const side = lanes.length === 1 ? 0 : lane === node.inward ? LANE : -LANE;
    context.globalAlpha = node.presence * (node.settled ? 1 : 0.5);
    context.strokeStyle = lane.rate > 0 ? palette[lane.ink] : palette.line;
    context.lineWidth = lane.rate > 0 && stillness() ? 2.5 : 1;
    context.beginPath();
    context.moveTo(fromX - unitY * side, fromY + unitX * side);
    context.lineTo(toX - unitY * side, toY + unitX * side);
    context.stroke();
  }
  context.globalAlpha = 1;
}

function drawDot(frame: Frame, dot: Dot, progress: number): void {
  if (progress < 0) return;
  const { context, palette } = frame;
  const { fromX, fromY, toX, toY, unitX, unitY } = ends(frame, dot.node);
  const inward = dot.lane === dot.node.inward;
  const way = inward ? progress : 1 - progress;
  const side = dot.lane.ink === 'origin' ? 0 : inward ? LANE : -LANE;
  context.globalAlpha = dot.node.presence;
  context.fillStyle = palette[dot.lane.ink];
  context.beginPath();
  context.arc(
    fromX + (toX - fromX) * way - unitY * side,
    fromY + (toY - fromY) * way + unitX * side,
    3,
    0,
    2 * Math.PI,
  );
  context.fill();
  context.globalAlpha = 1;
}

/** The seal, drawn once for every change of what is held. */
function printSeal(frame: Frame, arcs: readonly Arc[]): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  const size = Math.ceil(frame.seal * 2 + 24);
  canvas.width = size * PRINT_SCALE;
  canvas.height = size * PRINT_SCALE;
  const context = canvas.getContext('2d');
  if (!context) return canvas;
  context.setTransform(PRINT_SCALE, 0, 0, PRINT_SCALE, canvas.width / 2, canvas.height / 2);
  const { palette, seal } = frame;
  const shown = arcs.length > 0 ? arcs : Array.from({ length: 60 }, () => NOTHING);
  const sweep = (2 * Math.PI) / shown.length;
  for (const [slot, arc] of shown.entries()) {
    const from = -Math.PI / 2 + slot * sweep;
    const ink = arc.done === 0 ? palette.line : arc.peers >= arc.http ? palette.peer : palette.origin;
    engrave(context, seal, from, sweep, ink, arc.done === 0 ? 0.8 : 0.25 + 0.6 * arc.done);
    notch(context, palette, seal, from + sweep * 0.06, sweep * 0.88, arc);
  }
  return canvas;
}

/** One sector of the guilloché: two families of waves that lean against each other. */
function engrave(
  context: CanvasRenderingContext2D,
  seal: number,
  from: number,
  sweep: number,
  ink: string,
  strength: number,
): void {
  const middle = seal * 0.76;
  const height = seal * 0.135;
  const steps = Math.max(4, Math.ceil(sweep * 60));
  context.strokeStyle = ink;
  context.globalAlpha = strength;
  context.lineWidth = 0.7;
  for (const waves of [WAVES, -WAVES]) {
    for (let strand = 0; strand < STRANDS; strand += 1) {
      const phase = (strand / STRANDS) * 2 * Math.PI;
      context.beginPath();
      for (let step = 0; step <= steps; step += 1) {
        const angle = from + (sweep * step) / steps;
        const swell = 0.72 + 0.28 * Math.cos(angle * WAVES * 0.5);
        const radius = middle + height * swell * Math.sin(waves * angle + phase);
        context.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
      }
      context.stroke();
    }
  }
  context.globalAlpha = 1;
}

/** One arc of the outer ring; its radial share is its share by source. */
function notch(
  context: CanvasRenderingContext2D,
  palette: Palette,
  seal: number,
  from: number,
  sweep: number,
  arc: Arc,
): void {
  const inner = seal * 0.96;
  const depth = Math.max(7, seal * 0.1);
  const band = (low: number, high: number, colour: string): void => {
    if (high <= low) return;
    context.fillStyle = colour;
    context.beginPath();
    context.arc(0, 0, inner + depth * low, from, from + sweep);
    context.arc(0, 0, inner + depth * high, from + sweep, from, true);
    context.fill();
  };
  band(0, 1, palette.line);
  context.globalAlpha = arc.held ? 1 : 0.45;
  band(0, arc.peers * arc.done, palette.peer);
  band(arc.peers * arc.done, (arc.peers + arc.http) * arc.done, palette.origin);
  context.globalAlpha = 1;
}

function drawPlayhead(frame: Frame, playhead: number): void {
  const { context, palette } = frame;
  const angle = -Math.PI / 2 + playhead * 2 * Math.PI;
  const rim = frame.seal * 1.06 + 4;
  context.save();
  context.translate(frame.x + rim * Math.cos(angle), frame.y + rim * Math.sin(angle));
  context.rotate(angle);
  context.fillStyle = palette.ink;
  context.beginPath();
  context.moveTo(0, 0);
  context.lineTo(9, -5);
  context.lineTo(9, 5);
  context.fill();
  context.restore();
}

/** A small rosette of its own for every viewer, drawn from its pseudonym. */
function drawRosette(context: CanvasRenderingContext2D, x: number, y: number, node: Node): void {
  for (const lean of [0, Math.PI]) {
    context.beginPath();
    for (let step = 0; step <= 90; step += 1) {
      const angle = (step / 90) * 2 * Math.PI;
      const radius = NODE * (0.48 + 0.28 * Math.cos(node.petals * angle + lean));
      context.lineTo(x + radius * Math.cos(angle + node.turn), y + radius * Math.sin(angle + node.turn));
    }
    context.stroke();
  }
}

function drawShelves(context: CanvasRenderingContext2D, x: number, y: number): void {
  context.beginPath();
  for (const shelf of [-5, 0, 5]) {
    context.moveTo(x - 7, y + shelf);
    context.lineTo(x + 7, y + shelf);
  }
  context.stroke();
}

function arcsOf(segments: readonly Segment[]): Arc[] {
  const bins = Math.min(segments.length, MAX_ARCS);
  return Array.from({ length: bins }, (_, bin) => {
    const first = Math.floor((bin * segments.length) / bins);
    const last = Math.floor(((bin + 1) * segments.length) / bins);
    const members = segments.slice(first, last);
    const touched = members.filter((member) => member.done > 0 || member.state === 'evicted');
    const shares = touched.map(sourceShares);
    const peers = shares.reduce((sum, share) => sum + share.peers, 0);
    const http = shares.reduce((sum, share) => sum + share.http, 0);
    const done = members.reduce((sum, member) => sum + (member.state === 'evicted' ? 1 : member.done), 0);
    const all = peers + http || 1;
    return {
      done: done / members.length,
      peers: peers / all,
      http: http / all,
      held: touched.every((member) => member.state !== 'evicted'),
    };
  });
}

const VACANCY = {
  ask: 'once you answer',
  on: 'nobody else yet',
  paused: 'nobody else yet',
  off: 'sharing is off',
} as const;
const NOTHING: Arc = { done: 0, peers: 0, http: 0, held: true };
const ORIGIN = '';
const ORIGIN_NAME = 'Origin';
const NODE = 17;
const LANE = 4;
const DOT_BYTES = 16_384;
const TRAVEL_MS = 800;
const RATE_WINDOW_MS = 1_500;
// More dots than this in one update would be a solid line.
const MAX_DOTS_AT_ONCE = 24;
// More viewers than this would lie on top of each other; the table lists all.
const MAX_SHOWN = 11;
// With more, the rates would cover each other.
const MAX_WITH_RATES = 8;
const MAX_ARCS = 120;
const WAVES = 36;
const STRANDS = 3;
const PRINT_SCALE = 2;
