// Video on demand at the defaults of player and contenders, and with the player's buffer held short.

import { setTimeout as sleep } from 'node:timers/promises';

import { PLAYERS, WORKER_OFF, PLAYER_FIGURES, account, openViewer, trackerOf, viewing } from './playing.mjs';

const vod = (name, title, viewers, seconds, options = {}) => ({
  name,
  title,
  contenders: [...PLAYERS, WORKER_OFF],
  subject: 'swarmseal',
  figures: PLAYER_FIGURES,
  options: { seconds, ...options },
  run: viewing({ viewers, stagger: 3 }),
});

export const scenarios = [
  vod('vod-2', 'VoD, 1.5 Mbit/s, 2 viewers 3 s apart, 20 s, everything at its default', 2, 20),
  vod('vod-3', 'VoD, 1.5 Mbit/s, 3 viewers 3 s apart, 20 s, everything at its default', 3, 20),
  vod('vod-3-short', 'VoD, 1.5 Mbit/s, 3 viewers 3 s apart, 40 s, the player buffers 12 s', 3, 40, {
    buffer: 12,
  }),
  {
    ...vod(
      'renditions',
      'VoD, 2 viewers 3 s apart go from 1.2 to 0.4 Mbit/s after 12 s and play 20 s more',
      2,
      20,
      {
        content: 'ladder',
        level: 1,
        buffer: 12,
      },
    ),
    run: changing,
  },
];

/** Both change to the lowest rendition at once, the second one 12 s after it began. */
async function changing(trial) {
  await trial.open({ tracker: trackerOf(trial.contender) });
  const viewers = [await openViewer(trial)];
  await sleep(STAGGER_S * 1000);
  viewers.push(await openViewer(trial));
  await sleep(BEFORE_S * 1000);
  await Promise.all(viewers.map((viewer) => viewer.evaluate(() => window.__bench.switchTo(0))));
  await sleep(trial.options.seconds * 1000);
  return account(trial, viewers);
}

const STAGGER_S = 3;
const BEFORE_S = 12;
