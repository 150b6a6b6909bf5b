// The source of every segment of every viewer, as a picture. A classic script, put into the page after plots.js.
/* global clock, color, element, hideHint, offload, percent, run, showHint */
/* exported heatMap */

const ORDERS = {
  arrival: { name: 'arrival', by: () => 0 },
  offload: { name: 'offload', by: (viewer) => -offload(viewer) },
  link: { name: 'access link', by: (viewer) => Object.keys(run.classes).indexOf(viewer.class) },
};

/** A color of the style sheet as three numbers. */
function rgb(key) {
  const probe = element('span', { style: `color:${color(key)};display:none` });
  document.body.append(probe);
  const numbers = window
    .getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    .map(Number);
  probe.remove();
  return numbers.slice(0, 3);
}

/** From all viewers to all origin, in ten steps. */
function heatColors() {
  const [from, to] = [rgb('peers'), rgb('elected')];
  const middle = rgb('startup');
  const mix = (a, b, part) => a.map((channel, n) => Math.round(channel + (b[n] - channel) * part));
  return Array.from({ length: 10 }, (_, n) => {
    const part = n / 9;
    return part < 0.5 ? mix(from, middle, part * 2) : mix(middle, to, part * 2 - 1);
  });
}

function heatMap() {
  const columns = Math.max(1, run.segments.length);
  const canvas = element('canvas');
  const host = element('div', { class: 'plot' }, canvas);
  const scale = element('canvas', { width: 10, height: 1 });
  const select = element('select', { 'aria-label': 'Order of the viewers' });
  for (const [key, { name }] of Object.entries(ORDERS)) {
    select.append(element('option', { value: key }, `by ${name}`));
  }
  let rows = run.perViewer;
  const draw = () => {
    const shown = rows.length;
    const width = host.clientWidth;
    const rowHeight = Math.max(1, Math.min(9, Math.floor(620 / shown)));
    const height = Math.min(720, shown * rowHeight);
    const image = new window.ImageData(columns, shown);
    const steps = heatColors();
    const nothing = rgb('faint');
    rows.forEach(({ sources }, row) => {
      for (let column = 0; column < columns; column += 1) {
        const source = sources[column] ?? '.';
        image.data.set(
          [...(source === '.' ? nothing : steps[Number(source)]), 255],
          (row * columns + column) * 4,
        );
      }
    });
    const small = element('canvas', { width: columns, height: shown });
    small.getContext('2d').putImageData(image, 0, 0);
    const sharp = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * sharp));
    canvas.height = Math.round(height * sharp);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext('2d');
    // Rows that are thinner than a pixel are mixed, all others stay sharp.
    context.imageSmoothingEnabled = shown > canvas.height;
    context.drawImage(small, 0, 0, canvas.width, canvas.height);
    const bar = new window.ImageData(10, 1);
    steps.forEach((step, n) => bar.data.set([...step, 255], n * 4));
    scale.getContext('2d').putImageData(bar, 0, 0);
  };
  canvas.addEventListener('pointermove', (event) => {
    const box = canvas.getBoundingClientRect();
    const row = Math.min(rows.length - 1, Math.floor(((event.clientY - box.top) / box.height) * rows.length));
    const column = Math.min(columns - 1, Math.floor(((event.clientX - box.left) / box.width) * columns));
    const viewer = rows[Math.max(0, row)];
    const source = viewer.sources[Math.max(0, column)] ?? '.';
    const told = source === '.' ? 'not fetched' : `${percent(1 - Number(source) / 9, 0)} from viewers`;
    showHint(event, `viewer ${run.perViewer.indexOf(viewer) + 1}, segment ${Math.max(0, column)}`, [
      ['', told],
      ['came at', clock(viewer.arrivedMs / 1000)],
      ['link', viewer.class],
      ['offload', percent(offload(viewer))],
      ...(viewer.misbehaves === null ? [] : [['misbehaves', viewer.misbehaves.replaceAll('_', ' ')]]),
    ]);
  });
  canvas.addEventListener('pointerleave', hideHint);
  select.addEventListener('change', () => {
    const { by } = ORDERS[select.value];
    rows = [...run.perViewer].sort((a, b) => by(a) - by(b));
    draw();
  });
  new window.ResizeObserver(draw).observe(host);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
  const note = 'One row a viewer, the first on top; one column a segment.';
  const title = element(
    'div',
    {},
    element('h2', {}, 'Source of every segment'),
    element('p', { class: 'note' }, note),
  );
  const section = element(
    'section',
    { class: 'wide' },
    element('div', { class: 'heat-head' }, title, select),
    host,
  );
  section.append(
    element(
      'div',
      { class: 'scale' },
      'all from viewers',
      scale,
      'all from the origin',
      element('i'),
      'not fetched',
    ),
  );
  return section;
}
