// What a page costs while nothing happens, and over a long time.

import { setTimeout as sleep } from 'node:timers/promises';

import { PLAYERS, PLAYER_FIGURES, account, openViewer, trackerOf } from './playing.mjs';

const MIB = 2 ** 20;

export const scenarios = [
  {
    name: 'idle',
    title: 'two connected viewers, both paused with full buffers, 20 s',
    contenders: PLAYERS,
    subject: 'swarmseal',
    figures: [
      { key: 'cpuPercent', title: 'CPU of all processes, % of a core', digits: 2 },
      { key: 'scriptMsPerS', title: 'main thread script, ms per s and viewer', digits: 3 },
      { key: 'taskMsPerS', title: 'main thread tasks, ms per s and viewer', digits: 3 },
      { key: 'wireBytesPerS', title: 'bytes between the peers per s', digits: 0 },
    ],
    options: { seconds: 20, buffer: 12 },
    run: idle,
  },
  {
    name: 'memory',
    title: 'two viewers 3 s apart, the player buffers 12 s',
    contenders: PLAYERS,
    subject: 'swarmseal',
    rounds: 1,
    figures: [
      ...PLAYER_FIGURES.filter(({ key }) => ['offload', 'stalls', 'positionS'].includes(key)),
      { key: 'firstMiB', title: 'page processes after a minute, MiB per viewer', digits: 1 },
      { key: 'memoryPerViewer', title: 'page processes at the end, MiB per viewer', digits: 1 },
    ],
    options: { seconds: 150, buffer: 12 },
    run: longRun,
  },
];

async function idle(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const viewers = [await openViewer(trial), await openViewer(trial)];
  await sleep(SETTLING_S * 1000);
  await Promise.all(viewers.map((viewer) => viewer.evaluate(() => document.querySelector('video').pause())));
  await sleep(SETTLING_S * 1000);
  const before = await reading(trial, viewers);
  await sleep(trial.options.seconds * 1000);
  const after = await reading(trial, viewers);
  const passed = (after.at - before.at) / 1000;
  const perViewer = passed * viewers.length;
  return {
    cpuPercent: ((after.cpu - before.cpu) / passed) * 100,
    scriptMsPerS: ((after.script - before.script) * 1000) / perViewer,
    taskMsPerS: ((after.task - before.task) * 1000) / perViewer,
    wireBytesPerS: (after.received - before.received) / passed,
  };
}

async function reading(trial, viewers) {
  const threads = await Promise.all(viewers.map((viewer) => viewer.mainThread()));
  const metrics = await Promise.all(viewers.map((viewer) => viewer.metrics()));
  const total = (rows, value) => rows.reduce((sum, row) => sum + value(row), 0);
  return {
    at: Date.now(),
    cpu: await trial.cpuSeconds(),
    script: total(threads, ({ script }) => script),
    task: total(threads, ({ task }) => task),
    received: total(metrics, ({ wire }) => wire.received),
  };
}

async function longRun(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const viewers = [await openViewer(trial)];
  await sleep(3000);
  viewers.push(await openViewer(trial));
  const minute = Math.min(60, trial.options.seconds / 2);
  await sleep(minute * 1000);
  const firstMiB = (await trial.memory()) / viewers.length / MIB;
  await sleep((trial.options.seconds - minute) * 1000);
  return { ...(await account(trial, viewers)), firstMiB };
}

const SETTLING_S = 8;
