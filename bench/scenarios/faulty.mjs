// Two viewers of whom the first is a bad peer: it alters what it sends, sends slowly, or leaves in the middle. The second one
// buffers 12 s, so that it always needs something.

import { setTimeout as sleep } from 'node:timers/promises';

import { PLAYER_FIGURES, WORKER_OFF, account, openViewer, trackerOf } from './playing.mjs';

const CONTENDERS = ['p2p-media-loader', WORKER_OFF, 'swarmseal'];
const BUFFER_S = 12;
const OF_THE_VICTIM = ['shortSegments', 'wrongBytes', 'stalls', 'parseErrors', 'firstFrameMs', 'positionS'];
const LEAVES_AFTER_BYTES = 500_000;

const faulty = (name, title, seconds, run) => ({
  name,
  title,
  contenders: CONTENDERS,
  subject: 'swarmseal',
  figures: [
    ...PLAYER_FIGURES.filter(({ key }) => OF_THE_VICTIM.includes(key)),
    { key: 'peerBytesReceived', title: 'bytes from the peer', digits: 0 },
    { key: 'badBytes', title: 'bytes that the bad peer sent', digits: 0 },
  ],
  options: { seconds, buffer: BUFFER_S },
  run,
});

export const scenarios = [
  faulty('corrupt', 'VoD, 2 viewers: the first flips a bit in every payload it sends', 20, (trial) =>
    withBadPeer(trial, 'corrupt'),
  ),
  faulty('slow', 'VoD, 2 viewers: the first sends 64 kB/s, a third of the stream', 20, (trial) =>
    withBadPeer(trial, 'slow'),
  ),
  faulty('leave', 'VoD, 2 viewers: the first is closed while it sends', 20, whoLeaves),
];

async function withBadPeer(trial, fault) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const bad = await openViewer(trial, { fault });
  await sleep(AHEAD_S * 1000);
  const victim = await openViewer(trial, { check: 'on' });
  await sleep(trial.options.seconds * 1000);
  const { wire } = await bad.metrics();
  return { ...(await account(trial, [victim], { check: true })), badBytes: wire.sent };
}

async function whoLeaves(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const uploader = await openViewer(trial);
  await sleep(AHEAD_S * 1000);
  const viewer = await openViewer(trial, { check: 'on' });
  const end = Date.now() + PATIENCE_MS;
  while (Date.now() < end && (await uploader.metrics()).wire.sent < LEAVES_AFTER_BYTES) {
    await sleep(20);
  }
  await uploader.close();
  await sleep(trial.options.seconds * 1000);
  return account(trial, [viewer], { check: true });
}

const AHEAD_S = 8;
const PATIENCE_MS = 15_000;
