// A third viewer joins long after the others.

import { setTimeout as sleep } from 'node:timers/promises';

import { LAST, PLAYERS, PLAYER_FIGURES, WORKER_OFF, account, openViewer, trackerOf } from './playing.mjs';

const SECOND_S = 3;
const EARLIER_S = 30;

const FIGURES = [
  {
    key: 'lastFromPeers',
    title: 'the third receives from peers, × what it played',
    digits: 3,
    better: 'more',
  },
  ...PLAYER_FIGURES,
];

export const scenarios = [
  late('late', 'VoD', { seconds: 30 }),
  late('many', 'VoD, 600 segments of 1 s at 0.25 Mbit/s', {
    seconds: 20,
    content: 'many',
  }),
];

function late(name, title, options) {
  return {
    name,
    title: `${title}, a third viewer joins ${EARLIER_S} s after the second and plays for ${options.seconds} s`,
    contenders: [...PLAYERS, WORKER_OFF],
    subject: 'swarmseal',
    rounds: 3,
    figures: FIGURES,
    options,
    async run(trial) {
      await trial.open({ tracker: trackerOf(trial.contender) });
      const viewers = [await openViewer(trial)];
      await sleep(SECOND_S * 1000);
      viewers.push(await openViewer(trial));
      await sleep(EARLIER_S * 1000);
      viewers.push(await openViewer(trial, LAST));
      await sleep(trial.options.seconds * 1000);
      return account(trial, viewers);
    },
  };
}
