// How long a page takes to its first picture, over a round trip of 40 ms to origin and tracker.

import { setTimeout as sleep } from 'node:timers/promises';

import { PLAYERS, openViewer, trackerOf } from './playing.mjs';
import { Failed } from '../lib/trial.mjs';

const ROUND_TRIP_MS = 40;
const SECOND_S = 3;

export const scenarios = [
  {
    name: 'start',
    title: `VoD, 1.5 Mbit/s, origin and tracker ${ROUND_TRIP_MS} ms away, two viewers ${SECOND_S} s apart, nothing cached`,
    contenders: PLAYERS,
    subject: 'swarmseal',
    figures: [
      { key: 'firstFrameMs', title: 'first frame of the first viewer, ms', digits: 0, better: 'less' },
      { key: 'secondFrameMs', title: 'first frame of the second viewer, ms', digits: 0, better: 'less' },
    ],
    options: { roundTripMs: ROUND_TRIP_MS },
    run,
  },
];

async function run(trial) {
  const { roundTripMs } = trial.options;
  await trial.open({ tracker: trackerOf(trial.contender), roundTripMs });
  const first = await firstFrameOf(trial);
  await sleep(SECOND_S * 1000);
  return { firstFrameMs: first, secondFrameMs: await firstFrameOf(trial) };
}

async function firstFrameOf(trial) {
  const { firstFrameMs, errors } = await (await openViewer(trial)).metrics();
  if (firstFrameMs === null) {
    throw new Failed(errors.map(({ code, message }) => `${code}: ${message}`).join('; '));
  }
  return firstFrameMs;
}
