// What the panels of a page are made of: numbers for people, elements, and plots with their axes. A classic script.
/* exported clock, color, duration, element, hideHint, legend, line, mbps, percent, plot, quantile, rate, share, showHint, size, stacks, sum, swatch, ticks, timeTicks, whole */

const hint = document.getElementById('hint');

// ---- Words and numbers

const percent = (share, digits = 1) => `${(share * 100).toFixed(digits)}\u202f%`;
const whole = (number) => Math.round(number).toLocaleString('en');
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.round(seconds % 60)).padStart(2, '0')}`;
const duration = (ms) => (ms >= 10_000 ? `${(ms / 1000).toFixed(1)}\u202fs` : `${whole(ms)}\u202fms`);
const rate = (mbps) => `${mbps >= 100 ? whole(mbps) : Number(mbps.toPrecision(2))}\u202fMbit/s`;
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const mbps = (bytes) => (bytes * 8) / 1e6;
const share = (part, of) => (of === 0 ? 0 : part / of);

function size(bytes) {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  const unit = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const value = bytes / 1000 ** unit;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : whole(value)}\u202f${units[unit]}`;
}

/** The value that `part` of them are not above. */
function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? 0 : sorted[Math.max(1, Math.ceil(sorted.length * part)) - 1];
}

// ---- Elements

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

function shape(name, attributes = {}, text = '') {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) {
    made.setAttribute(key, value);
  }
  made.textContent = text;
  return made;
}

const color = (key) => `var(--${key})`;

function swatch(key, name, value, kind = '') {
  const mark = element('i', { class: kind, style: `--mark:${color(key)}` });
  return element('span', {}, mark, name, ...(value === undefined ? [] : [' ', element('b', {}, value)]));
}

const legend = (...entries) => element('div', { class: 'legend' }, ...entries);

// ---- Hint beside the pointer

function showHint(event, title, rows) {
  hint.replaceChildren(
    element('b', {}, title),
    ...rows.map(([name, value]) => element('div', {}, element('span', {}, name), element('b', {}, value))),
  );
  hint.hidden = false;
  const { width, height } = hint.getBoundingClientRect();
  const left =
    event.clientX + 16 + width > window.innerWidth ? event.clientX - width - 12 : event.clientX + 16;
  hint.style.left = `${Math.max(6, left)}px`;
  hint.style.top = `${Math.min(window.innerHeight - height - 6, Math.max(6, event.clientY - height - 10))}px`;
}

const hideHint = () => {
  hint.hidden = true;
};

// ---- Plots

/** Steps that are 1, 2 or 5 of something, about `count` of them. */
function ticks(to, count, least = 0) {
  const rough = Math.max(to / count, least, 1e-9);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough * 0.999);
  return Array.from({ length: Math.floor(to / step + 1.001) }, (_, n) => n * step);
}

/** Steps of a clock. */
function timeTicks(seconds, count) {
  const step =
    [1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 1200, 3600].find((s) => seconds / s <= count) ?? 7200;
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, n) => n * step);
}

/**
 * A plot with its axes: `x` and `y` are `{ to, ticks, format }` and begin at 0. `draw({ at, add, width, height })` puts the
 * marks in; `tell(x)` gives title and rows for the hint at a place.
 */
function plot({ x, y, height = 210, draw, tell, shades = [] }) {
  const host = element('div', { class: 'plot' });
  const render = () => {
    const outer = host.clientWidth;
    if (outer === 0) {
      return;
    }
    const yTicks = y.ticks ?? ticks(y.to, 4);
    const room = 10 + 7 * Math.max(...yTicks.map((tick) => y.format(tick).length));
    const top = shades.length > 0 ? 22 : 10;
    const box = { left: room, top, width: outer - room - 10, height: height - top - 26 };
    const at = {
      x: (value) => box.left + (value / x.to) * box.width,
      y: (value) => box.top + box.height - (Math.min(value, y.to) / y.to) * box.height,
    };
    const svg = shape('svg', { viewBox: `0 0 ${outer} ${height}`, height, 'aria-hidden': 'true' });
    const add = (name, attributes, text) => svg.appendChild(shape(name, attributes, text));
    for (const { from, to, name } of shades) {
      const [left, right] = [at.x(from), at.x(Math.min(to, x.to))];
      add('rect', { class: 'shade', x: left, y: box.top, width: right - left, height: box.height });
      add('text', { x: left, y: box.top - 6 }, name);
    }
    for (const tick of yTicks) {
      const line = { x1: box.left, x2: box.left + box.width, y1: at.y(tick), y2: at.y(tick) };
      add('line', { ...line, class: tick === 0 ? 'base' : 'grid' });
      add('text', { x: box.left - 8, y: at.y(tick) + 4, 'text-anchor': 'end' }, y.format(tick));
    }
    for (const tick of typeof x.ticks === 'function' ? x.ticks(Math.max(3, box.width / 90)) : x.ticks) {
      const anchor = tick === 0 ? 'start' : at.x(tick) > box.left + box.width - 20 ? 'end' : 'middle';
      add('text', { x: at.x(tick), y: height - 8, 'text-anchor': anchor }, x.format(tick));
    }
    draw({ at, add, box });
    const cross = add('line', {
      class: 'cross',
      y1: box.top,
      y2: box.top + box.height,
      visibility: 'hidden',
    });
    svg.addEventListener('pointermove', (event) => {
      const place = event.clientX - svg.getBoundingClientRect().left;
      const value = Math.min(x.to, Math.max(0, ((place - box.left) / box.width) * x.to));
      const told = tell(value);
      if (told === null) {
        hideHint();
        return;
      }
      cross.setAttribute('x1', at.x(told.at));
      cross.setAttribute('x2', at.x(told.at));
      cross.setAttribute('visibility', 'visible');
      showHint(event, told.title, told.rows);
    });
    svg.addEventListener('pointerleave', () => {
      cross.setAttribute('visibility', 'hidden');
      hideHint();
    });
    host.replaceChildren(svg);
  };
  new window.ResizeObserver(render).observe(host);
  return host;
}

const path = (points) =>
  points.map(([x, y], n) => `${n === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`).join('');

const line = (key, points, more = {}) => ({
  d: path(points),
  fill: 'none',
  stroke: color(key),
  'stroke-width': 2,
  'stroke-linejoin': 'round',
  ...more,
});

/** Upright bars of parts on one another. `value(n, key)` is one part of bar `n` of `count`. */
function stacks({ at, add }, count, keys, value) {
  const [left, right] = [at.x(0), at.x(count)];
  const gap = (right - left) / count > 5 ? 1 : 0;
  // Without a gap there must be no seam either.
  const edges = gap === 0 ? 'crispEdges' : 'auto';
  for (let n = 0; n < count; n += 1) {
    let below = 0;
    for (const key of keys) {
      const part = value(n, key);
      if (part > 0) {
        const [top, bottom] = [at.y(below + part), at.y(below)];
        const width = Math.max(0.6, at.x(n + 1) - at.x(n) - gap);
        add('rect', {
          x: at.x(n),
          y: top,
          width,
          height: Math.max(0.4, bottom - top),
          fill: color(key),
          'shape-rendering': edges,
        });
      }
      below += part;
    }
  }
}
