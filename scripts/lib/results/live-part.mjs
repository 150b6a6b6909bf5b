// What `npm run test:long` and `npm start -- --viewers` have measured: runs of swarmseal alone, live ones beside the same
// players without peers.

import { LIVE_TABLE } from '../live-table.mjs';
import { facts } from './bench-part.mjs';
import { goalTable } from './goal-table.mjs';
import { html } from './html.mjs';
import { number, plot } from './plot.mjs';

/** {id, title, article, goals} of a live run, whose name is in the table of what they must reach. */
export function livePart(name, json) {
  const id = name.replace(/\.json$/, '');
  const row = LIVE_TABLE.find((each) => each.name === id);
  if (row === undefined) {
    throw new Error(`${name}: no live run is called ${id}`);
  }
  const goals = row.must(json).map(({ what, value, must, holds }) => ({
    what,
    reached:
      typeof value === 'number'
        ? number(value, Number.isInteger(value) ? 0 : 3)
        : value === true
          ? 'yes'
          : 'no',
    goal: must ?? 'yes',
    holds,
  }));
  const runs = json.pairs ?? [{ peers: json, control: null }];
  const values = (side, of) => runs.flatMap((pair) => (pair[side] === null ? [] : of(pair[side])));
  const points = (side, of) => values(side, of).map((value) => ({ value }));
  const both = (of) => [
    { name: 'with peers', emphasis: true, points: points('peers', of) },
    ...(json.pairs === null ? [] : [{ name: 'without', points: points('control', of) }]),
  ];
  const { viewers } = json.plan;
  const figures = [
    {
      title: 'latency of each viewer, s',
      digits: 2,
      better: 'less',
      rows: both((run) => run.viewers.map(({ latencySeconds }) => latencySeconds)),
    },
    {
      title: 'offload',
      digits: 3,
      better: 'more',
      mark: { title: `the most that ${viewers} viewers could reach`, value: 1 - 1 / viewers },
      rows: both((run) => [run.offload]).slice(0, 1),
    },
    {
      title: 'stalls after the first frame',
      digits: 0,
      better: 'less',
      rows: both((run) => [run.stallsAfterFirstFrame]),
    },
    {
      title: 'origin bytes per unique byte',
      digits: 3,
      better: 'less',
      rows: both((run) => [run.originBytesPerUniqueByte]),
    },
  ];
  return part({
    id,
    name,
    json,
    goals,
    figures,
    title: titleOf(json.plan),
    how: `npm run test:long -- ${id}`,
  });
}

/** The same of a run of viewers of a title. */
export function titlePart(name, json) {
  const id = name.replace(/\.json$/, '');
  const { viewers, seconds } = json.plan;
  const each = (of) => [
    { name: 'swarmseal', emphasis: true, points: json.viewers.map((viewer) => ({ value: of(viewer) })) },
  ];
  const figures = [
    {
      title: 'offload',
      digits: 3,
      better: 'more',
      mark: { title: `the most that ${viewers} viewers could reach`, value: 1 - 1 / viewers },
      rows: [{ name: 'swarmseal', emphasis: true, points: [{ value: json.offload }] }],
    },
    {
      title: 'first frame of each viewer, ms',
      digits: 0,
      better: 'less',
      rows: each(({ firstFrameMs }) => firstFrameMs),
    },
    {
      title: 'bytes of each viewer from peers',
      digits: 0,
      better: 'more',
      rows: each(({ peerBytes }) => peerBytes),
    },
    {
      title: 'bytes of each viewer from the origin',
      digits: 0,
      better: 'less',
      rows: each(({ httpBytes }) => httpBytes),
    },
  ];
  const goals = [
    { what: 'offload', reached: number(json.offload, 3), goal: '≥ 0.6', holds: json.offload >= 0.6 },
    ...['stallsAfterFirstFrame', 'parseErrors', 'unverifiedBytesDelivered'].map((key) => ({
      what: NOTHING[key],
      reached: number(json[key], 0),
      goal: '0',
      holds: json[key] === 0,
    })),
    {
      what: 'origin bytes per unique byte',
      reached: number(json.originBytesPerUniqueByte, 3),
      goal: '≤ 1.15',
      holds: json.originBytesPerUniqueByte <= 1.15,
    },
  ];
  const title = `${viewers} viewers of the sample, ${seconds} s`;
  const how = `npm start -- --viewers ${viewers} --seconds ${seconds}`;
  return part({ id, name, json, goals, figures, title, how });
}

function part({ id, name, json, goals, figures, title, how }) {
  const plots = figures.map(plot).filter((drawn) => drawn !== null);
  const { versions } = json;
  const article = html`<article id="${id}">
    <h3>${title}</h3>
    <p class="how"><code>${how}</code> <a href="${name}">the whole result</a></p>
    ${goalTable(goals)}
    <div class="plots">${plots}</div>
    ${facts('Machine and versions', [
      ['swarmseal', versions.swarmseal],
      ['Browser', versions.browsers.join(', ')],
      ['Player', `hls.js ${versions['hls.js']}`],
      ['Machine', `${versions.cores} cores, ${versions.system}, node ${versions.node}`],
    ])}
  </article> `;
  return { id, title, article, goals };
}

function titleOf({ viewers, seconds, churn, fault, lowLatency, skew }) {
  const what = [
    lowLatency ? 'Low-latency live' : 'Live',
    `${viewers} viewers`,
    `${seconds} s`,
    churn === null ? null : `one leaves and one joins every ${churn} s`,
    fault === null ? null : FAULTS[fault.split(':')[0]],
    skew === null ? null : `clocks ${skew} minutes off`,
  ];
  return what.filter((each) => each !== null).join(', ');
}

const FAULTS = {
  cut: 'the origin cuts answers in the middle',
  leave: 'the page that fetches is closed, three times',
  stop: 'the origin answers nobody for 3 s',
  freeze: 'live heads are withheld',
  replay: 'old live heads are replayed',
  fork: 'two live heads contradict each other',
};
const NOTHING = {
  stallsAfterFirstFrame: 'stalls after the first frame',
  parseErrors: 'parse errors',
  unverifiedBytesDelivered: 'unverified bytes given to players',
};
