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
      { key: 'cpuPercent', title: 'CPU of all processes, % of a core', digits: 2, better: 'less' },
      { key: 'scriptMsPerS', title: 'main thread script, ms per s and viewer', digits: 3, better: 'less' },
      { key: 'taskMsPerS', title: 'main thread tasks, ms per s and viewer', digits: 3, better: 'less' },
      { key: 'wireBytesPerS', title: 'bytes between the peers per s', digits: 0, better: 'less' },
    ],
    options: { seconds: 20, buffer: 12 },
    run: idle,
  },
  {
    name: 'memory',
    title: '1.5 Mbit/s, two viewers 3 s apart, 10 minutes, the player buffers 12 s and keeps 12 s',
    contenders: PLAYERS,
    subject: 'swarmseal',
    rounds: 1,
    figures: [
      ...PLAYER_FIGURES.filter(({ key }) => ['offload', 'stalls', 'positionS'].includes(key)),
      { key: 'firstMiB', title: 'page processes after a minute, MiB per viewer', digits: 1, better: 'less' },
      {
        key: 'memoryPerViewer',
        title: 'page processes at the end, MiB per viewer',
        digits: 1,
        better: 'less',
      },
      { key: 'wasmFirstMiB', title: 'wasm memory after a minute, MiB', digits: 3, better: 'less' },
      { key: 'wasmMiB', title: 'wasm memory at the end, MiB', digits: 3, better: 'less' },
    ],
    options: { seconds: 600, buffer: 12, backBuffer: 12, content: 'long', probe: 'memory' },
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
  const first = await held(trial, viewers);
  await sleep((trial.options.seconds - minute) * 1000);
  const end = await held(trial, viewers);
  return {
    ...(await account(trial, viewers)),
    firstMiB: first.pages,
    memoryPerViewer: end.pages,
    wasmFirstMiB: first.wasm,
    wasmMiB: end.wasm,
  };
}

/** MiB per viewer of the page processes, and the largest wasm memory among the viewers. */
async function held(trial, viewers) {
  const pages = (await trial.memory()) / viewers.length / MIB;
  const wasm = await Promise.all(viewers.map((viewer) => viewer.evaluate(() => window.__bench.wasmBytes())));
  const known = wasm.filter((bytes) => bytes !== null);
  return { pages, wasm: known.length === 0 ? undefined : Math.max(...known) / MIB };
}

const SETTLING_S = 8;
