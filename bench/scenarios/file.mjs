// A file of 64 MiB from one tab to others, every byte verified but on the bare channel.

import { Failed, until } from '../lib/trial.mjs';

const TRACKERS = {
  'bare channel': 'relay',
  webtorrent: 'bittorrent',
  swarmseal: 'swarmseal',
  'swarmseal, with its origin': 'swarmseal',
};
const SEED_S = 60;
const DONE_S = 120;
const MIB = 2 ** 20;

const FIGURES = [
  { key: 'doneMs', title: 'every byte held and verified, ms', digits: 0, better: 'less' },
  { key: 'openMs', title: 'first connection, ms', digits: 0, better: 'less' },
  { key: 'firstByteMs', title: 'first byte, ms', digits: 0, better: 'less' },
  { key: 'rate', title: 'MiB/s after the first byte, each', digits: 1, better: 'more' },
  { key: 'seedSent', title: 'the seed sends, × the file', digits: 3, better: 'less' },
  { key: 'received', title: 'received from peers, × the file', digits: 3 },
  { key: 'fromHttp', title: 'from the origin, × the file', digits: 3 },
  { key: 'connections', title: 'RTCPeerConnections made per pair kept', digits: 2, better: 'less' },
  { key: 'cpuMsPerMiB', title: 'CPU of all processes, ms per MiB', digits: 1, better: 'less' },
  { key: 'scriptMsPerMiB', title: 'main thread script of a receiver, ms per MiB', digits: 2, better: 'less' },
];

export const scenarios = [transfer(1), transfer(3)];

function transfer(count) {
  return {
    name: `file-${count}`,
    title: `64 MiB from one tab to ${count === 1 ? 'another' : `${count} others at once`}`,
    contenders: Object.keys(TRACKERS),
    subject: 'swarmseal',
    figures: FIGURES,
    options: { leeches: count },
    run: (trial) => run(trial, count),
  };
}

async function run(trial, count) {
  // Once the seed has the file there is no origin to help, for nobody; what swarmseal does with one is told apart.
  let originGone = false;
  const refuse = (url) => originGone && url.endsWith('.bin');
  await trial.open({ tracker: TRACKERS[trial.contender], origin: { refuse } });
  const { bytes } = trial.site.contents.file;
  const seed = await openEnd(trial, { role: 'seed' });
  const { given } = await until(
    'seed',
    SEED_S,
    () => healthy(seed),
    ({ ready }) => ready,
  );
  const leeches = await Promise.all(Array.from({ length: count }, () => openEnd(trial, { role: 'leech' })));
  await Promise.all(
    leeches.map((leech) =>
      until(
        'page',
        SEED_S,
        () => healthy(leech),
        ({ ready }) => ready,
      ),
    ),
  );
  originGone = !trial.contender.includes('with its origin');
  const cpuBefore = await trial.cpuSeconds();
  const before = await Promise.all(leeches.map((leech) => leech.mainThread()));
  await Promise.all(leeches.map((leech) => leech.evaluate((task) => window.__bench.start(task), given)));
  const ends = await Promise.all(
    leeches.map((leech) =>
      until(
        'whole file',
        DONE_S,
        () => healthy(leech),
        ({ doneMs }) => doneMs !== null,
      ),
    ),
  );
  const cpu = (await trial.cpuSeconds()) - cpuBefore;
  const after = await Promise.all(leeches.map((leech) => leech.mainThread()));
  const { wire } = await seed.metrics();
  const mean = (value) => ends.reduce((sum, end, n) => sum + value(end, n), 0) / count;
  return {
    doneMs: Math.max(...ends.map(({ doneMs }) => doneMs)),
    openMs: mean(({ openMs }) => openMs),
    firstByteMs: mean(({ firstByteMs }) => firstByteMs),
    rate: mean(({ doneMs, firstByteMs }) => bytes / MIB / ((doneMs - firstByteMs) / 1000)),
    seedSent: wire.sent / bytes,
    received: mean((end) => end.wire.received) / bytes,
    fromHttp: mean(({ fromHttp }) => fromHttp) / bytes,
    connections: connectionsPerPair([{ wire }, ...ends]),
    cpuMsPerMiB: (cpu * 1000) / ((bytes / MIB) * count),
    scriptMsPerMiB: mean((_, n) => (after[n].script - before[n].script) * 1000) / (bytes / MIB),
  };
}

function openEnd(trial, extra) {
  const { file } = trial.site.contents;
  return trial.page('file.html', {
    ...trial.joining(file),
    contender: trial.contender.split(',')[0],
    bytes: file.bytes,
    ...extra,
  });
}

async function healthy(page) {
  const metrics = await page.metrics();
  if (metrics.errors.length > 0 || page.problems.length > 0) {
    throw new Failed([...metrics.errors, ...page.problems].join('; '));
  }
  return metrics;
}

function connectionsPerPair(ends) {
  const [made, connected] = ['made', 'connected'].map((key) =>
    ends.reduce((sum, { wire }) => sum + wire[key], 0),
  );
  return connected === 0 ? undefined : made / connected;
}
