// The page of one run: its panels, from top to bottom. A classic script, put into the page after plots.js and heat.js.
/* global clock, color, duration, element, heatMap, legend, line, mbps, percent, plot, quantile, rate, share, size, stacks, sum, swatch, ticks, timeTicks, whole */
/* exported offload */

const { outcome: run, command } = JSON.parse(document.getElementById('figures').textContent);
const page = document.getElementById('page');

const SOURCES = [
  { key: 'peers', name: 'other viewers', series: 'peerBytes' },
  { key: 'startup', name: 'origin, to start with', series: 'startupBytes' },
  { key: 'elected', name: 'origin, for all others', series: 'electedBytes' },
  { key: 'rescue', name: 'origin, to be in time', series: 'rescueBytes' },
];
const CAUSES = SOURCES.slice(1);
const FAILING = { tracker: 'no tracker', origin: 'no origin', partition: 'two halves' };
const WINDOW_SECONDS = 10;

const fromOrigin = (viewer) => viewer.startupBytes + viewer.electedBytes + viewer.rescueBytes;
const offload = (viewer) => share(viewer.peerBytes, viewer.peerBytes + fromOrigin(viewer));
const gotSomething = (viewer) => viewer.peerBytes + fromOrigin(viewer) > 0;

const seconds = run.series.viewers.length;
const shades = run.outages.map((outage) => ({
  from: outage.from_second,
  to: outage.from_second + outage.seconds,
  name: FAILING[outage.what],
}));
const timeAxis = { to: Math.max(1, seconds), ticks: (count) => timeTicks(seconds, count), format: clock };

function panel(title, note, ...children) {
  return element('section', {}, element('h2', {}, title), element('p', { class: 'note' }, note), ...children);
}

const empty = (text) => element('p', { class: 'empty' }, text);

// ---- The panels

function offloadOverTime() {
  const { series } = run;
  const window_ = (n, key) => sum(series[key].slice(Math.max(0, n - WINDOW_SECONDS + 1), n + 1));
  const shares = Array.from({ length: seconds }, (_, n) => {
    const peers = window_(n, 'peerBytes');
    const all = peers + sum(CAUSES.map((cause) => window_(n, cause.series)));
    return all === 0 ? null : peers / all;
  });
  const drawn = plot({
    x: timeAxis,
    y: { to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => percent(value, 0) },
    shades,
    draw: ({ at, add }) => {
      const bound = [0, timeAxis.to].map((x) => [at.x(x), at.y(run.offloadBound)]);
      add('path', line('given', bound, { 'stroke-dasharray': '5 4', 'stroke-width': 1.5 }));
      const known = shares.flatMap((value, n) => (value === null ? [] : [[at.x(n + 0.5), at.y(value)]]));
      add('path', line('peers', known));
    },
    tell: (x) => {
      const n = Math.min(seconds - 1, Math.floor(x));
      const value = shares[n];
      const rows = [
        ['offload', value === null ? 'nothing fetched' : percent(value)],
        ['viewers', whole(series.viewers[n])],
      ];
      return { at: n + 0.5, title: clock(n), rows };
    },
  });
  return panel(
    'Offload over time',
    `Share of the bytes that came from other viewers, over the last ${WINDOW_SECONDS} seconds.`,
    drawn,
    legend(
      swatch('peers', 'offload', undefined, 'stroke'),
      swatch('given', 'most that the uplinks allow, over the whole run', percent(run.offloadBound), 'dash'),
    ),
  );
}

function originOverTime() {
  const { series } = run;
  const value = (n, key) => mbps(series[`${key}Bytes`][n]);
  const totals = Array.from({ length: seconds }, (_, n) => sum(CAUSES.map(({ key }) => value(n, key))));
  const to = Math.max(run.streamKbps / 1000, ...totals) * 1.05;
  const drawn = plot({
    x: timeAxis,
    y: { to, format: (tick) => `${Number(tick.toPrecision(3))}` },
    shades,
    draw: (canvas) => {
      stacks(
        canvas,
        seconds,
        CAUSES.map(({ key }) => key),
        value,
      );
      const { at, add } = canvas;
      const stream = [0, timeAxis.to].map((x) => [at.x(x), at.y(run.streamKbps / 1000)]);
      add('path', line('soft', stream, { 'stroke-dasharray': '2 3', 'stroke-width': 1.5 }));
    },
    tell: (x) => {
      const n = Math.min(seconds - 1, Math.floor(x));
      const rows = CAUSES.map(({ key, name }) => [name.replace('origin, ', ''), rate(value(n, key))]);
      return { at: n + 0.5, title: clock(n), rows: [...rows, ['together', rate(totals[n])]] };
    },
  });
  return panel(
    'What the origin gave, and why',
    'Mbit/s in each second.',
    drawn,
    legend(
      ...CAUSES.map(({ key, name }) => swatch(key, name.replace('origin, ', ''), size(run.bytes[key]))),
      swatch('soft', 'rate of the stream', rate(run.streamKbps / 1000), 'dash'),
    ),
  );
}

function offloadByViewer() {
  const BINS = 20;
  const shares = run.perViewer.filter(gotSomething).map(offload);
  const bins = Array.from({ length: BINS }, () => 0);
  for (const value of shares) {
    bins[Math.min(BINS - 1, Math.floor(value * BINS))] += 1;
  }
  const median = quantile(shares, 0.5);
  const drawn = plot({
    x: { to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => percent(value, 0) },
    y: { to: Math.max(1, ...bins) * 1.12, format: whole },
    draw: ({ at, add, box }) => {
      bins.forEach((count, n) => {
        const [left, right] = [at.x(n / BINS), at.x((n + 1) / BINS)];
        const height = at.y(0) - at.y(count);
        add('rect', {
          x: left,
          y: at.y(count),
          width: right - left - 1.5,
          height,
          fill: color('peers'),
          rx: 1,
        });
      });
      add('line', { x1: at.x(median), x2: at.x(median), y1: box.top, y2: at.y(0), class: 'cross' });
      const atEnd = median > 0.5;
      const place = {
        x: at.x(median) + (atEnd ? -6 : 6),
        y: box.top + 10,
        'text-anchor': atEnd ? 'end' : 'start',
      };
      add('text', { ...place, class: 'label' }, `half are above ${percent(median)}`);
    },
    tell: (x) => {
      const n = Math.min(BINS - 1, Math.floor(x * BINS));
      const title = `${percent(n / BINS, 0)} to ${percent((n + 1) / BINS, 0)}`;
      return { at: (n + 0.5) / BINS, title, rows: [['viewers', whole(bins[n])]] };
    },
  });
  return panel('Offload by viewer', 'How many viewers got which share from others.', drawn);
}

function startUp() {
  const withPeers = run.perViewer.map((viewer) => viewer.firstFrameMs).filter((ms) => ms !== null);
  const without = run.perViewer.map((viewer) => viewer.firstFrameWithoutPeersMs).filter((ms) => ms !== null);
  const curves = [
    { key: 'peers', name: 'with peers', values: withPeers },
    { key: 'elected', name: 'HTTP alone', values: without },
  ].filter(({ values }) => values.length > 0);
  if (curves.length === 0) {
    return panel('Start-up', 'From arrival to the first frame.', empty('No viewer had a first frame.'));
  }
  const to = Math.max(...curves.map(({ values }) => quantile(values, 0.995))) * 1.08;
  const drawn = plot({
    x: {
      to,
      ticks: (count) => ticks(to, count),
      format: (ms) => (to > 5000 ? `${ms / 1000} s` : `${ms} ms`),
    },
    y: { to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => percent(value, 0) },
    draw: ({ at, add }) => {
      for (const { key, values } of [...curves].reverse()) {
        const sorted = [...values].sort((a, b) => a - b);
        const points = [[at.x(0), at.y(0)]];
        sorted.forEach((value, n) => {
          const x = at.x(Math.min(to, value));
          points.push([x, at.y(n / sorted.length)], [x, at.y((n + 1) / sorted.length)]);
        });
        points.push([at.x(to), points.at(-1)[1]]);
        add('path', line(key, points));
      }
    },
    tell: (x) => {
      const rows = curves.map(({ name, values }) => [
        name,
        percent(share(values.filter((value) => value <= x).length, values.length)),
      ]);
      return { at: x, title: `within ${duration(x)}`, rows };
    },
  });
  const half = ({ key, name, values }) =>
    swatch(key, `${name}, half within`, duration(quantile(values, 0.5)), 'stroke');
  return panel(
    'Start-up',
    'Viewers that see their first frame within a time.',
    drawn,
    legend(...curves.map(half)),
  );
}

function stallsOverTime() {
  const { stalled } = run.series;
  const title = 'Stalls';
  const note = 'Viewers that stood still for at least a moment, in each second after their first frame.';
  if (sum(stalled) === 0) {
    return panel(title, note, empty('Nobody stalled.'));
  }
  const to = Math.max(4, ...stalled) * 1.1;
  const drawn = plot({
    x: timeAxis,
    y: { to, ticks: ticks(to, 4, 1), format: whole },
    shades,
    draw: (canvas) => stacks(canvas, seconds, ['rescue'], (n) => stalled[n]),
    tell: (x) => {
      const n = Math.min(seconds - 1, Math.floor(x));
      return {
        at: n + 0.5,
        title: clock(n),
        rows: [['stalled', `${stalled[n]} of ${run.series.viewers[n]}`]],
      };
    },
  });
  const hit = run.perViewer.filter(({ stalls }) => stalls > 0);
  const worst = Math.max(...hit.map(({ stalledMs }) => stalledMs));
  const text = `${whole(hit.length)} of ${whole(run.viewers)} viewers stalled; the worst for ${duration(worst)}`;
  return panel(title, note, drawn, legend(element('span', {}, text)));
}

function copiesBySegment() {
  const { segments } = run;
  const value = (n, key) => share(segments[n][`${key}Bytes`], segments[n].uniqueBytes);
  const totals = segments.map((_, n) => sum(CAUSES.map(({ key }) => value(n, key))));
  const to = Math.max(2, Math.min(Math.max(...totals, 0), quantile(totals, 0.9) * 3 + 1)) * 1.05;
  const over = totals.filter((total) => total > to).length;
  const drawn = plot({
    x: { to: segments.length, ticks: (count) => ticks(segments.length, count, 1), format: whole },
    y: { to, format: (tick) => `${Number(tick.toPrecision(3))}` },
    draw: (canvas) => {
      stacks(
        canvas,
        segments.length,
        CAUSES.map(({ key }) => key),
        value,
      );
      const high = totals
        .filter((total) => total > to)
        .slice(0, 4)
        .map(whole);
      if (high.length > 0) {
        const at = totals.findLastIndex((total) => total > to);
        const right = at > segments.length / 2;
        const place = { x: canvas.at.x(right ? at : at + 1) + (right ? -5 : 5), y: canvas.box.top + 10 };
        canvas.add(
          'text',
          { ...place, 'text-anchor': right ? 'end' : 'start', class: 'label' },
          `↑ ${high.join(', ')}`,
        );
      }
    },
    tell: (x) => {
      const n = Math.min(segments.length - 1, Math.floor(x));
      const rows = CAUSES.map(({ key, name }) => [name.replace('origin, ', ''), value(n, key).toFixed(2)]);
      return { at: n + 0.5, title: `segment ${n}`, rows: [...rows, ['together', totals[n].toFixed(2)]] };
    },
  });
  const note = `How often the origin gave each segment; one copy is the least.${
    over > 0 ? ` ${over === 1 ? 'One bar is' : `${over} bars are`} higher than the plot.` : ''
  }`;
  return panel(
    'Origin copies by segment, and why',
    note,
    drawn,
    legend(...CAUSES.map(({ key, name }) => swatch(key, name.replace('origin, ', ''), run[key].toFixed(2)))),
  );
}

function uplinkUse() {
  const { sentBytes, uplinkBytes } = run.series;
  const to = Math.max(0.1, mbps(Math.max(...uplinkBytes, ...sentBytes))) * 1.08;
  const points = (list, at) => list.map((bytes, n) => [at.x(n + 0.5), at.y(mbps(bytes))]);
  const drawn = plot({
    x: timeAxis,
    y: { to, format: (tick) => `${Number(tick.toPrecision(3))}` },
    shades,
    draw: ({ at, add }) => {
      add('path', line('given', points(uplinkBytes, at), { 'stroke-dasharray': '5 4', 'stroke-width': 1.5 }));
      add('path', line('peers', points(sentBytes, at)));
    },
    tell: (x) => {
      const n = Math.min(seconds - 1, Math.floor(x));
      const rows = [
        ['sent', rate(mbps(sentBytes[n]))],
        ['possible', rate(mbps(uplinkBytes[n]))],
        ['use', percent(share(sentBytes[n], uplinkBytes[n]))],
      ];
      return { at: n + 0.5, title: clock(n), rows };
    },
  });
  return panel(
    'Uplinks',
    'What viewers sent, and what all uplinks could carry, in Mbit/s.',
    drawn,
    legend(
      swatch('peers', 'sent', size(run.bytes.sent), 'stroke'),
      swatch('given', 'possible; used', percent(run.uplinkUse), 'dash'),
    ),
  );
}

function whoCarries() {
  const sent = run.perViewer.map((viewer) => viewer.sentBytes).sort((a, b) => b - a);
  const total = sum(sent);
  const title = 'Who carries the load';
  const note = 'Viewers from the busiest on, and which share of all bytes they sent together.';
  if (total === 0) {
    return panel(title, note, empty('Nobody sent anything.'));
  }
  const sums = [0];
  sent.forEach((bytes, n) => sums.push(sums[n] + bytes / total));
  const upTo = (part) => sums[Math.round(part * sent.length)];
  const tenth = run.fairness.topTenthShare;
  const drawn = plot({
    x: { to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => percent(value, 0) },
    y: { to: 1, ticks: [0, 0.25, 0.5, 0.75, 1], format: (value) => percent(value, 0) },
    draw: ({ at, add }) => {
      const equal = [0, 1].map((value) => [at.x(value), at.y(value)]);
      add('path', line('soft', equal, { 'stroke-dasharray': '2 3', 'stroke-width': 1 }));
      add(
        'path',
        line(
          'given',
          sums.map((value, n) => [at.x(n / sent.length), at.y(value)]),
        ),
      );
      add('circle', { cx: at.x(0.1), cy: at.y(tenth), r: 4, fill: color('given') });
      const text = `the busiest tenth: ${percent(tenth)}`;
      const below = at.y(tenth) + 4 < at.y(0.93) ? 18 : 4;
      add('text', { x: at.x(0.1) + 9, y: at.y(tenth) + below, class: 'label' }, text);
    },
    tell: (x) => ({
      at: x,
      title: `busiest ${percent(x, 0)} of viewers`,
      rows: [['sent', percent(upTo(x))]],
    }),
  });
  return panel(title, note, drawn, legend(swatch('soft', 'all alike', undefined, 'dash')));
}

// ---- Head and foot

function head() {
  const what = `${whole(run.viewers)} viewers, ${clock(run.seconds)} simulated, seed ${run.seed}`;
  const about = element('p', { class: 'soft' }, run.about);
  return element(
    'header',
    {},
    element('h1', {}, run.scenario),
    element('span', { class: 'soft' }, what),
    about,
  );
}

function hero() {
  const total = sum(SOURCES.map(({ key }) => run.bytes[key]));
  const bar = element('div', { class: 'bar' });
  for (const { key } of SOURCES.filter((source) => run.bytes[source.key] > 0)) {
    bar.append(element('span', { style: `flex:${share(run.bytes[key], total)};background:${color(key)}` }));
  }
  const names = SOURCES.map(({ key, name }) => swatch(key, name, percent(share(run.bytes[key], total))));
  const big = element('div', {}, element('div', { class: 'big' }, percent(run.offload)));
  big.append(element('div', { class: 'soft' }, 'of the bytes came from other viewers'));
  return element('div', { class: 'hero' }, big, element('div', {}, bar, legend(...names)));
}

function tiles() {
  const { firstFrameMs: first, withoutPeers, misbehaviour } = run;
  const compared = withoutPeers === null ? '' : `; HTTP alone ${duration(withoutPeers.firstFrameMs.median)}`;
  const inVain = percent(share(run.bytes.sent - run.bytes.peers, run.bytes.sent), 0);
  const missing = first.missing > 0 ? `; ${whole(first.missing)} never` : '';
  const stalls =
    withoutPeers === null
      ? 'of play time'
      : `of play time; HTTP alone ${percent(withoutPeers.rebufferRatio, 2)}`;
  const all = [
    [
      run.originBytesPerUniqueByte.toFixed(2),
      'origin bytes per unique byte',
      `${size(run.bytes.unique)} unique`,
    ],
    [percent(run.rebufferRatio, 2), 'rebuffering', stalls],
    [
      duration(first.median),
      'first frame, half within',
      `95 % within ${duration(first.p95)}${missing}${compared}`,
    ],
    [percent(run.uplinkUse), 'of the uplinks used', `${size(run.bytes.sent)} sent, ${inVain} of it in vain`],
    [whole(run.connections.kept), 'pairs connected', `of ${whole(run.connections.created)} introduced`],
  ];
  if (misbehaviour.misbehaving > 0) {
    const { misbehaving, punishedMisbehaving, punishedHonest } = misbehaviour;
    all.push([
      `${whole(punishedMisbehaving)} of ${whole(misbehaving)}`,
      'misbehaving viewers found out',
      `${whole(punishedHonest)} honest ones punished`,
    ]);
  }
  const tile = ([value, name, more]) => {
    const note = element('div', { class: 'note' }, more);
    return element('div', {}, element('div', { class: 'value' }, value), element('div', {}, name), note);
  };
  return element('div', { class: 'tiles' }, element('div', {}, ...all.map(tile)));
}

function byLink() {
  const columns = [
    'access link',
    'viewers',
    'uplink',
    'offload',
    'sent',
    'uplink used',
    'first frame, half',
    '95 %',
    'stalled',
  ];
  const table = element('table', {}, element('tr', {}, ...columns.map((name) => element('th', {}, name))));
  for (const name of Object.keys(run.classes)) {
    const viewers = run.perViewer.filter((viewer) => viewer.class === name);
    const total = (value) => sum(viewers.map(value));
    const first = viewers.map((viewer) => viewer.firstFrameMs).filter((ms) => ms !== null);
    const allowed = total(
      (viewer) => (viewer.uplinkKbps / 8) * ((viewer.leftMs ?? run.seconds * 1000) - viewer.arrivedMs),
    );
    const peers = total((viewer) => viewer.peerBytes);
    const stalled = total((viewer) => viewer.stalledMs);
    const cells = [
      name.replace('_', ' '),
      whole(viewers.length),
      rate(
        quantile(
          viewers.map((viewer) => viewer.uplinkKbps),
          0.5,
        ) / 1000,
      ),
      percent(share(peers, peers + total(fromOrigin))),
      size(total((viewer) => viewer.sentBytes)),
      percent(
        share(
          total((viewer) => viewer.sentBytes),
          allowed,
        ),
      ),
      duration(quantile(first, 0.5)),
      duration(quantile(first, 0.95)),
      percent(share(stalled, stalled + total((viewer) => viewer.playedMs)), 2),
    ];
    table.append(element('tr', {}, ...cells.map((cell) => element('td', {}, cell))));
  }
  const section = panel('By access link', '', element('div', { class: 'scroll' }, table));
  section.className = 'wide';
  return section;
}

function howItWasMade() {
  const file = element('details', {}, element('summary', {}, 'The scenario, every field of it'));
  file.append(element('pre', {}, run.scenarioFile));
  const checks = `${whole(run.invariantChecks)} checks of invariants, all held. swarmseal ${run.versions.swarmseal}.`;
  const section = panel(
    'Make it again',
    'The same scenario and seed give the same events in the same order.',
    element('pre', {}, command),
    element('p', { class: 'hash' }, `events: ${run.eventLogHash}`),
    element('p', { class: 'note' }, checks),
    file,
  );
  section.className = 'wide';
  return section;
}

run.classes = Object.fromEntries(run.perViewer.map((viewer) => [viewer.class, true]));
const panels = [
  offloadOverTime,
  originOverTime,
  offloadByViewer,
  startUp,
  stallsOverTime,
  copiesBySegment,
  uplinkUse,
  whoCarries,
  heatMap,
  byLink,
  howItWasMade,
];
page.append(head(), hero(), tiles(), element('div', { class: 'panels' }, ...panels.map((draw) => draw())));
