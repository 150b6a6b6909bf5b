// One page to which twenty peers send at once: how long the tasks of its main thread are. Rivals take no part: the peers are
// swarmseal's own outside of a browser, since twenty more pages are more than such a machine can run.

import { networkInterfaces } from 'node:os';
import path from 'node:path';

import { TARGET } from '../../scripts/lib/paths.mjs';
import { run, start } from '../../scripts/lib/run.mjs';
import { Failed, until } from '../lib/trial.mjs';
import { startStar } from '../lib/star.mjs';
import { CROWD } from '../lib/site.mjs';
import { traced } from '../lib/tasks.mjs';

const PEERS = 20;
const BITS_PER_S = 50e6;
/** What the goal calls long. */
const LONG_MS = 10;
const JOINED_S = 30;
const HOLDING_S = 180;
const HOLDERS = path.join(TARGET, 'sim', 'examples', 'holders');

let built;

export const scenarios = [
  {
    name: 'crowd',
    title: `64 MiB to one page from ${PEERS} peers, which send ${BITS_PER_S / 1e6} Mbit/s together: tasks of its main thread`,
    contenders: ['swarmseal'],
    subject: 'swarmseal',
    figures: [
      { key: 'peers', title: 'peers connected', digits: 0 },
      { key: 'mbps', title: 'Mbit/s', digits: 1 },
      { key: 'fromPeers', title: 'from peers, × the file', digits: 3 },
      { key: 'longestCpuMs', title: 'longest task, ms on the processor', digits: 2, better: 'less' },
      { key: 'longestWallMs', title: 'longest task, ms on the clock', digits: 2, better: 'less' },
      {
        key: 'longTasks',
        title: `tasks of more than ${LONG_MS} ms on the processor`,
        digits: 0,
        better: 'less',
      },
      {
        key: 'joinLongestCpuMs',
        title: 'longest while it connects, ms on the processor',
        digits: 2,
        better: 'less',
      },
      { key: 'busyPermille', title: 'main thread busy, ‰', digits: 1, better: 'less' },
    ],
    options: { content: CROWD, peers: PEERS, bitsPerS: BITS_PER_S },
    run: crowd,
  },
];

async function crowd(trial) {
  built ??= run('cargo', [
    'build',
    '--quiet',
    '--profile',
    'sim',
    '--package',
    'swarmseal-server',
    '--example',
    'holders',
  ]);
  await built;
  /** What nobody gets from the origin. */
  let gone = /^$/;
  const refuse = (url) => gone.test(url);
  await trial.open({ tracker: 'swarmseal', origin: { refuse } });
  const file = trial.site.contents[CROWD];
  const page = await trial.page('crowd.html', { ...trial.joining(file), bytes: file.bytes });
  const stats = () => page.evaluate(() => window.__bench.stats());
  const { handle } = await until(
    'place in the swarm',
    JOINED_S,
    stats,
    ({ tracker }) => tracker === 'joined',
  );
  await page.evaluate(() => window.__bench.loadFirst());
  gone = /first\.bin$/;
  const star = await startStar(trial.tracker, handle);
  trial.closes(() => star.stop());
  const joining = await traced(trial.inspector, () => holders(trial, file, star.url));
  trial.closes(() => joining.outcome.stop());
  gone = /\.bin$/;
  const connected = await until('peers', JOINED_S, stats, ({ peers }) => peers.length === PEERS);
  const loading = await traced(trial.inspector, () => page.evaluate(() => window.__bench.load()));
  const { ms, fromHttp } = loading.outcome;
  const { media } = await stats();
  const long = loading.tasks.filter(({ cpuMs }) => cpuMs > LONG_MS);
  return {
    peers: connected.peers.length,
    mbps: (file.bytes * 8) / 1000 / ms,
    fromPeers: 1 - fromHttp / file.bytes,
    longestCpuMs: longest(loading.tasks, 'cpuMs'),
    longestWallMs: longest(loading.tasks, 'wallMs'),
    longTasks: long.length,
    joinLongestCpuMs: longest(joining.tasks, 'cpuMs'),
    busyPermille: (loading.tasks.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / ms) * 1000,
    verifiedFromPeers: media.fromPeers,
    longestTasks: longestFirst(loading.tasks).slice(0, 5),
    joinLongestTasks: longestFirst(joining.tasks).slice(0, 5),
  };
}

/** Starts them, and waits until each is connected and holds the file. */
async function holders(trial, { manifest, trust }, tracker) {
  let tell;
  const holding = new Promise((resolve) => (tell = resolve));
  const program = start(
    HOLDERS,
    [
      ...[new URL(manifest, trial.url).href, '--first', 'first.bin'],
      ...['--tracker', tracker, '--publisher', trust, '--tracker-key', trial.site.keys.tracker.publicKey],
      ...['--address', address(), '--peers', PEERS, '--upload-bps', BITS_PER_S / PEERS],
    ].map(String),
    { onLine: (line) => line.includes('hold everything') && tell() },
  );
  let late;
  const ended = program.ended.then((status) => [`they ended with ${status}`, ...program.lines].join('\n'));
  const patience = new Promise((resolve) => {
    late = setTimeout(() => resolve(`not after ${HOLDING_S} s`), HOLDING_S * 1000);
  });
  const problem = await Promise.race([holding, ended, patience]);
  clearTimeout(late);
  if (problem !== undefined) {
    await program.stop();
    throw new Failed(`the peers do not hold the file: ${problem}`);
  }
  return program;
}

/** One that browsers on this machine reach. */
function address() {
  return Object.values(networkInterfaces())
    .flat()
    .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

function longestFirst(tasks) {
  return tasks.toSorted((one, other) => other.cpuMs - one.cpuMs);
}

function longest(tasks, key) {
  return Math.max(0, ...tasks.map((task) => task[key]));
}
