// A third viewer joins long after the others.

import { setTimeout as sleep } from 'node:timers/promises';

import { PLAYERS, PLAYER_FIGURES, WORKER_OFF, account, openViewer, trackerOf } from './playing.mjs';

const SECOND_S = 3;
const EARLIER_S = 30;

export const scenarios = [
  {
    name: 'late',
    title: `VoD, a third viewer joins ${EARLIER_S} s after the second and plays for 30 s`,
    contenders: [...PLAYERS, WORKER_OFF],
    subject: 'swarmseal',
    rounds: 3,
    figures: PLAYER_FIGURES,
    options: { seconds: 30 },
    async run(trial) {
      await trial.open({ tracker: trackerOf(trial.contender) });
      const viewers = [await openViewer(trial)];
      await sleep(SECOND_S * 1000);
      viewers.push(await openViewer(trial));
      await sleep(EARLIER_S * 1000);
      viewers.push(await openViewer(trial));
      await sleep(trial.options.seconds * 1000);
      return account(trial, viewers);
    },
  },
];
